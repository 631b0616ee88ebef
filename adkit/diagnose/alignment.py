"""Do the maps lie where the masks say? Slide the masks over the maps and see where they fit best."""

from typing import NamedTuple

import numpy as np

LARGEST = 0.25  # of a side: shifts up to here are tried


class Alignment(NamedTuple):
    """Where the masks fit the maps best.

    Attributes:
        dy, dx: the shift in pixels that the masks need, down and to the right.
        here: mean map value under the masks as they lie, in standard deviations of what other shifts give.
        there: the same at the best shift.
        heights: the same for all shifts, (2 * largest + 1, 2 * largest + 1), no shift in the middle.
    """

    dy: int
    dx: int
    here: float
    there: float
    heights: np.ndarray

    @property
    def distance(self) -> float:
        """Length of the shift in pixels."""
        return float(np.hypot(self.dy, self.dx))


def align(maps: list[np.ndarray], masks: list[np.ndarray], largest: int | None = None) -> Alignment:
    """The shift at which masks and maps agree best, over all images together (cross-correlation by FFT).

    Every map is first measured in standard deviations from its own mean, so that no image decides alone, and every
    region weighs by the square root of its area. Shifts go around the edges of the frame.

    Args:
        maps: N anomaly maps (H, W), of images with a defect.
        masks: their masks, bool (H, W).
        largest: pixels up to which a shift is tried in either direction; None: a quarter of the shorter side, at
            least 4.

    Raises:
        ValueError: if there is no mask with a defect in it.

    Example:
        >>> mask = np.zeros((32, 32), bool)
        >>> mask[10:14, 10:14] = True
        >>> found = align([np.roll(mask, (3, -2), (0, 1)) * 1.0], [mask], largest=6)
        >>> found.dy, found.dx
        (3, -2)
    """
    pairs = [(one, mask) for one, mask in zip(maps, masks, strict=True) if mask.any() and not mask.all()]
    if not pairs:
        raise ValueError(f"none of {len(masks)} masks holds a defect; alignment needs defective images with masks")
    if largest is None:
        largest = max(4, int(LARGEST * min(min(one.shape) for one, _ in pairs)))
    heights = sum(_fits(one, mask, largest) for one, mask in pairs)
    heights = (heights - heights.mean()) / max(heights.std(), 1e-12)
    row, column = np.unravel_index(heights.argmax(), heights.shape)
    here, there = float(heights[largest, largest]), float(heights[row, column])
    return Alignment(int(row) - largest, int(column) - largest, here, there, heights)


def _fits(one: np.ndarray, mask: np.ndarray, largest: int) -> np.ndarray:
    """How well a map and its mask agree at every shift up to ``largest``: (2 * largest + 1,) * 2."""
    level = (one - one.mean()) / max(one.std(), 1e-12)
    weight = mask / np.sqrt(mask.sum())
    product = np.fft.rfft2(level) * np.fft.rfft2(weight).conj()
    everywhere = np.fft.irfft2(product, s=one.shape)  # index: shift of the mask, around the edges
    steps = np.arange(-largest, largest + 1)
    return everywhere[np.ix_(steps % one.shape[0], steps % one.shape[1])]
