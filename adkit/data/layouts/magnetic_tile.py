"""The magnetic tile defect dataset, as downloaded.

As published: ``MT_Blowhole/Imgs/exp1_num_4727.jpg`` with its mask ``exp1_num_4727.png`` beside it, and alike in
``MT_Break``, ``MT_Crack``, ``MT_Fray``, ``MT_Uneven`` and ``MT_Free``, which holds the normal tiles. Masks are
anti-aliased. Normals of one number are one source: they are taken to show one tile, which could not be verified.

Source: Huang et al., "Surface defect saliency of magnetic tile", The Visual Computer 36, 2020.
"""

import os
import re
from pathlib import Path

from adkit.data.listing import list_folders, list_images
from adkit.data.samples import NORMAL, CategorySamples, FileSample, choose_categories, require_folder
from adkit.data.tree import MASK_OF_NORMAL

NORMALS = "MT_Free"


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    return (root / NORMALS / "Imgs").is_dir()


def read_magnetic_tile(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples, as one category named as the folder; a kind of defect is ``Blowhole``, ``Break`` …

    Args:
        root: the folder of ``MT_Free``, ``MT_Blowhole`` and the others.
        category: None, or the folder's name.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it has another layout.
    """
    root = require_folder(root, "the folder of the magnetic tiles, which holds MT_Free/Imgs")
    if not recognise(root):
        raise ValueError(
            f"{root} is not laid out as the magnetic tiles: expected MT_Free/Imgs and MT_<kind>/Imgs in it"
        )
    choose_categories(category, [root.name], str(root))
    found = CategorySamples(root.name, [], folders=(root,), layout="magnetic tile")
    for folder in list_folders(root):
        if folder.name.startswith("MT_") and (folder / "Imgs").is_dir():
            _read_kind(found, root, folder)
    return [found]


def _read_kind(found: CategorySamples, root: Path, folder: Path) -> None:
    files = list_images(folder / "Imgs")
    images = {file.stem: file for file in files if file.suffix.lower() in (".jpg", ".jpeg")}
    masks = {file.stem: file for file in files if file not in images.values()}
    found.orphans.extend(mask for stem, mask in masks.items() if stem not in images)
    for stem, file in images.items():
        source, mask = f"{root.name}/{file.relative_to(root).as_posix()}", masks.get(stem)
        if folder.name == NORMALS:
            number = re.sub(r"^exp\d+_", "", stem)
            found.normals.append(FileSample(file, root.name, f"{root.name}/{folder.name}/{number}", NORMAL))
            found.unused.update({mask: MASK_OF_NORMAL} if mask else {})
        else:
            kind = folder.name.removeprefix("MT_")
            found.anomalous.append(FileSample(file, root.name, source, kind, (mask,) if mask else ()))
