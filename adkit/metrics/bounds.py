"""Bounds that no order of the scores inside mixed operating points can break.

A mixed point leads from ``(fp_above, tp_above)`` to ``(fp, tp)`` by a path that is not known but never falls, so it
lies in the rectangle between these two points. Each metric is a sum (or a maximum) over points; taking the worst and
the best corner path in each rectangle bounds it.
"""

from dataclasses import replace

import numpy as np

from adkit.metrics.operating_points import OperatingPoints, area_under, count_ratio, f1_scores

# covers the rounding of sums, and of overlap shares that are kept in units of 2**-32
SLACK = 1e-9


def metric_bounds(points: OperatingPoints, fpr_limit: float) -> dict[str, tuple[float, float]]:
    """Lowest and highest possible AUROC, AP, PRO and F1-max.

    Args:
        points: the operating points.
        fpr_limit: of PRO, in (0, 1].

    Returns:
        ``auroc``, ``ap``, ``pro`` and ``f1_max`` → the lowest and the highest value, in [0, 1].
    """
    recall = points.tp / points.tp[-1]
    possible = {
        "auroc": _area_bounds(points, recall, 1.0),
        "ap": _precision_bounds(points),
        "pro": _area_bounds(points, points.overlap, fpr_limit),
        "f1_max": _f1_bounds(points),
    }
    return {name: (max(0.0, low - SLACK), min(1.0, high + SLACK)) for name, (low, high) in possible.items()}


def _area_bounds(points: OperatingPoints, height: np.ndarray, fpr_limit: float) -> tuple[float, float]:
    """Lowest: all normals of a mixed point score above its defectives; highest: all score below."""
    late = replace(points, fp_above=np.where(points.mixed, points.fp, points.fp_above))
    early = replace(points, fp=np.where(points.mixed, points.fp_above, points.fp))
    return float(area_under(late, height, fpr_limit)), float(area_under(early, height, fpr_limit))


def _precision_bounds(points: OperatingPoints) -> tuple[float, float]:
    """Lowest: all normals first, then one defective after another; highest: all defectives first, in one tie.

    The precision of the i-th defective is concave in i, so the sum over i is at least the mean of both ends.
    """
    gained = points.tp - points.tp_above
    precision = count_ratio(points.tp, points.tp + points.fp)
    first = count_ratio(points.tp_above + 1, points.tp_above + 1 + points.fp)
    lowest = np.where(points.mixed, (first + precision) / 2, precision)
    highest = np.where(points.mixed, count_ratio(points.tp, points.tp + points.fp_above), precision)
    total = points.tp[-1]
    return float((gained * lowest).sum() / total), float((gained * highest).sum() / total)


def _f1_bounds(points: OperatingPoints) -> tuple[float, float]:
    """Each point is a real threshold; inside its interval, at best all defectives and no normal of it are found."""
    false_positives = np.where(points.mixed, points.fp_above, points.fp)
    best_inside = 2 * points.tp / (points.tp + false_positives + points.tp[-1])
    return float(f1_scores(points).max()), float(best_inside.max())
