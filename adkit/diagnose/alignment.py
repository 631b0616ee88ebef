"""Do the maps lie where the masks say? Slide the masks over the maps and see where they fit best."""

from typing import NamedTuple

import numpy as np

LARGEST = 0.25  # of a side: shifts up to here are tried


class Alignment(NamedTuple):
    """Where the masks fit the maps best.

    Attributes:
        dy, dx: the shift in pixels that the masks need, down and to the right.
        fit_unmoved: mean map value under the masks as they lie, in standard deviations of what other shifts give.
        fit_moved: the same at the best shift.
        fits: the same for all shifts, (2 * largest + 1, 2 * largest + 1), no shift in the middle.
    """

    dy: int
    dx: int
    fit_unmoved: float
    fit_moved: float
    fits: np.ndarray

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
        >>> alignment = align([np.roll(mask, (3, -2), (0, 1)) * 1.0], [mask], largest=6)
        >>> alignment.dy, alignment.dx
        (3, -2)
    """
    pairs = [(a_map, mask) for a_map, mask in zip(maps, masks, strict=True) if mask.any() and not mask.all()]
    if not pairs:
        raise ValueError(f"none of {len(masks)} masks holds a defect; alignment needs defective images with masks")
    if largest is None:
        largest = max(4, int(LARGEST * min(min(a_map.shape) for a_map, _ in pairs)))
    fits = sum(_fits(a_map, mask, largest) for a_map, mask in pairs)
    fits = (fits - fits.mean()) / max(fits.std(), 1e-12)
    row, column = np.unravel_index(fits.argmax(), fits.shape)
    unmoved, moved = float(fits[largest, largest]), float(fits[row, column])
    return Alignment(int(row) - largest, int(column) - largest, unmoved, moved, fits)


def _fits(a_map: np.ndarray, mask: np.ndarray, largest: int) -> np.ndarray:
    """How well a map and its mask agree at every shift up to ``largest``: (2 * largest + 1,) * 2."""
    standardised = (a_map - a_map.mean()) / max(a_map.std(), 1e-12)
    weight = mask / np.sqrt(mask.sum())
    product = np.fft.rfft2(standardised) * np.fft.rfft2(weight).conj()
    # the index is the shift of the mask, around the edges of the frame
    fit_of_shift = np.fft.irfft2(product, s=a_map.shape)
    shifts = np.arange(-largest, largest + 1)
    return fit_of_shift[np.ix_(shifts % a_map.shape[0], shifts % a_map.shape[1])]
