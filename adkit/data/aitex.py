"""The AITEX fabric database: strips of 4096 x 256 pixels, named ``<image>_<defect code>_<fabric>.png``.

Set: Silvestre-Blanes et al., "A public fabric database for defect detection methods and results", Autex Research
Journal 19(4), 2019.
"""

import os
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from adkit.data.listing import list_images, name_some
from adkit.data.masks import masks_by_stem, without_image
from adkit.data.samples import CategorySamples, FileSample, choose_categories, require_folder
from adkit.data.say import warn

ROLLS = {  # the roll is all that tells the fabric of a normal strip
    "2311694-2040n7u": "00",
    "2608691-202020u": "01",
    "2306894-210033u": "02",
    "2311694-1930c7u": "03",
    "2311517-195063u": "04",
    "2306881-210020u": "05",
    "2311980-185026u": "06",
}

NAMELESS = "its name does not tell the fabric"


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    return all((root / name).is_dir() for name in ("Defect_images", "Mask_images", "NODefect_images"))


def read_aitex(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of each fabric; the kind of a defective strip is its code, such as ``019``.

    Args:
        root: the folder with ``Defect_images``, ``Mask_images`` and ``NODefect_images/<roll>``.
        category: a fabric (``2``, ``"2"`` and ``"02"`` are the same), a list of them, or None for all.

    Raises:
        FileNotFoundError: if the folder or one of the three is missing.
        ValueError: if a fabric asked for is not there.
    """
    root = require_folder(root, "the folder with Defect_images, Mask_images and NODefect_images")
    defects, masks, normals = (root / name for name in ("Defect_images", "Mask_images", "NODefect_images"))
    if missing := [folder.name for folder in (defects, masks, normals) if not folder.is_dir()]:
        raise FileNotFoundError(
            f"no {', '.join(missing)} in {root}; expected the AITEX layout, or use load_dataset('folder')"
        )
    strips = [
        file for folder in [normals, *sorted(normals.rglob("*"))] if folder.is_dir() for file in list_images(folder)
    ]
    normal, defective = _by_fabric(strips), _by_fabric(list_images(defects))
    truths = _by_fabric(list_images(masks))
    nameless = [file for files in (normal, defective, truths) for file in files.pop("", [])]
    fabrics = choose_categories(_fabrics(category), sorted({*normal, *defective}), str(root))
    categories = [
        _category(root, fabric, normal[fabric], defective[fabric], masks_by_stem(truths[fabric])) for fabric in fabrics
    ]
    if category is None:  # all fabrics together account for all files
        categories[0].unused.update(dict.fromkeys(nameless, NAMELESS))
        categories = [replace(each, folders=(defects, masks, normals)) for each in categories]
    return categories


def _category(
    root: Path, fabric: str, normal: list[Path], defective: list[Path], masks: dict[str, tuple[Path, ...]]
) -> CategorySamples:
    normals = [FileSample(file, fabric, file.relative_to(root).as_posix()) for file in normal]
    anomalous = [
        FileSample(
            file, fabric, file.relative_to(root).as_posix(), _numbers(file)[1].zfill(3), masks.get(file.stem, ())
        )
        for file in defective
    ]
    orphans = without_image(masks, defective)
    return CategorySamples(fabric, normals, anomalous=anomalous, orphans=orphans, layout="AITEX")


def _by_fabric(files: list[Path]) -> dict[str, list[Path]]:
    """Files by fabric: that of the roll where it is known, else the last number of the name; the rest is left out."""
    by_fabric, nameless = defaultdict(list), []
    for file in files:
        numbers = _numbers(file)
        if file.parent.name in ROLLS:
            by_fabric[ROLLS[file.parent.name]].append(file)
        elif len(numbers) >= 3:
            by_fabric[numbers[2].zfill(2)].append(file)
        else:
            nameless.append(file)
    by_fabric[""] = nameless
    if nameless:
        expected = "a name such as 0022_019_02.png (image, defect code, fabric)"
        warn(f"{len(nameless)} file(s) without {expected} were left out: {name_some(nameless)}")
    return by_fabric


def _numbers(file: Path) -> list[str]:
    """Image, defect code and fabric in a file's name; what follows ``_mask`` does not count."""
    return re.findall(r"\d+", re.sub(r"_mask\d*$", "", file.stem))


def _fabrics(category: object) -> list[str] | None:
    """Fabrics as two digits; papermill, for one, turns 02 into the number 2."""
    if category is None:
        return None
    return [str(name).zfill(2) for name in (category if isinstance(category, list | tuple) else [category])]
