"""Folders laid out as MVTec AD: ``<category>/train/good``, ``test/<kind>``, ``ground_truth/<kind>/<name>_mask.png``.

Layout: Bergmann et al., "MVTec AD: a comprehensive real-world dataset for unsupervised anomaly detection", CVPR 2019.
"""

import os
from pathlib import Path

from adkit.data.masks import masks_by_stem, without_image
from adkit.data.read import list_folders, list_images
from adkit.data.samples import NORMAL, CategorySamples, FileSample, choose_categories, require_folder


def read_mvtec(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of each category.

    Args:
        root: the set's folder, which holds the categories, or the folder of one category.
        category: a name, a list of names, or None for all.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no category, or not the one asked for.
    """
    root = require_folder(root, "the folder of a set in MVTec AD layout (<category>/train/good), or of one category")
    folders = {root.name: root} if (root / "train").is_dir() else {}
    folders = folders or {folder.name: folder for folder in list_folders(root) if (folder / "train").is_dir()}
    if not folders:
        raise ValueError(f"no category in {root}: expected <category>/train/good below it, or train/good in it")
    return [_read_category(folders[name]) for name in choose_categories(category, list(folders), str(root))]


def _read_category(folder: Path) -> CategorySamples:
    category = CategorySamples(folder.name, normals=_samples(folder, folder / "train" / NORMAL, NORMAL))
    tests = {kind.name: kind for kind in list_folders(folder / "test")} if (folder / "test").is_dir() else {}
    truths = (
        {kind.name: kind for kind in list_folders(folder / "ground_truth")}
        if (folder / "ground_truth").is_dir()
        else {}
    )
    if NORMAL in tests:
        category.test_normals.extend(_samples(folder, tests.pop(NORMAL), NORMAL))
    truths.pop(NORMAL, None)  # some sets keep black masks of their normals
    for kind in sorted({*tests, *truths}):
        masks = masks_by_stem(list_images(truths[kind])) if kind in truths else {}
        samples = _samples(folder, tests[kind], kind, masks) if kind in tests else []
        category.anomalous.extend(samples)
        category.orphans.extend(without_image(masks, [sample.file for sample in samples]))
    return category


def _samples(
    category: Path, folder: Path, kind: str, masks: dict[str, tuple[Path, ...]] | None = None
) -> list[FileSample]:
    files = list_images(folder) if folder.is_dir() else []
    masks = masks or {}
    return [FileSample(file, category.name, _source(category, file), kind, masks.get(file.stem, ())) for file in files]


def _source(category: Path, file: Path) -> str:
    return f"{category.name}/{file.relative_to(category).as_posix()}"
