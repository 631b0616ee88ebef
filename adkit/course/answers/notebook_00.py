"""Exercises of notebook 00."""

import numpy as np

from adkit.course.answers import Exercise


def iou(predicted, true) -> float:
    """Pixels in both masks over pixels in either."""
    predicted, true = np.asarray(predicted, dtype=bool), np.asarray(true, dtype=bool)
    return float((predicted & true).sum() / (predicted | true).sum())


def highest(a_map) -> float:
    """The image score: the highest value of a map."""
    return float(np.asarray(a_map).max())


def flagged(scores, threshold) -> int:
    """How many images reach the threshold."""
    return int(sum(score >= threshold for score in scores))


LEFT, RIGHT = np.eye(4) > 0, np.tri(4) > 0
EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        highest,
        "one pixel is enough to make a piece of cloth defective: which one?",
        "my_score = a_map.max()",
        tolerance=1e-5,
        given=["a_map"],
        why="One bright spot decides. That finds the smallest defect, and the noisiest pixel.",
    ),
    "2": Exercise(
        flagged,
        "compare each score with the threshold, and count",
        "my_count = sum(score >= detector.threshold for score in validation_scores)",
        given=["scores", "threshold"],
        why="The 95th percentile leaves about 5 % of the images it was made of above it: about 2 of 40.",
    ),
    "3": Exercise(
        iou,
        "& gives the pixels in both masks, | those in either; .sum() counts",
        "def my_iou(predicted, true):\n    return (predicted & true).sum() / (predicted | true).sum()",
        cases=[(LEFT, RIGHT), (RIGHT, LEFT), (LEFT, LEFT), (LEFT, ~RIGHT)],
        why="A mask of twice the right area has an IoU of at most one half, however well it covers the defect.",
    ),
}
