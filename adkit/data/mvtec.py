"""Folders laid out as MVTec AD, and as its successors MVTec AD 2 and MVTec LOCO.

Layouts, as published::

    <category>/train/good/000.png, test/<kind>/000.png, ground_truth/<kind>/000_mask.png          MVTec AD
    <category>/train/good/000_regular.png, validation/good, test_public/good, test_public/bad,
        test_public/ground_truth/bad/000_regular_mask.png, test_private, test_private_mixed       MVTec AD 2
    <category>/train/good/000.png, validation/good, test/good, test/logical_anomalies, test/structural_anomalies,
        ground_truth/<kind>/000/000.png, 001.png, … (one file for each region)                    MVTec LOCO

The labels of AD 2's private parts are not given away: their images are in ``splits.unlabelled``, without a label.
LOCO's masks hold another value for each type of defect, all of which count; its own measure, sPRO, is not computed.

Sources: Bergmann et al., "MVTec AD: a comprehensive real-world dataset for unsupervised anomaly detection", CVPR 2019;
Heckler-Kram et al., "The MVTec AD 2 dataset: advanced scenarios for unsupervised anomaly detection", arXiv 2503.21622;
Bergmann et al., "Beyond dents and scratches: logical constraints in unsupervised anomaly detection and localization",
IJCV 2022.
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
    return bool(category_folders(root, complete=True))


def read_mvtec(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of each category.

    Args:
        root: the set's folder, which holds the categories, or the folder of one category.
        category: a name, a list of names, or None for all.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no category, or not the one asked for.
    """
    return read_categories(root, category)
