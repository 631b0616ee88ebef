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
        cut: percentile 99.5 of their pixels, in the unit of the map: one in 200 is a false alarm.
        low: percentile 98: the extent of a defect.
        high: percentile 99.95: the presence of a defect.
        area: in pixels; nine in ten of the false blobs above ``cut`` are smaller.
        contrast: as ``cut``, of the map's local contrast, in local standard deviations.
    """

    cut: float
    low: float
    high: float
    area: int
    contrast: float


def calibrate(maps: Images, q: float = 99.5, low: float = 98.0, high: float = 99.95, blobs: float = 90.0) -> Cuts:
    """Read the cuts off the maps of validation normals.

    Args:
        maps: of validation normals, (N, H, W), or a list of (H, W) of unequal sizes.
        q: percentile of the pixels in [0, 100], for ``cut`` and, on the local contrast, for ``contrast``.
        low: percentile of the pixels in [0, 100], for ``low``.
        high: percentile of the pixels in [0, 100], for ``high``.
        blobs: percentile in [0, 100] of the areas of the regions above ``cut``, for ``area``.

    Example:
        >>> maps = np.random.default_rng(0).random((4, 32, 32))
        >>> cuts = calibrate(maps)
        >>> cuts.low < cuts.cut < cuts.high, cuts.area
        (True, 1)
    """
    maps = [np.asarray(a_map) for a_map in maps]
    pixels = np.concatenate([a_map.ravel() for a_map in maps])
    cut, lower, upper = (float(value) for value in np.percentile(pixels, [q, low, high]))
    areas = region_areas([a_map >= cut for a_map in maps])
    contrasts = np.concatenate([local_contrast(a_map).ravel() for a_map in maps])
    return Cuts(cut, lower, upper, int(np.percentile(areas, blobs)), float(np.percentile(contrasts, q)))


def local_contrast(a_map: ArrayLike, sigma: float = 16.0) -> np.ndarray:
    """How many local standard deviations each pixel lies above its surroundings.

    Args:
        a_map: (H, W), of any unit.
        sigma: width, in pixels, of the Gaussian window in which local mean and standard deviation are taken; above 0.

    Returns:
        (H, W), in standard deviations; 0 where the surroundings are constant.

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
    # more than rounding alone would
    varies = deviation > 1e-9 * np.abs(a_map).max()
    return np.divide(a_map - mean, deviation, out=np.zeros_like(a_map), where=varies)


def otsu_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the map's own Otsu threshold; the cuts are not asked.

    Args:
        a_map: (H, W), higher = more anomalous.
        cuts: of validation normals.

    Returns:
        Bool (H, W).
    """
    return a_map >= thresholds.otsu(a_map)


def percentile_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the percentile of validation normals.

    Args:
        a_map: (H, W), higher = more anomalous.
        cuts: of validation normals.

    Returns:
        Bool (H, W).
    """
    return a_map >= cuts.cut


def hysteresis_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the low cut, and connected to a pixel above the high one.

    Args:
        a_map: (H, W), higher = more anomalous.
        cuts: of validation normals.

    Returns:
        Bool (H, W).
    """
    return thresholds.hysteresis(a_map, cuts.low, cuts.high)


def opened_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Above the percentile, blobs no larger than most false ones removed (an area opening of the mask).

    Args:
        a_map: (H, W), higher = more anomalous.
        cuts: of validation normals.

    Returns:
        Bool (H, W).
    """
    return thresholds.remove_small(percentile_mask(a_map, cuts), cuts.area)


def otsu_contrast_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Otsu on the local contrast.

    Args:
        a_map: (H, W), higher = more anomalous.
        cuts: of validation normals.

    Returns:
        Bool (H, W).
    """
    return otsu_mask(local_contrast(a_map), cuts)


def percentile_contrast_mask(a_map: np.ndarray, cuts: Cuts) -> np.ndarray:
    """The percentile of validation normals, on the local contrast.

    Args:
        a_map: (H, W), higher = more anomalous.
        cuts: of validation normals.

    Returns:
        Bool (H, W).
    """
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
        cuts: what :func:`calibrate` read off validation normals.

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
        iou: intersection over union of all predicted and all true pixels, in [0, 1].
        pro: mean share of each true region that is covered, in [0, 1]: the height of the PRO curve at this point.
        fpr: share of the defect-free pixels that are called defective, in [0, 1]: where on the curve the point lies.
    """

    iou: float
    pro: float
    fpr: float


def mask_quality(masks: Images, predictions: Sequence[ArrayLike]) -> MaskQuality:
    """Judge predicted masks.

    Args:
        masks: the truth, bool (N, H, W), or a list of (H, W) of unequal sizes.
        predictions: bool or 0 and 1, of the same shapes.

    Raises:
        ValueError: if shapes differ, or no mask has a defect.

    Example:
        >>> truth = np.array([[[1, 1, 0, 0]]], bool)
        >>> mask_quality(truth, np.array([[[1, 0, 1, 0]]], bool))
        MaskQuality(iou=0.3333333333333333, pro=0.5, fpr=0.5)
    """
    masks, _ = as_images(masks, predictions)
    predictions = [as_truth(prediction, "predictions") for prediction in predictions]
    covered, false, normal = [], 0, 0
    for mask, prediction in zip(masks, predictions, strict=True):
        inside = regions(mask)[0][mask] - 1  # the region of each defective pixel
        covered.append(np.bincount(inside, weights=prediction[mask]) / np.bincount(inside))
        false, normal = false + int((prediction & ~mask).sum()), normal + int((~mask).sum())
    shares = np.concatenate(covered)
    if not shares.size:
        raise ValueError("the masks hold no defect: a mask can only be judged where there is one")
    return MaskQuality(iou(masks, predictions), float(shares.mean()), false / normal)
