"""BTAD, beanTech's anomaly detection dataset: three products, MVTec AD's layout with other names.

As published (``BTech_Dataset_transformed``): ``<01, 02 or 03>/train/ok/0000.bmp``, ``test/ok`` and ``test/ko``,
``ground_truth/ko/0000.png`` with the names of the images; images are BMP or PNG, masks may have the other format.

Source: Mishra et al., "VT-ADL: a vision transformer network for image anomaly detection and localization", ISIE 2021.
The formats were taken from public loaders of the set, not from its files.
"""

import os
from pathlib import Path

from adkit.data.mvtec_layout import category_folders, read_categories
from adkit.data.samples import CategorySamples


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    folders = category_folders(root).values()
    return any((folder / "train" / "ok").is_dir() and (folder / "test" / "ko").is_dir() for folder in folders)


def read_btad(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of each product; all defects are of one kind, ``ko``.

    Args:
        root: the folder of the products, or of one of them.
        category: ``"01"``, which 1 stands for as well, a list, or None for all.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no product, or not the one asked for.
    """
    return read_categories(root, category, "BTAD")
