"""Exercises of notebook 06b: what two stages report, what they cost, and a threshold from an unlabelled archive."""

import numpy as np

from adkit.course.answers import Exercise


def reported(suspicious: np.ndarray, named: np.ndarray, dismiss: bool) -> np.ndarray:
    """Which images two stages report: those that stage 1 flags and stage 2, where it may, does not call good."""
    return suspicious & (named != "good") if dismiss else suspicious


FLAGS, NAMES = np.array([True, True, False, False]), np.array(["spike", "good", "drift", "good"])

EXERCISES = {
    "1": Exercise(
        reported,
        hint="Stage 2 sees only what stage 1 has flagged. So without the right to dismiss, it changes no flag at all.",
        solution="""
def my_reported(suspicious, named, dismiss):
    if not dismiss:
        return suspicious
    return suspicious & (named != "good")
""",
        cases=[(FLAGS, NAMES, False), (FLAGS, NAMES, True), (~FLAGS, NAMES, True)],
        why="The two together can never report more than stage 1 alone.",
    ),
    "2": Exercise(
        2.6,
        hint="Every plot goes through stage 1. How many of them go on?",
        solution="my_milliseconds = 2 + 0.1 * 6",
        wrong=[
            (8, "this is what both stages cost if every plot goes through both"),
            (0.8, "every plot goes through stage 1, only one in ten through stage 2"),
        ],
    ),
    "3": Exercise(
        3 / 98,
        hint="Sort 100 plots by their error. Which are the five above the threshold, and how many of them are normal?",
        solution="my_rate = 3 / 98  # above lie 5 of 100 plots: the 2 anomalous ones, and 3 of the 98 normal ones",
        tolerance=1e-4,
        why="At 5 % anomalous plots, no normal one is flagged any more, and from there on anomalous ones pass.",
        wrong=[
            (0.05, "that would be so if the archive were clean"),
            (0.03, "of all plots; what is asked for is a share of the normal ones"),
            (0.02, "that is the share of the anomalous plots"),
        ],
    ),
}
