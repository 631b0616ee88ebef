"""What MVTec AD and the sets laid out like it share: folders of categories, each with ``train`` and ``test``."""

import os
from pathlib import Path

from adkit.data.listing import IMAGE_NAMES, TRAIN, FolderNames, list_folders, list_images, simple
from adkit.data.samples import CategorySamples, choose_categories, require_folder, with_all_of
from adkit.data.tree_parts import read_tree


def read_categories(root: str | os.PathLike | None, category: object = None, layout: str = "") -> list[CategorySamples]:
    """The samples of each category.

    Args:
        root: the set's folder, which holds the categories, or the folder of one category.
        category: a name, a list of names, or None for all.
        layout: name of the layout, for the summary; empty: it is told by the folders.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no category, or not the one asked for.
    """
    root = require_folder(root, "the folder of a set in MVTec AD layout (<category>/train/good), or of one category")
    folders = category_folders(root)
    if not folders:
        raise ValueError(f"no category in {root}: expected <category>/train/good below it, or train/good in it")
    names = choose_categories(category, list(folders), str(root))
    categories = [_read_category(folders[name], layout or variant(folders[name])) for name in names]
    return with_all_of(root, categories, category)


def category_folders(root: Path, complete: bool = False) -> dict[str, Path]:
    """The categories in a folder by their name: the folder itself, or those in it that have a folder ``train``.

    Args:
        root: must be there.
        complete: only those that have a folder of folders to test with as well, and no images beside the two.
    """
    has_parts = _is_complete if complete else _has_train
    if has_parts(root):
        return {root.name: root}
    names = FolderNames()
    if complete and (list_images(root) or any(names.is_normal(folder.name) for folder in list_folders(root))):
        return {}  # a set of its own, with others in it
    found = {folder.name: folder for folder in list_folders(root) if has_parts(folder)}
    if complete and any(simple(name) in IMAGE_NAMES for name in found):
        return {}  # images/train and masks/train: the category is the folder around them
    return found


def variant(folder: Path) -> str:
    """Which of the three layouts a category has.

    Args:
        folder: of the category.
    """
    names = {below.name.lower() for below in list_folders(folder)}
    if "test_public" in names:
        return "MVTec AD 2"
    kinds = {kind.name for test in list_folders(folder) if test.name.lower() == "test" for kind in list_folders(test)}
    return "MVTec LOCO" if kinds & {"logical_anomalies", "structural_anomalies"} else "MVTec AD"


def _has_train(folder: Path) -> bool:
    return any(simple(below.name) in TRAIN for below in list_folders(folder))


def _is_complete(folder: Path) -> bool:
    """``train/good`` and ``test`` or ``test_public`` are there, named as published."""
    names = {below.name: below for below in list_folders(folder)}
    tests = [names[name] for name in ("test", "test_public") if name in names]
    return bool(tests) and (folder / "train" / "good").is_dir() and not list_images(folder)


def _read_category(folder: Path, layout: str) -> CategorySamples:
    try:
        return read_tree(folder, FolderNames(), layout)
    except ValueError as error:
        if not str(error).startswith("no images"):
            raise
        return CategorySamples(folder.name, normals=[], folders=(folder,), layout=layout)
