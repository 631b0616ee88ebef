"""Exercises of notebook 11: a paired bootstrap, Holm's correction, and what luck finds among equal methods."""

from collections.abc import Sequence

import numpy as np

from adkit.course.answers import Exercise
from adkit.metrics.significance import holm


def paired_differences(a: np.ndarray, b: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The difference of two means on each draw of frames, the same frames for both.

    Args:
        a: (N,) a number of each frame, of the first method.
        b: (N,) the same of the second method.
        rows: (n, N) numbers of the frames of each draw.

    Returns:
        (n,).
    """
    a, b, rows = np.asarray(a), np.asarray(b), np.asarray(rows)
    return a[rows].mean(axis=1) - b[rows].mean(axis=1)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given.

    Args:
        p_values: of all comparisons of a family.
    """
    return list(holm(dict(enumerate(p_values))).values())


_FRAMES = np.random.default_rng(11)
_A, _B = _FRAMES.random((2, 8))
_ROWS = _FRAMES.integers(8, size=(5, 8))

EXERCISES = {
    "1": Exercise(
        paired_differences,
        hint="`a[rows]` has the shape of `rows`: the frames of each draw. Which mean of it is one number per draw?",
        solution="""
def my_differences(a, b, rows):
    return a[rows].mean(axis=1) - b[rows].mean(axis=1)  # the same rows for both
""",
        cases=[(_A, _B, _ROWS), (_A, _A, _ROWS), (_A, _A - 0.5, _ROWS)],
        why="A method minus itself is 0 on every draw: what the frames do to both falls out of a paired difference.",
    ),
    "2": Exercise(
        adjusted,
        hint="Go through `sorted(range(len(p)), key=lambda i: p[i])`. The smallest is multiplied by their number, the "
        "next by one less, and so on; none may be smaller than the one before, none larger than 1.",
        solution="""
def my_holm(p):
    found, highest = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[i]))
        found[i] = highest
    return found
""",
        cases=[([0.01, 0.04, 0.03],), ([0.5, 0.001, 0.4, 0.02],), ([0.04],), ([0.02, 0.02, 0.02],)],
        why="Bonferroni multiplies every p-value by their number; Holm finds at least as much, at the same risk.",
    ),
    "3": Exercise(
        1 - 0.95**14,
        hint="How probable is it that none of the 14 intervals excludes 0? They are independent here.",
        solution="my_luck = 1 - 0.95**14",
        tolerance=5e-3,
        why="More likely than not: fourteen looks without a correction are a coin toss.",
        wrong=[
            (0.7, "this is how many such finds there are on average, 14 · 0.05; a probability is asked for"),
            (0.05, "this is the risk of one look; there are fourteen"),
            (0.95**14, "this is the probability that there is no such find"),
        ],
    ),
}
