"""MPDD, the metal parts defect detection dataset, in MVTec AD's layout.

As published: ``<part>/train/good/000.png``, ``<part>/test/good`` and ``<part>/test/<kind>/000.png``,
``<part>/ground_truth/<kind>/000_mask.png``; the parts are bracket_black, bracket_brown, bracket_white, connector,
metal_plate and tubes.

Source: Jezek et al., "Deep learning-based defect detection of metal parts: evaluating current methods in complex
conditions", ICUMT 2021. The names of parts were taken from the authors' page, not from the files.
"""

import os
from pathlib import Path

from adkit.data.mvtec_layout import category_folders, read_categories
from adkit.data.samples import CategorySamples

PARTS = {"bracket_black", "bracket_brown", "bracket_white", "connector", "metal_plate", "tubes"}


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    names = set(category_folders(root))
    return bool(names) and names <= PARTS and bool(names & (PARTS - {"connector", "tubes"}))


def read_mpdd(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of each metal part.

    Args:
        root: the folder of the parts, or of one of them.
        category: a part, a list of parts, or None for all.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no part, or not the one asked for.
    """
    return read_categories(root, category, "MPDD")
