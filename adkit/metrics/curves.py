"""Points of the ROC, PRO and precision-recall curves, for figures."""

import numpy as np

from adkit.metrics.components import collect_pixels
from adkit.metrics.image import steps_of
from adkit.metrics.inputs import Images
from adkit.metrics.operating_points import Steps, exact_steps, shifted

Curve = tuple[np.ndarray, np.ndarray, np.ndarray]


def roc_curve(labels: Images, scores: Images, points: int | None = None) -> Curve:
    """ROC curve of labels and scores, or of masks and maps.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays.
        scores: of the same shape; higher = more anomalous.
        points: at most so many points, spread evenly along the curve; None: every corner of it.

    Returns:
        FPR and TPR, both rising from 0 to 1, and the thresholds of ``score >= threshold`` that reach them.

    Raises:
        ValueError: if sizes differ, a class is missing, labels are not binary, a score is NaN or infinite, or
            ``points`` is below 2.

    Example:
        >>> fpr, tpr, thresholds = roc_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8])
        >>> fpr.tolist(), tpr.tolist()
        ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    steps = steps_of(labels, scores)
    return thin(*_corners(steps, steps.tp / steps.tp[-1]), points)


def pro_curve(masks: Images, maps: Images, points: int | None = None) -> Curve:
    """Per-region overlap over the false positive rate.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes.
        points: at most so many points, spread evenly along the curve; None: every corner of it.

    Returns:
        FPR and mean region overlap, both rising from 0 to 1, and the thresholds of ``score >= threshold``.

    Raises:
        ValueError: as ``pixel_metrics``, or if ``points`` is below 2.

    Example:
        >>> fpr, pro, thresholds = pro_curve(np.array([[[0, 0, 1, 1]]]), np.array([[[0.1, 0.2, 0.2, 0.9]]]))
        >>> fpr.tolist(), pro.tolist()
        ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    pixels = collect_pixels(masks, maps)
    steps = exact_steps(pixels.normal, pixels.defective, pixels.weights)
    return thin(*_corners(steps, steps.overlap), points)


def pr_curve(labels: Images, scores: Images, points: int | None = None) -> Curve:
    """Precision over recall, one point a step; draw it as steps, since straight lines between points flatter.

    Args and Raises are those of ``roc_curve``.

    Returns:
        Recall, rising to 1; precision; and the thresholds of ``score >= threshold``.

    Example:
        >>> recall, precision, thresholds = pr_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8])
        >>> recall.tolist(), precision.round(2).tolist(), thresholds.tolist()
        ([0.5, 1.0], [1.0, 0.67], [0.8, 0.4])
    """
    steps = steps_of(labels, scores)
    return thin(steps.tp / steps.tp[-1], steps.tp / (steps.tp + steps.fp), steps.threshold.astype(np.float64), points)


def thin(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray, points: int | None) -> Curve:
    """Keep at most ``points`` points at equal distances along the curve, always the first and the last.

    Raises:
        ValueError: if ``points`` is below 2.
    """
    if points is None:
        return x, y, thresholds
    if points < 2:
        raise ValueError(f"points must be at least 2 (the two ends of the curve), got {points}")
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    nearest = np.searchsorted(length, np.linspace(0.0, length[-1], points)[:-1])
    keep = np.union1d(nearest, [x.size - 1])
    return x[keep], y[keep], thresholds[keep]


def _corners(steps: Steps, height: np.ndarray) -> Curve:
    """Both ends of every step, from (0, 0) to (1, 1), without repetition."""
    after = steps.threshold.astype(np.float64)
    before = np.nextafter(after, np.inf)  # reaches all that score above the step
    fp = np.concatenate([[0.0], np.stack([steps.fp_above, steps.fp], axis=1).ravel(), [float(steps.normals)]])
    y = np.concatenate([[0.0], np.stack([shifted(height), height], axis=1).ravel(), [1.0]])
    thresholds = np.concatenate([[np.inf], np.stack([before, after], axis=1).ravel(), [-np.inf]])
    new = np.append(True, (np.diff(fp) > 0) | (np.diff(y) > 0))
    return fp[new] / steps.normals, y[new], thresholds[new]
