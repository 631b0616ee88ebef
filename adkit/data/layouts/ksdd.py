"""KolektorSDD: commutators of 50 items, eight surfaces each.

As published: ``kos01/Part0.jpg`` with ``kos01/Part0_label.bmp`` beside it, up to ``kos50/Part7``. Every image has a
label, and an image is defective where its label is not black. Nearly every item has a defect, so a surface, not an
item, is a source here: surfaces of one item may lie in two parts. The folders may be named otherwise, as long as images
and labels are.

Source: Tabernik et al., "Segmentation-based deep-learning approach for surface-defect detection", Journal of
Intelligent Manufacturing 31, 2020.
"""

import os
import re
from pathlib import Path

from adkit.data.layouts.labelled import by_label
from adkit.data.listing import list_folders, list_images
from adkit.data.samples import CategorySamples, choose_categories, require_folder


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    return bool(_items(root))


def read_ksdd(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of all items, as one category named as the folder.

    Args:
        root: the folder of the items ``kos01`` to ``kos50``.
        category: None, or the folder's name.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no items.
    """
    root = require_folder(root, "the folder of KolektorSDD, which holds kos01/Part0.jpg")
    items = _items(root)
    if not items:
        raise ValueError(f"no items in {root}: expected kos01/Part0.jpg and kos01/Part0_label.bmp below it")
    choose_categories(category, [root.name], str(root))
    labelled = by_label(root, [file for item in items for file in list_images(item)])
    return [
        CategorySamples(
            root.name,
            labelled.normal,
            anomalous=labelled.defective,
            orphans=labelled.orphans,
            unused=labelled.unused,
            folders=(root,),
            layout="KolektorSDD",
        )
    ]


def _items(root: Path) -> list[Path]:
    return [
        folder
        for folder in list_folders(root)
        if any(re.fullmatch(r"Part\d+_label", file.stem) for file in list_images(folder))
    ]
