"""Exercises of notebook 08: their solutions are right, and near misses are not."""

import numpy as np
import pytest

from adkit.course.answers import exercise_of
from adkit.course.answers.notebook_08 import needed_distance, otsu, residual_ratio
from adkit.course.checks import problem_of
from adkit.scoring import thresholds

LINE = 2 * 60 / (176 * 976)


def solved(identifier: str):
    """What the solution of an exercise leaves behind."""
    left = {"np": np}
    exec(exercise_of(identifier).solution, left)
    return left


def problem(identifier: str, answer, **given) -> str:
    exercise = exercise_of(identifier)
    return problem_of(exercise, answer, exercise.answer(given))


@pytest.mark.parametrize(("identifier", "name"), [("08.1", "otsu"), ("08.2", "residual_ratio")])
def test_solutions_are_right_and_stubs_are_not(identifier, name):
    assert problem(identifier, solved(identifier)[name]) == ""
    assert problem(identifier, lambda *_: 0.0) != ""
    assert problem(identifier, None) == "there is no answer yet"


def test_otsu_is_that_of_the_library():
    for values in (np.random.default_rng(0).normal(size=500), np.array([0.0, 1.0, 10.0, 11.0])):
        assert otsu(values) == pytest.approx(thresholds.otsu(values))


def test_other_cuts_than_otsus_are_wrong():
    assert problem("08.1", np.median) != ""
    assert problem("08.1", lambda values: (values.min() + values.max()) / 2) != ""
    assert problem("08.1", lambda values: otsu(values) + 0.01) != ""


def test_the_gain_counts_squared():
    def once(shift, share, gain, variance):
        return ((1 - share) * shift) ** 2 / variance + gain

    assert "too high" in problem("08.2", once)
    assert residual_ratio(-0.1, 1.0, 0.8, 0.002) == pytest.approx(0.64)


def test_the_distance_follows_the_share_and_its_square_is_named():
    assert problem("08.3", solved("08.3")["my_distance"], share=LINE) == ""
    assert problem("08.3", needed_distance(LINE) ** 2, share=LINE).startswith("this is the square")
    assert problem("08.3", 10.0, share=LINE) == "it is too low"
