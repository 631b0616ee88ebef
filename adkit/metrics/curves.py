"""Points of the ROC, PRO and precision-recall curves, for figures.

Sources: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 2006; Bergmann et al., "The MVTec
Anomaly Detection Dataset", IJCV 2021, section 5 (PRO); Davis and Goadrich, "The Relationship Between Precision-Recall
and ROC Curves", ICML 2006 (why straight lines between points of the former flatter).
"""

import numpy as np

from adkit.metrics.components import collect_pixels
from adkit.metrics.image import labelled_points
from adkit.metrics.inputs import Images
from adkit.metrics.operating_points import OperatingPoints, exact_points, shifted

Curve = tuple[np.ndarray, np.ndarray, np.ndarray]


def roc_curve(labels: Images, scores: Images, points: int | None = None) -> Curve:
    """ROC curve of labels and scores, or of masks and maps.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays; 1 = anomalous.
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
    exact = labelled_points(labels, scores)
    return thin(*_corners(exact, exact.tp / exact.tp[-1]), points)


def pro_curve(masks: Images, maps: Images, points: int | None = None) -> Curve:
    """Per-region overlap over the false positive rate.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes, higher = more anomalous.
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
    exact = exact_points(pixels.normal, pixels.defective, pixels.weights)
    return thin(*_corners(exact, exact.overlap), points)


def pr_curve(labels: Images, scores: Images, points: int | None = None) -> Curve:
    """Precision over recall, one point for each distinct defective score.

    Plot it as stairs: straight lines between the points flatter.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays; 1 = anomalous.
        scores: of the same shape; higher = more anomalous.
        points: at most so many points, at least 2, spread evenly along the curve; None: all of them.

    Returns:
        Recall, rising to 1; precision, in (0, 1]; and the thresholds of ``score >= threshold``.

    Raises:
        ValueError: as ``roc_curve``.

    Example:
        >>> recall, precision, thresholds = pr_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8])
        >>> recall.tolist(), precision.round(2).tolist(), thresholds.tolist()
        ([0.5, 1.0], [1.0, 0.67], [0.8, 0.4])
    """
    exact = labelled_points(labels, scores)
    return thin(exact.tp / exact.tp[-1], exact.tp / (exact.tp + exact.fp), exact.threshold.astype(np.float64), points)


def thin(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray, points: int | None) -> Curve:
    """Keep at most ``points`` points at equal distances along the curve, always the first and the last.

    Args:
        x: (K,) rising, in [0, 1].
        y: (K,) in [0, 1].
        thresholds: (K,)
        points: at most so many, at least 2; None: all.

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


def _corners(exact: OperatingPoints, height: np.ndarray) -> Curve:
    """Both ends of every operating point, from (0, 0) to (1, 1), without repetition."""
    after = exact.threshold.astype(np.float64)
    before = np.nextafter(after, np.inf)  # reaches all that score above the point
    fp = np.concatenate([[0.0], np.stack([exact.fp_above, exact.fp], axis=1).ravel(), [float(exact.normals)]])
    y = np.concatenate([[0.0], np.stack([shifted(height), height], axis=1).ravel(), [1.0]])
    thresholds = np.concatenate([[np.inf], np.stack([before, after], axis=1).ravel(), [-np.inf]])
    new = np.append(True, (np.diff(fp) > 0) | (np.diff(y) > 0))
    return fp[new] / exact.normals, y[new], thresholds[new]
