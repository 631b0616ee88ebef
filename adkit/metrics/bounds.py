"""Bounds that no order of the scores inside mixed steps can break.

A mixed step leads from ``(fp_above, tp_above)`` to ``(fp, tp)`` by a path that is not known but never falls, so it
lies in the rectangle between these two points. Each metric is a sum (or a maximum) over steps; taking the worst and
the best corner path in each rectangle bounds it.
"""

from dataclasses import replace

import numpy as np

from adkit.metrics.operating_points import Steps, area_under, f1_scores, ratio

SLACK = 1e-9  # rounding of sums, and of overlap shares kept in units of 2**-32


def metric_bounds(steps: Steps, fpr_limit: float) -> dict[str, tuple[float, float]]:
    """Lowest and highest possible AUROC, AP, PRO and F1-max of steps."""
    recall = steps.tp / steps.tp[-1]
    both = {
        "auroc": _area_bounds(steps, recall, 1.0),
        "ap": _precision_bounds(steps),
        "pro": _area_bounds(steps, steps.overlap, fpr_limit),
        "f1_max": _f1_bounds(steps),
    }
    return {name: (max(0.0, float(low) - SLACK), min(1.0, float(high) + SLACK)) for name, (low, high) in both.items()}


def _area_bounds(steps: Steps, height: np.ndarray, fpr_limit: float) -> tuple[float, float]:
    """Lowest: all normals of a mixed step score above its defectives; highest: all score below."""
    late = replace(steps, fp_above=np.where(steps.mixed, steps.fp, steps.fp_above))
    early = replace(steps, fp=np.where(steps.mixed, steps.fp_above, steps.fp))
    return area_under(late, height, fpr_limit), area_under(early, height, fpr_limit)


def _precision_bounds(steps: Steps) -> tuple[float, float]:
    """Lowest: all normals first, then one defective after another; highest: all defectives first, in one tie.

    The precision of the i-th defective is concave in i, so the sum over i is at least the mean of both ends.
    """
    gained = steps.tp - steps.tp_above
    precision = ratio(steps.tp, steps.tp + steps.fp)
    first = ratio(steps.tp_above + 1, steps.tp_above + 1 + steps.fp)
    lowest = np.where(steps.mixed, (first + precision) / 2, precision)
    highest = np.where(steps.mixed, ratio(steps.tp, steps.tp + steps.fp_above), precision)
    return (gained * lowest).sum() / steps.tp[-1], (gained * highest).sum() / steps.tp[-1]


def _f1_bounds(steps: Steps) -> tuple[float, float]:
    """The end of each step is a real threshold; inside, at best all defectives and no normal of it are found."""
    found = np.where(steps.mixed, steps.fp_above, steps.fp)
    return f1_scores(steps).max(), (2 * steps.tp / (steps.tp + found + steps.tp[-1])).max()
