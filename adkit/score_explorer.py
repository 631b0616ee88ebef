"""Scores of normal and defective images with a threshold to move: what it finds, and what it costs."""

from collections.abc import Sequence

import numpy as np

from adkit.explore import Explorer, explorer
from adkit.figures.scores import score_histograms
from adkit.figures.style import Drawing, to_array


def rates(normal: Sequence[float], defective: Sequence[float], threshold: float) -> dict[str, float]:
    """What a threshold does: recall, false positive rate, precision and F1, 0 where nothing is flagged.

    Args:
        normal: scores of normal images.
        defective: scores of defective images.
        threshold: a score of at least this is flagged.

    Example:
        >>> rates([0.1, 0.4], [0.3, 0.8], threshold=0.4)
        {'recall': 0.5, 'false positive rate': 0.5, 'precision': 0.5, 'F1': 0.5}
    """
    hits, alarms = (int((to_array(scores) >= threshold).sum()) for scores in (defective, normal))
    return {
        "recall": hits / len(defective),
        "false positive rate": alarms / len(normal),
        "precision": hits / max(hits + alarms, 1),
        "F1": 2 * hits / (hits + alarms + len(defective)),
    }


def score_explorer(
    normal: Sequence[float], defective: Sequence[float], threshold: float, interactive: bool = True
) -> Explorer:
    """Move the threshold over the histograms of the scores and read recall, false positives, precision and F1.

    Args:
        normal: scores of normal images.
        defective: scores of defective images.
        threshold: where to start.
        interactive: see :func:`adkit.explore.explorer`.

    Raises:
        ValueError: if a group has no scores.

    Example:
        >>> made = score_explorer([1.0, 2.0, 3.0], [2.5, 5.0], threshold=2.8, interactive=False)
        >>> made.static.axes.size
        3
    """
    normal, defective = to_array(normal), to_array(defective)
    if not (len(normal) and len(defective)):
        raise ValueError(f"expected scores of both groups, got {len(normal)} normal and {len(defective)} defective")

    def draw(threshold: float) -> Drawing:
        drawing = score_histograms(normal, defective, threshold)
        words = [f"{name} {value:.2f}" for name, value in rates(normal, defective, threshold).items()]
        drawing.axes[0].set_title(", ".join(words), loc="left", fontsize=9)
        return drawing

    everything = np.concatenate([normal, defective, [threshold]])
    low, high = float(everything.min()), float(everything.max())
    middle = float(np.median(normal))
    static = [{"threshold": value} for value in (middle, threshold, (threshold + high) / 2)]
    return explorer(draw, {"threshold": (low, high, (high - low) / 200 or 1.0, threshold)}, static, interactive)
