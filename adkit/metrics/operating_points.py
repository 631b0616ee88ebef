"""The one computation behind every metric: the counts at each distinct score of a defective pixel.

Only there can the true positives, the recall or the region overlap change. Going down from the highest score, point k
leads from ``(fp_above[k], tp_above[k])`` to ``(fp[k], tp[k])``; between two points only false positives are added. So
normal scores need to be sorted but never ranked one by one, and the integrals below are sums over points.

All arrays end in the axis of points, (..., K), so one call serves one test set or a thousand resamples of it.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OperatingPoints:
    """Counts of ``score >= threshold`` at the distinct defective scores, highest first.

    A point is *mixed* where it stands for an interval of scores (a histogram bin) whose inner order is not known.

    Attributes:
        threshold: (K,) the score; of a mixed point the lowest one in its interval.
        fp_above: (..., K) false positives above the point: normals that score above it.
        fp: (..., K) false positives at the point: normals that score in it or above.
        tp: (..., K) true positives at the point: defectives that score in it or above.
        overlap: (..., K) mean over regions of the share of a region that scores in it or above, in [0, 1].
        normals: (...) number of normals.
        mixed: bool (K,), or False for all.
    """

    threshold: np.ndarray
    fp_above: np.ndarray
    fp: np.ndarray
    tp: np.ndarray
    overlap: np.ndarray
    normals: np.ndarray | int
    mixed: np.ndarray | bool = False

    @property
    def tp_above(self) -> np.ndarray:
        """(..., K) true positives above the point: those at the point before."""
        return shifted(self.tp)


def exact_points(normal: np.ndarray, defective: np.ndarray, weights: np.ndarray | None = None) -> OperatingPoints:
    """The operating points of scores themselves, ties merged; none is mixed.

    Args:
        normal: (N,) scores of normal samples, ascending.
        defective: (P,) scores of defective samples in any order.
        weights: (P,) weight of each in ``overlap``, above 0; equal weights where None.

    Raises:
        ValueError: if there is no normal or no defective sample.
    """
    check_classes(normal.size, defective.size)
    order = np.argsort(defective)[::-1]
    ranked = defective[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of each group of ties
    threshold, tp = ranked[last], last + 1.0
    summed = tp if weights is None else np.cumsum(weights[order])[last]
    return OperatingPoints(
        threshold=threshold,
        fp_above=normal.size - np.searchsorted(normal, threshold, side="right").astype(np.float64),
        fp=normal.size - np.searchsorted(normal, threshold, side="left").astype(np.float64),
        tp=tp,
        overlap=summed / summed[-1],
        normals=normal.size,
    )


def check_classes(normals: int, defectives: int) -> None:
    """Refuse a set that lacks a class.

    Args:
        normals: number of normal samples.
        defectives: number of defective samples.

    Raises:
        ValueError: if either is 0.
    """
    if not normals:
        raise ValueError("no normal pixel or image: false positives cannot be counted; add defect-free images")
    if not defectives:
        raise ValueError("no defective pixel, region or image: recall cannot be measured; add images with defects")


def shifted(cumulative: np.ndarray) -> np.ndarray:
    """The value before each point.

    Args:
        cumulative: (..., K) sums, of any unit.

    Returns:
        (..., K), moved by one, with 0 in front.
    """
    return np.concatenate([np.zeros_like(cumulative[..., :1]), cumulative[..., :-1]], axis=-1)


def area_under(points: OperatingPoints, height: np.ndarray, fpr_limit: float = 1.0) -> np.ndarray:
    """Area under ``height`` over FPR from 0 to the limit, divided by the limit.

    The curve starts at (0, 0), is straight from point to point, and is interpolated at the limit. With recall as the
    height this is AUROC, with the overlap it is PRO.

    Args:
        points: the operating points.
        height: (..., K) in [0, 1], the curve's value at each point.
        fpr_limit: in (0, 1].

    Returns:
        (...) in [0, 1].
    """
    limit = np.asarray(fpr_limit * points.normals)[..., None]
    start, end = np.minimum(points.fp_above, limit), np.minimum(points.fp, limit)
    before = shifted(height)
    flat = before * (start - shifted(end))
    width = np.maximum(points.fp - points.fp_above, 1)
    slope = (end - start) * (before + (height - before) * (end - start) / (2 * width))
    rest = height[..., -1] * (limit[..., 0] - end[..., -1])
    return ((flat + slope).sum(axis=-1) + rest) / limit[..., 0]


def roc_area(points: OperatingPoints) -> np.ndarray:
    """AUROC: the area under the ROC curve, ties counted half; (...) in [0, 1]."""
    return area_under(points, points.tp / points.tp[..., -1:])


def pro_area(points: OperatingPoints, fpr_limit: float) -> np.ndarray:
    """PRO: the normalised area under the per-region overlap curve up to the FPR limit in (0, 1]; (...) in [0, 1]."""
    return area_under(points, points.overlap, fpr_limit)


def mean_precision(points: OperatingPoints) -> np.ndarray:
    """AP: the sum over points of recall gained times precision there, without interpolation; (...) in [0, 1].

    In a mixed point normals and defectives are taken as evenly shuffled: the mean of the precision at its first and
    at its last defective.
    """
    gained = points.tp - points.tp_above
    precision = count_ratio(points.tp, points.tp + points.fp)
    if np.any(points.mixed):
        spaced = (points.fp - points.fp_above) / (gained + 1)  # normals between two defectives of the point
        first = count_ratio(points.tp_above + 1, points.tp_above + 1 + points.fp_above + spaced)
        last = count_ratio(points.tp, points.tp + points.fp_above + gained * spaced)
        precision = np.where(points.mixed, (first + last) / 2, precision)
    return (gained * precision).sum(axis=-1) / points.tp[..., -1]


def f1_scores(points: OperatingPoints) -> np.ndarray:
    """F1 of ``score >= threshold`` at each point: 2 TP / (2 TP + FP + FN); (..., K) in [0, 1]."""
    return 2 * points.tp / (points.tp + points.fp + points.tp[..., -1:])


def count_ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole`` of counts, in [0, 1]; 0 where both are 0."""
    return part / np.maximum(whole, 1)
