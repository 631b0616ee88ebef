"""Exercises of notebook 07b: when to stop, how wide the scores are, and what an interval says."""

from collections.abc import Sequence

import numpy as np

from adkit.course.answers import Exercise


def stop(scores: Sequence[float], patience: int) -> int:
    """Number of the validation whose weights are kept when training stops after so many without a better score."""
    best = 0
    for now, score in enumerate(scores):
        if score > scores[best]:
            best = now
        elif now - best >= patience:
            break
    return best


def width(scores: Sequence[float]) -> float:
    """Width of a set of scores, from their 5th to their 95th percentile, by their median."""
    low, middle, high = np.percentile(scores, [5, 50, 95])
    return float((high - low) / middle)


def says(low: float, high: float) -> str:
    """What the interval of a difference says of a change."""
    return "helps" if low > 0 else "harms" if high < 0 else "not shown"


EXERCISES = {
    "1": Exercise(
        stop,
        hint="Keep two numbers: where the best score so far was, and how many validations have passed since.",
        solution="""
def my_stopping(scores, patience):
    best = 0
    for now in range(len(scores)):
        if scores[now] > scores[best]:
            best = now
        elif now - best >= patience:
            break
    return best
""",
        cases=[
            ([0.5, 0.6, 0.7, 0.69, 0.68, 0.9], 2),
            ([0.5, 0.6, 0.7, 0.69, 0.68, 0.9], 4),
            ([0.7, 0.6, 0.5], 1),
            ([0.1, 0.2, 0.3], 1),
        ],
        why="Patience is a bet: the first case gives away the 0.9 that a little more patience would have found.",
    ),
    "2": Exercise(
        width,
        hint="`np.percentile(scores, [5, 50, 95])` gives the three numbers that you need.",
        solution="""
def my_width(scores):
    low, middle, high = np.percentile(scores, [5, 50, 95])
    return (high - low) / middle
""",
        cases=[([1.0, 2.0, 3.0, 4.0, 5.0],), ([2.0] * 4,), (list(range(1, 102)),)],
        why="It has no unit, so the scores of differently smoothed maps can be compared.",
    ),
    "3": Exercise(
        says,
        hint="Where does 0 lie: below the interval, above it, or inside?",
        solution="""
def my_verdict(low, high):
    if low > 0:
        return "helps"
    if high < 0:
        return "harms"
    return "not shown"
""",
        cases=[(0.01, 0.09), (-0.08, -0.02), (-0.01, 0.12)],
        why="An interval with 0 in it does not say that the change does nothing: it may, and this test cannot tell.",
    ),
}
