"""The exercises of notebook 13: each solution is right, each known mistake is named, nothing is given away."""

import math

import pytest

from adkit.course.answers.notebook_13 import EXERCISES
from adkit.course.checks import problem_of

CUTS = [
    {"normal": 40, "alarms": 4, "anomalous": 60, "found": 30},
    {"normal": 40, "alarms": 2, "anomalous": 60, "found": 24},
    {"normal": 40, "alarms": 0, "anomalous": 60, "found": 6},
]
ASKED = {"1": "my_pieces", "2": "my_tiles", "3": "my_cost"}


@pytest.mark.parametrize("number", EXERCISES)
def test_the_solution_is_right_and_the_known_mistakes_are_not(number):
    exercise = EXERCISES[number]
    expected = exercise.answer({"cuts": CUTS} if exercise.given else {})
    namespace = {"math": math, "cuts": CUTS}
    exec(exercise.solution, namespace)
    assert problem_of(exercise, namespace[ASKED[number]], expected) == ""
    for wrong, why in exercise.wrong:
        assert problem_of(exercise, wrong, expected) == why
    assert str(expected) not in exercise.hint


def test_the_answers_are_what_a_slow_count_gives():
    assert EXERCISES["1"].expected == next(n for n in range(1, 999) if 0.95**n <= 0.05)
    starts = [range(0, 1 + side, 96) for side in (176 - 128 + 95, 976 - 128 + 95)]
    assert EXERCISES["2"].expected == len(starts[0]) * len(starts[1])
    costs = [0.99 * 2 * 4 / 40 + 0.5 * 30 / 60, 0.99 * 2 * 2 / 40 + 0.5 * 36 / 60, 0.5 * 54 / 60]
    assert EXERCISES["3"].expected(CUTS) == pytest.approx(min(costs))
