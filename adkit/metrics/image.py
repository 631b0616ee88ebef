"""Metrics of plain labels and scores (one a sample), and of predictions already made.

Sources: Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982 (AUROC); Manning,
Raghavan and Schütze, "Introduction to Information Retrieval", 2008, sections 8.3 and 8.4 (F1, average precision; here
without interpolation, as in scikit-learn); Everingham et al., "The PASCAL Visual Object Classes Challenge", IJCV 2010
(IoU).
"""

from dataclasses import dataclass

import numpy as np

from adkit.metrics import operating_points as formulas
from adkit.metrics.inputs import Images, as_flat, as_scores, as_truth, check_finite
from adkit.metrics.operating_points import OperatingPoints, exact_points


@dataclass(frozen=True)
class ImageMetrics:
    """Detection of defective images. ``f1_max`` is an oracle: its threshold was chosen with the truth in hand.

    Attributes:
        auroc: area under the ROC curve, in [0, 1].
        ap: average precision, in [0, 1].
        f1_max: best F1 over all thresholds, in [0, 1].
        f1_threshold: the score that reaches it, ``score >= f1_threshold``.
        n_normal: number of normal images.
        n_defective: number of defective images.
    """

    auroc: float
    ap: float
    f1_max: float
    f1_threshold: float
    n_normal: int
    n_defective: int


def labelled_points(labels: Images, scores: Images) -> OperatingPoints:
    """The operating points of labels and scores.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays; 1 = anomalous.
        scores: of the same shape; higher = more anomalous.

    Raises:
        ValueError: as ``auroc``.
    """
    labels, scores = as_flat(labels, scores)
    scores = as_scores(scores)
    check_finite(scores)
    return exact_points(np.sort(scores[~labels]), scores[labels])


def image_metrics(labels: Images, scores: Images) -> ImageMetrics:
    """AUROC, AP and F1-max of image scores.

    Args:
        labels: (N,) 0 and 1 or bool, 1 = anomalous.
        scores: (N,) float, higher = more anomalous.

    Raises:
        ValueError: as ``auroc``.

    Example:
        >>> image_metrics([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).auroc
        0.75
    """
    points = labelled_points(labels, scores)
    f1_values = formulas.f1_scores(points)
    best = int(f1_values.argmax())
    return ImageMetrics(
        auroc=float(formulas.roc_area(points)),
        ap=float(formulas.mean_precision(points)),
        f1_max=float(f1_values[best]),
        f1_threshold=float(points.threshold[best]),
        n_normal=int(points.normals),
        n_defective=int(points.tp[-1]),
    )


def auroc(labels: Images, scores: Images) -> float:
    """Area under the ROC curve: the chance that a defective sample scores above a normal one, ties counted half.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays.
        scores: of the same shape; higher = more anomalous.

    Returns:
        A number in [0, 1]; chance is 0.5.

    Raises:
        ValueError: if sizes differ, a class is missing, labels are not binary, or a score is NaN or infinite.

    Example:
        >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    return float(formulas.roc_area(labelled_points(labels, scores)))


def average_precision(labels: Images, scores: Images) -> float:
    """Average precision: the sum over thresholds of recall gained times precision, without interpolation.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays.
        scores: of the same shape; higher = more anomalous.

    Returns:
        A number in [0, 1]; chance is the share of 1 among the labels.

    Raises:
        ValueError: as ``auroc``.

    Example:
        >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
        0.8333
    """
    return float(formulas.mean_precision(labelled_points(labels, scores)))


def f1_max(labels: Images, scores: Images) -> float:
    """The best F1 over all thresholds: an **oracle**, for nobody may choose a threshold on the test set's truth.

    Report it beside the F1 at a threshold from validation normals; the gap is what a better threshold could gain.
    ``adkit.scoring.thresholds.f1_oracle`` gives the threshold.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays.
        scores: of the same shape; higher = more anomalous.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: as ``auroc``.

    Example:
        >>> f1_max([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.8
    """
    return float(formulas.f1_scores(labelled_points(labels, scores)).max())


def f1(labels: Images, predictions: Images) -> float:
    """F1 of predictions already made: 2 TP / (2 TP + FP + FN).

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays (labels of images, or masks).
        predictions: of the same shape, 0 and 1 or bool.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if sizes differ, values are not binary, or no label is 1.

    Example:
        >>> f1([0, 1, 1], [0, 1, 0]) == 2 / 3
        True
    """
    both, either, labelled = _agreement(labels, predictions, "labels")
    if not labelled:
        raise ValueError("labels hold no 1: F1 of the defective class is not defined without a defective sample")
    return 2 * both / (both + either)


def iou(masks: Images, predictions: Images) -> float:
    """Intersection over union of all predicted and all true defective pixels of the whole set.

    Args:
        masks: bool, of any shape, or a list of arrays.
        predictions: of the same shape, bool or 0 and 1.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if sizes differ, values are not binary, or both are empty everywhere.

    Example:
        >>> iou([[0, 1, 1, 1]], [[1, 1, 1, 0]])
        0.5
    """
    both, either, _ = _agreement(masks, predictions, "masks")
    if not either:
        raise ValueError("masks and predictions are both empty: their IoU is not defined")
    return both / either


def _agreement(truth: Images, predictions: Images, name: str) -> tuple[int, int, int]:
    """How many are positive in both, in either, in the truth."""
    truth, predictions = as_flat(truth, predictions, (name, "predictions"))
    predictions = as_truth(predictions, "predictions")
    both, either = np.count_nonzero(truth & predictions), np.count_nonzero(truth | predictions)
    return int(both), int(either), int(np.count_nonzero(truth))
