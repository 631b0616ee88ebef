"""Any folder of images: normals only, or with folders of anomalous kinds beside them, masks or not.

Three layouts are understood::

    root/*.png                              normals only
    root/good, root/<kind>, …               normals in good, normal, ok or train; any other folder is a kind of anomaly
    root/train, root/test/good, root/test/<kind>, …

Masks, where there are any, lie in ``root/masks`` or ``root/ground_truth``, flat or in a folder for each kind, named as
their image or with ``_mask`` behind.
"""

import os
from collections import Counter
from pathlib import Path

from adkit.data.masks import masks_by_stem, without_image
from adkit.data.read import list_folders, list_images
from adkit.data.samples import NORMAL, CategorySamples, FileSample, choose_categories, require_folder

NORMAL_NAMES = ("good", "normal", "ok", "train")
MASK_NAMES = ("masks", "ground_truth")


def read_image_folder(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of the folder, or of each of several folders in it.

    Args:
        root: folder in one of the layouts above.
        category: None, or the name or names of folders below ``root`` that are each in such a layout.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if there are no images, a layout is ambiguous, or a category is not there.
    """
    root = require_folder(root, "a folder of images")
    if category is None or (category == root.name and not (root / root.name).is_dir()):
        return [_read(root)]
    names = choose_categories(category, [folder.name for folder in list_folders(root)], str(root))
    return [_read(root / name) for name in names]


def _read(root: Path) -> CategorySamples:
    folders = {folder.name: folder for folder in list_folders(root) if folder.name.lower() not in MASK_NAMES}
    if "train" in folders and "test" in folders:
        return _train_and_test(root, folders["train"], folders["test"])
    loose = list_images(root)
    kinds = {name: files for name, folder in folders.items() if (files := list_images(folder))}
    normals = {name: kinds.pop(name) for name in list(kinds) if name.lower() in NORMAL_NAMES}
    if loose and (kinds or normals):
        raise ValueError(
            f"{root} holds {len(loose)} images beside folders of images ({', '.join([*normals, *kinds])}); "
            "move the images into a folder 'good' if they are normal"
        )
    if not (loose or normals or kinds):
        raise ValueError(
            f"no images in {root}; expected PNG, JPEG, BMP or TIFF files in it, or in folders good and <kind>"
        )
    return _category(root, loose + [file for files in normals.values() for file in files], [], kinds)


def _train_and_test(root: Path, train: Path, test: Path) -> CategorySamples:
    if loose := list_images(test):
        raise ValueError(f"{test} holds {len(loose)} images without a label; move them into test/good and test/<kind>")
    normals = list_images(train) + [
        file for folder in list_folders(train) if _is_normal(folder) for file in list_images(folder)
    ]
    tests = {folder: list_images(folder) for folder in list_folders(test)}
    test_normals = [file for folder, files in tests.items() if _is_normal(folder) for file in files]
    kinds = {folder.name: files for folder, files in tests.items() if not _is_normal(folder)}
    return _category(root, normals, test_normals, kinds)


def _category(
    root: Path, normals: list[Path], test_normals: list[Path], kinds: dict[str, list[Path]]
) -> CategorySamples:
    flat, nested = _find_masks(root)
    images = [file for files in kinds.values() for file in files]
    doubled = [stem for stem, count in Counter(file.stem for file in images).items() if count > 1 and stem in flat]
    if doubled:
        raise ValueError(
            f"mask {flat[doubled[0]][0]} could belong to several images named {doubled[0]}; "
            "keep the masks in a folder for each kind: masks/<kind>"
        )
    anomalous = [
        _sample(root, file, kind, nested.get(kind, {}).get(file.stem) or flat.get(file.stem, ()))
        for kind, files in kinds.items()
        for file in files
    ]
    orphans = without_image(flat, [*images, *normals, *test_normals])
    for kind, masks in nested.items():
        if kind.lower() not in NORMAL_NAMES:
            orphans += without_image(masks, kinds.get(kind, []))
    train_samples, test_samples = ([_sample(root, file) for file in files] for files in (normals, test_normals))
    return CategorySamples(root.name, train_samples, test_samples, anomalous, orphans)


def _find_masks(root: Path) -> tuple[dict[str, tuple[Path, ...]], dict[str, dict[str, tuple[Path, ...]]]]:
    """Masks that lie flat, by image name, and masks in folders, by kind and image name."""
    mask_folders = [folder for folder in list_folders(root) if folder.name.lower() in MASK_NAMES]
    flat = masks_by_stem(file for folder in mask_folders for file in list_images(folder))
    kinds = [kind for folder in mask_folders for kind in list_folders(folder)]
    return flat, {kind.name: masks_by_stem(list_images(kind)) for kind in kinds}


def _sample(root: Path, file: Path, kind: str = NORMAL, masks: tuple[Path, ...] = ()) -> FileSample:
    return FileSample(file, root.name, f"{root.name}/{file.relative_to(root).as_posix()}", kind, masks)


def _is_normal(folder: Path) -> bool:
    return folder.name.lower() in NORMAL_NAMES
