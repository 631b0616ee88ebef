"""Has a number stopped moving? A plateau test over epochs, and a watcher that gives training a score to test."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.defects import build_defects
from adkit.detectors.network import NetworkDetector
from adkit.metrics import auroc
from adkit.runtime import generator

FEWEST = 4  # values that a plateau test needs
SCORE = "synthetic_auroc"  # the key that `score_watcher` adds to the rows of a history


class Plateau(NamedTuple):
    """Whether a series has come to rest.

    Attributes:
        level: mean of its last half.
        drift: how far its last half still moves, by a straight line through it.
        noise: standard deviation about that line.
        flat: whether the drift is smaller than the tolerance, or than twice the noise.
        error: standard error of the drift, of independent scatter about the line; NaN of fewer than three values.
    """

    level: float
    drift: float
    noise: float
    flat: bool
    error: float = float("nan")


def plateau(values: Sequence[float], tolerance: float = 0.02) -> Plateau | None:
    """The plateau test: a straight line through the last half of the values. None where there are fewer than four.

    Args:
        values: one a validation, in order.
        tolerance: a drift up to here counts as rest, in the unit of the values.

    Example:
        >>> plateau([0.4, 0.5, 0.56, 0.57, 0.57, 0.57]).flat, plateau([0.4, 0.5, 0.6, 0.7, 0.8, 0.9]).flat
        (True, False)
    """
    if len(values) < FEWEST:
        return None
    last = np.asarray(values, dtype=float)[len(values) // 2 :]
    steps = np.arange(len(last))
    line = np.polynomial.Polynomial.fit(steps, last, 1) if len(last) > 1 else np.polynomial.Polynomial([last[0]])
    drift, noise = float(line(steps[-1]) - line(0)), float((last - line(steps)).std())
    return Plateau(float(last.mean()), drift, noise, abs(drift) <= max(tolerance, 2 * noise), _error(steps, noise))


def _error(steps: np.ndarray, noise: float) -> float:
    """Standard error of the difference between the ends of a straight line that was fitted to n values."""
    n = len(steps)
    if n < 3:
        return float("nan")
    # the residual variance has n - 2 degrees of freedom; the slope's variance is it by the sum of squares of the steps
    return float(noise * np.sqrt(n / (n - 2) / np.square(steps - steps.mean()).sum()) * (n - 1))


def score_watcher(detector: NetworkDetector, validation: AnomalyDataset, frames: int = 12) -> Callable[[dict], None]:
    """An ``on_validation`` for training that adds ``synthetic_auroc`` to every row of the history.

    It is the image AUROC of some validation normals against the same images with synthetic defects: a score over
    epochs that never looks at the test part.

    Args:
        detector: whose training is watched: ``detector.on_validation = score_watcher(detector, validation)``, then
            ``fit``.
        validation: normal images.
        frames: how many of them at most, evenly spaced.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(32, 64))
        >>> detector = AutoencoderDetector(width=4, steps=4, validate_every=2, crop=32, quiet=True)
        >>> detector.on_validation = score_watcher(detector, splits.validation)
        >>> history = detector.fit(splits.train, splits.validation).history
        >>> [0 <= row["synthetic_auroc"] <= 1 for row in history]
        [True, True]
    """
    defects = build_defects({"clean": 0.0})
    chosen = np.unique(np.linspace(0, len(validation) - 1, frames).round().astype(int)).tolist()
    items = [validation[i] for i in chosen]
    normal = [item["image"][None] for item in items]
    defective = [
        defects(item["image"][None], item["foreground"][None], generator(0, i))[0]
        for i, item in zip(chosen, items, strict=True)
    ]

    def watch(row: dict) -> None:
        scores = [_score(detector, image) for image in [*normal, *defective]]
        row[SCORE] = auroc([0] * len(normal) + [1] * len(defective), torch.cat(scores).tolist())

    return watch


def _score(detector: NetworkDetector, image: torch.Tensor) -> torch.Tensor:
    """The image score (1,) by the residual, also before the thresholds are set."""
    settings = detector.settings
    reconstructed = detector.reconstruct(image)
    maps = scoring.anomaly_map(
        image, reconstructed, getattr(settings, "residual", "l2"), getattr(settings, "smoothing", 4.0)
    )
    return scoring.image_score(maps, getattr(settings, "score", "max"))
