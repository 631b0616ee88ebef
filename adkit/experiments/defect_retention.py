"""What a network does to a defect, measured against the clean counterpart that every textile frame has.

The textile can be made with and without its defect, all else equal to the last bit. So the change that a defect makes
to the *input* of a network can be compared with the change that it makes to the *output*. Synthetic defects on normal
images have clean counterparts too: :func:`retention` is the one measure for all of them.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.data.textile.samples import TextileSample


def retention(change_in: Tensor, change_out: Tensor, mask: Tensor | None = None) -> float:
    """Share of a defect that a reconstruction keeps: 0 repairs it, 1 copies it, more than 1 exaggerates it.

    With x the change that the defect makes to the image and y the change that it makes to the reconstruction, this is
    the slope of y on x through 0, ``sum(x * y) / sum(x * x)``.

    Args:
        change_in: defective minus clean image, (..., H, W), float; or any shape, without a mask.
        change_out: reconstruction of the defective minus that of the clean image, of the same shape.
        mask: bool (H, W): the pixels that count; None: all of them.

    Returns:
        The share; 0 where the image does not change at all.

    Example:
        >>> change = torch.tensor([[0.0, 0.5, 0.25]])
        >>> retention(change, 0.8 * change + 0.1, mask=change > 0.3)
        1.0
        >>> retention(change, 0.5 * change)
        0.5
    """
    if mask is not None:
        change_in, change_out = change_in[..., mask], change_out[..., mask]
    energy = change_in.square().sum()
    return float((change_in * change_out).sum() / energy) if energy else 0.0


@lru_cache(maxsize=256)
def clean_counterpart(sample: object) -> Tensor | None:
    """A textile frame without its defect; kept in memory, since every detector asks for it.

    Args:
        sample: one of ``dataset.samples``.

    Returns:
        (1, H, W) in [0, 1]; None for a sample of any other set, which has no counterpart.
    """
    if not isinstance(sample, TextileSample):
        return None
    clean, _ = replace(sample.record, kind=None).weave(sample.frame)
    return torch.from_numpy(clean)[None] / 255


def clean_counterparts(dataset: AnomalyDataset) -> dict[str, list[tuple[Tensor, Tensor]]]:
    """The defective frames of a textile, each with its clean counterpart, by defect type.

    Args:
        dataset: a part of the textile; any other set has no counterparts.

    Returns:
        Defect type → pairs of images (2, 1, H, W) in [0, 1], defective first, and masks, bool (H, W); empty for other
        sets.
    """
    pairs: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for sample in dataset.samples:
        clean = clean_counterpart(sample) if sample.kind != NORMAL else None
        if clean is not None:
            images = torch.stack([torch.from_numpy(sample.read()) / 255, clean])
            pairs.setdefault(sample.kind, []).append((images, torch.from_numpy(sample.mask())))
    return pairs


def defect_retention(reconstruct: Callable[[Tensor], Tensor], dataset: AnomalyDataset) -> dict[str, float]:
    """How much of a defect a reconstruction keeps, see :func:`retention`, averaged over the frames of a defect type.

    Args:
        reconstruct: (B, C, H, W) to (B, C, H, W), for example ``detector.reconstruct``.
        dataset: a part of the textile.

    Returns:
        Defect type → share; empty for a dataset that has no clean counterparts.

    Example:
        >>> from adkit import load_dataset
        >>> test = load_dataset("textile", image_size=(64, 64)).test
        >>> {kind: round(share, 6) for kind, share in defect_retention(lambda images: images / 2, test).items()}
        {'bright': 0.5, 'dark': 0.5, 'brightness': 0.5, 'texture': 0.5, 'dots': 0.5}
    """
    shares = {}
    for defect_type, pairs in clean_counterparts(dataset).items():
        slopes = []
        for images, mask in pairs:
            reconstructed = reconstruct(images)
            slopes.append(retention(images[0] - images[1], reconstructed[0] - reconstructed[1], mask))
        shares[defect_type] = float(np.mean(slopes))
    return shares
