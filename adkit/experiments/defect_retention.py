"""What a network does to a defect, measured against the clean twin that every textile frame has.

The textile can be drawn with and without its defect, all else equal to the last bit. So the change that a defect makes
to the *input* of a network can be compared with the change that it makes to the *output*.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset, Textile
from adkit.data.samples import NORMAL
from adkit.data.textile.samples import TextileSample


def clean_counterparts(dataset: AnomalyDataset) -> dict[str, list[tuple[Tensor, Tensor]]]:
    """The defective frames of a textile, each with its clean twin, by defect type.

    Args:
        dataset: a part of the textile; any other set has no twins.

    Returns:
        Defect type → pairs of images (2, 1, H, W) in [0, 1], defective first, and masks (H, W); empty without twins.
    """
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for sample in dataset.samples:
        if isinstance(sample, TextileSample) and sample.kind != NORMAL:
            cloth = Textile(sample.record.fabric, sample.frame, sample.record.seed)
            pair = np.stack([cloth.weave(sample.record.index, kind)[0] for kind in (sample.kind, None)])
            found.setdefault(sample.kind, []).append(
                (torch.from_numpy(pair)[:, None] / 255, torch.from_numpy(sample.mask()))
            )
    return found


def defect_retention(reconstruct: Callable[[Tensor], Tensor], dataset: AnomalyDataset) -> dict[str, float]:
    """How much of a defect a reconstruction keeps: 0 repairs it, 1 copies it, more than 1 exaggerates it.

    With x the change that the defect makes to the image and y the change that it makes to the reconstruction, both
    inside the mask, this is the slope of y on x, ``sum(x * y) / sum(x * x)``, averaged over the frames of a type.

    Args:
        reconstruct: (B, C, H, W) to (B, C, H, W), for example ``detector.reconstruct``.
        dataset: a part of the textile.

    Returns:
        Defect type → share; empty for a dataset that has no clean twins.

    Example:
        >>> from adkit import load_dataset
        >>> test = load_dataset("textile", image_size=(64, 64)).test
        >>> {kind: round(share, 6) for kind, share in defect_retention(lambda images: images / 2, test).items()}
        {'bright': 0.5, 'dark': 0.5, 'brightness': 0.5, 'texture': 0.5, 'dots': 0.5}
    """
    shares = {}
    for kind, pairs in clean_counterparts(dataset).items():
        slopes = []
        for images, mask in pairs:
            x, y = ((both[0] - both[1]).mean(0)[mask] for both in (images, reconstruct(images)))
            slopes.append(float((x * y).sum() / x.square().sum()))
        shares[kind] = float(np.mean(slopes))
    return shares
