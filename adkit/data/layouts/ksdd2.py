"""KolektorSDD2: one surface, with a training and a test part.

As published: ``train/10000.png`` with ``train/10000_GT.png`` beside it, and ``test/20000.png`` alike. Every image has a
label, and an image is defective where its label is not black. The training part holds defective images too (246 of
2332), for supervised methods: they are left out here, and named.

Source: Božič et al., "Mixed supervision for surface-defect detection: from weakly to fully supervised learning",
Computers in Industry 129, 2021.
"""

import os
from pathlib import Path

from adkit.data.layouts.labelled import by_label
from adkit.data.listing import list_images
from adkit.data.samples import CategorySamples, choose_categories, require_folder
from adkit.data.tree import DEFECTIVE_PART


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    return all(
        (root / part).is_dir() and any(file.stem.endswith("_GT") for file in list_images(root / part))
        for part in ("train", "test")
    )


def read_ksdd2(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples, as one category named as the folder; all defects are of one kind, ``defect``.

    Args:
        root: the folder of ``train`` and ``test``.
        category: None, or the folder's name.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it has another layout.
    """
    root = require_folder(root, "the folder of KolektorSDD2, which holds train and test")
    if not recognise(root):
        raise ValueError(
            f"{root} is not laid out as KolektorSDD2: expected train/10000.png and train/10000_GT.png, and test"
        )
    choose_categories(category, [root.name], str(root))
    train, test = (by_label(root, list_images(root / part)) for part in ("train", "test"))
    left_out = {file: DEFECTIVE_PART for sample in train.defective for file in (sample.file, *sample.masks)}
    return [
        CategorySamples(
            root.name,
            train.normal,
            test.normal,
            test.defective,
            train.orphans + test.orphans,
            unused=train.unused | test.unused | left_out,
            folders=(root,),
            layout="KolektorSDD2",
        )
    ]
