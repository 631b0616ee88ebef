"""Metrics of plain labels and scores (one a sample), and of predictions already made."""

from dataclasses import dataclass

import numpy as np

from adkit.metrics import operating_points as formulas
from adkit.metrics.inputs import Images, as_flat, as_scores, as_truth, check_finite
from adkit.metrics.operating_points import Steps, exact_steps


@dataclass(frozen=True)
class ImageMetrics:
    """Detection of defective images. ``f1_max`` is an oracle: its threshold was chosen with the truth in hand."""

    auroc: float
    ap: float
    f1_max: float
    f1_threshold: float
    n_normal: int
    n_defective: int


def steps_of(labels: Images, scores: Images) -> Steps:
    """Steps of labels and scores of any equal shape.

    Raises:
        ValueError: as ``auroc``.
    """
    labels, scores = as_flat(labels, scores)
    scores = as_scores(scores)
    check_finite(scores)
    return exact_steps(np.sort(scores[~labels]), scores[labels])


def image_metrics(labels: Images, scores: Images) -> ImageMetrics:
    """AUROC, AP and F1-max of image scores.

    Args:
        labels: (N,) 1 = anomalous.
        scores: (N,) higher = more anomalous.

    Raises:
        ValueError: as ``auroc``.

    Example:
        >>> image_metrics([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).auroc
        0.75
    """
    steps = steps_of(labels, scores)
    f1_values = formulas.f1_scores(steps)
    best = int(f1_values.argmax())
    return ImageMetrics(
        auroc=float(formulas.auroc(steps)),
        ap=float(formulas.average_precision(steps)),
        f1_max=float(f1_values[best]),
        f1_threshold=float(steps.threshold[best]),
        n_normal=int(steps.normals),
        n_defective=int(steps.tp[-1]),
    )


def auroc(labels: Images, scores: Images) -> float:
    """Area under the ROC curve: the chance that a defective sample scores above a normal one, ties counted half.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays.
        scores: of the same shape; higher = more anomalous.

    Raises:
        ValueError: if sizes differ, a class is missing, labels are not binary, or a score is NaN or infinite.

    Example:
        >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    return float(formulas.auroc(steps_of(labels, scores)))


def average_precision(labels: Images, scores: Images) -> float:
    """Average precision: the sum over thresholds of recall gained times precision, without interpolation.

    Args and Raises are those of ``auroc``.

    Example:
        >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
        0.8333
    """
    return float(formulas.average_precision(steps_of(labels, scores)))


def f1_max(labels: Images, scores: Images) -> float:
    """The best F1 over all thresholds: an **oracle**, for nobody may choose a threshold on the test set's truth.

    Report it beside the F1 at a threshold from validation normals; the gap is what a better threshold could gain.
    ``adkit.scoring.thresholds.f1_oracle`` gives the threshold. Args and Raises are those of ``auroc``.

    Example:
        >>> f1_max([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.8
    """
    return float(formulas.f1_scores(steps_of(labels, scores)).max())


def f1(labels: Images, predictions: Images) -> float:
    """F1 of predictions already made: 2 TP / (2 TP + FP + FN).

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays (labels of images, or masks).
        predictions: of the same shape, 0 and 1 or bool.

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
