"""From an anomaly map to a mask: six ways to cut it, and what a mask is worth.

What a cut needs to know of normal cloth comes from the maps of validation normals (:func:`calibrate`). Otsu needs to
know nothing, which is the trouble with it: it splits whatever it is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from adkit.metrics import iou, region_areas, regions
from adkit.metrics.inputs import Images, as_images, as_truth
from adkit.scoring import thresholds


@dataclass(frozen=True)
class Cuts:
    """What validation normals say about a map.

    Attributes:
        cut: percentile 99.5 of their pixels: one in 200 is a false alarm.
        low, high: percentiles 98 and 99.95: the extent of a defect, and its presence.
        area: pixels; nine in ten of the false blobs above ``cut`` are smaller.
        contrast: as ``cut``, of the map's local contrast.
    """

    cut: float
    low: float
    high: float
    area: int
    contrast: float


def calibrate(maps: Images, q: float = 99.5, low: float = 98.0, high: float = 99.95, blobs: float = 90.0) -> Cuts:
    """Read the cuts off the maps of validation normals.

    Args:
        maps: (N, H, W), or a list of (H, W).
        q: percentile of the pixels, for ``cut`` and, on the local contrast, for ``contrast``.
        low: percentile of the pixels.
        high: percentile of the pixels.
        blobs: percentile of the areas of the regions above ``cut``.

    Example:
        >>> maps = np.random.default_rng(0).random((4, 32, 32))
        >>> cuts = calibrate(maps)
        >>> cuts.low < cuts.cut < cuts.high, cuts.area
        (True, 1)
    """
    maps = [np.asarray(one) for one in maps]
    pixels = np.concatenate([one.ravel() for one in maps])
    cut, lower, upper = (float(value) for value in np.percentile(pixels, [q, low, high]))
    areas = region_areas([one >= cut for one in maps])
    contrasts = np.concatenate([local_contrast(one).ravel() for one in maps])
    return Cuts(cut, lower, upper, int(np.percentile(areas, blobs)), float(np.percentile(contrasts, q)))


def local_contrast(a_map: ArrayLike, sigma: float = 16.0) -> np.ndarray:
    """How many local standard deviations each pixel lies above its surroundings.

    Args:
        a_map: (H, W).
        sigma: of the Gaussian window that the local mean and standard deviation are taken in, in pixels.

    Returns:
        (H, W); 0 where the surroundings are constant.

    Raises:
        ValueError: if the map is not (H, W), or ``sigma`` is not positive.

    Example:
        >>> a_map = np.zeros((65, 65))
        >>> a_map[32, 32] = 1.0
        >>> contrast = local_contrast(a_map)
        >>> int(contrast.argmax()) == 32 * 65 + 32, bool(contrast.max() > 10)
        (True, True)
    """
    a_map = np.asarray(a_map, dtype=np.float64)
    if a_map.ndim != 2:
        raise ValueError(f"a map must be (H, W), got shape {a_map.shape}; call local_contrast once for each image")
    if not sigma > 0:
        raise ValueError(f"sigma must be a positive number of pixels, got {sigma}")
    mean = ndimage.gaussian_filter(a_map, sigma)
    deviation = np.sqrt(ndimage.gaussian_filter((a_map - mean) ** 2, sigma))
    varies = deviation > 1e-9 * np.abs(a_map).max()  # more than rounding does
    return np.divide(a_map - mean, deviation, out=np.zeros_like(a_map), where=varies)


def otsu_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the map's own Otsu threshold; the cuts are not asked."""
    return a_map >= thresholds.otsu(a_map)


def percentile_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the percentile of validation normals."""
    return a_map >= cuts.cut


def hysteresis_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the low cut, and connected to a pixel above the high one."""
    return thresholds.hysteresis(a_map, cuts.low, cuts.high)


def opened_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the percentile, blobs no larger than most false ones removed (an area opening of the mask)."""
    return thresholds.remove_small(percentile_mask(a_map, cuts), cuts.area)


def otsu_contrast_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Otsu on the local contrast."""
    return otsu_mask(local_contrast(a_map), cuts)


def percentile_contrast_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """The percentile of validation normals, on the local contrast."""
    return local_contrast(a_map) >= cuts.contrast


METHODS: dict[str, Callable[[np.ndarray, Cuts], np.ndarray]] = {
    "Otsu": otsu_mask,
    "Otsu, local contrast": otsu_contrast_mask,
    "percentile": percentile_mask,
    "percentile, local contrast": percentile_contrast_mask,
    "hysteresis": hysteresis_mask,
    "area opening": opened_mask,
}


def segment(a_map: ArrayLike, method: str, cuts: Cuts) -> np.ndarray:
    """The mask of a map.

    Args:
        a_map: (H, W), higher = more anomalous.
        method: one of ``METHODS``.
        cuts: of :func:`calibrate`.

    Returns:
        Bool (H, W).

    Raises:
        ValueError: if the method is unknown.

    Example:
        >>> a_map = np.array([[0.1, 0.2, 0.9]])
        >>> segment(a_map, "percentile", Cuts(cut=0.5, low=0.2, high=0.8, area=2, contrast=3.0)).astype(int)
        array([[0, 0, 1]])
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    return METHODS[method](np.asarray(a_map), cuts)


@dataclass(frozen=True)
class MaskQuality:
    """What masks are worth at their operating point.

    Attributes:
        iou: intersection over union of all predicted and all true pixels.
        pro: mean share of each true region that is covered: the height of the PRO curve at this point.
        fpr: share of the defect-free pixels that are called defective: where on the curve the point lies.
    """

    iou: float
    pro: float
    fpr: float


def mask_quality(masks: Images, predictions: Sequence[ArrayLike]) -> MaskQuality:
    """Judge predicted masks.

    Args:
        masks: the truth, bool (N, H, W), or a list of (H, W) of unequal sizes.
        predictions: bool, of the same shapes.

    Raises:
        ValueError: if shapes differ, or no mask has a defect.

    Example:
        >>> truth = np.array([[[1, 1, 0, 0]]], bool)
        >>> mask_quality(truth, np.array([[[1, 0, 1, 0]]], bool))
        MaskQuality(iou=0.3333333333333333, pro=0.5, fpr=0.5)
    """
    masks, _ = as_images(masks, predictions)
    predictions = [as_truth(found, "predictions") for found in predictions]
    covered, false, normal = [], 0, 0
    for mask, found in zip(masks, predictions, strict=True):
        inside = regions(mask)[0][mask] - 1  # the region of each defective pixel
        covered.append(np.bincount(inside, weights=found[mask]) / np.bincount(inside))
        false, normal = false + int((found & ~mask).sum()), normal + int((~mask).sum())
    shares = np.concatenate(covered)
    if not shares.size:
        raise ValueError("the masks hold no defect: a mask can only be judged where there is one")
    return MaskQuality(iou(masks, predictions), float(shares.mean()), false / normal)
