"""What the values of a mask mean: names of classes, or how much of a pixel is marked.

A file does not say it, its values do. Class names, of a label map, are few, keep apart and lie in flat regions: all
above 0 is marked. Of a mask that was drawn smooth, or resized, the values between nothing and all lie on the borders,
each between a lower and a higher one: what is above half is marked.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

FULL = (1, 255, 1023, 4095, 16383, 65535)  # the largest value of 1, 8, 10, 12, 14 and 16 bits
NOISE = 0.04  # share of the range, at both ends, that JPEG compression scatters two values over


class MaskValues(NamedTuple):
    """A mask, and how its values were read.

    Attributes:
        mask: (H, W) bool.
        rule: ``label map``, ``anti-aliased`` or ``black``, and the value that a marked pixel is above.
    """

    mask: np.ndarray
    rule: str


def marked(values: np.ndarray, alpha: np.ndarray | None = None, lossy: bool = False) -> MaskValues:
    """The marked pixels of a mask.

    A file of two values, 0 and any other, is a label map, and so is one whose further values lie in regions of their
    own; all else is taken as anti-aliased, and marked above half of the range. Where the colour is the same everywhere,
    alpha is the mask; where both change, what is fully transparent is not marked.

    Args:
        values: (H, W) or (1 or 3, H, W), uint8 or uint16; of colours the brightest channel counts.
        alpha: (H, W), or None where there is none.
        lossy: the file is compressed with loss, so that no value is exact.

    Example:
        >>> marked(np.array([[0, 2], [2, 0]], np.uint8)).rule
        'label map, above 0'
        >>> marked(np.array([[0, 0, 64, 191, 255]], np.uint8))
        MaskValues(mask=array([[False, False, False,  True,  True]]), rule='anti-aliased, above 127')
    """
    values = values.max(axis=0) if values.ndim == 3 else values
    if alpha is not None and alpha.min() < alpha.max():
        values = alpha if values.min() == values.max() else np.where(alpha > 0, values, 0).astype(values.dtype)
    top = int(values.max())
    if top == 0:
        return MaskValues(values > 0, "black")
    if _is_label_map(values, top, lossy):
        return MaskValues(values > 0, "label map, above 0" + (", compressed with loss" if lossy else ""))
    full = next(limit for limit in FULL if limit >= top)
    half = (full if 2 * top > full else top) // 2
    return MaskValues(values > half, f"anti-aliased, above {half}")


def _is_label_map(values: np.ndarray, top: int, lossy: bool) -> bool:
    if top == 1:
        return True
    present = np.flatnonzero(np.bincount(values.ravel(), minlength=2)) if values.size else np.arange(1)
    if lossy and top > 16:  # the few values of a class map would be scattered just as well
        return False
    if present[0] != 0:  # nothing is background
        return False
    if len(present) == 2:
        return True
    if len(present) > 12 and ((present <= NOISE * top) | (present >= (1 - NOISE) * top)).all():
        return False
    between = (values > 0) & (values < top)
    window = tuple(
        slice(max(0, part.start - 1), part.stop + 1) for part in ndimage.find_objects((values > 0).view(np.uint8))[0]
    )
    part = values[window]
    higher = ndimage.maximum_filter(part, size=3, mode="nearest") > part
    lower = ndimage.minimum_filter(part, size=3, mode="nearest") < part
    on_border = (higher & lower & between[window]).sum()
    return 2 * int(on_border) <= int(between.sum())
