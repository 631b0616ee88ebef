"""Exercises of notebook 11: their solutions are right, near misses are told what is wrong."""

import numpy as np
import pytest

from adkit.course import checks
from adkit.course.answers import exercise_of

NAMES = {"11.1": "my_differences", "11.2": "my_holm", "11.3": "my_luck"}


def problem(identifier, yours):
    exercise = exercise_of(identifier)
    return checks.problem_of(exercise, yours, exercise.answer({}))


@pytest.mark.parametrize("identifier", NAMES)
def test_the_solution_is_right(identifier):
    space = {"np": np}
    exec(exercise_of(identifier).solution, space)  # the course's own text
    assert problem(identifier, space[NAMES[identifier]]) == ""


@pytest.mark.parametrize("identifier", NAMES)
def test_no_answer_and_nonsense_are_not_right(identifier):
    assert problem(identifier, None) == "there is no answer yet"
    for yours in (0.123, "yes", [], lambda *_: 0.5):
        assert problem(identifier, yours) != ""


@pytest.mark.parametrize(
    "identifier, yours, told",
    [
        ("11.1", lambda a, b, rows: a[rows].mean(1) - b.mean(), "it is too"),
        ("11.1", lambda a, b, rows: a[rows].mean(1) - b[rows[::-1]].mean(1), "it is too"),
        ("11.1", lambda a, b, rows: (a[rows] - b[rows]).mean(), "its shape"),
        ("11.2", lambda p: [min(1.0, len(p) * each) for each in p], "too high"),
        ("11.2", lambda p: p, "too low"),
        ("11.3", 0.7, "on average"),
        ("11.3", 0.05, "one look"),
        ("11.3", 0.4877, "no such find"),
    ],
)
def test_near_misses_are_told_apart(identifier, yours, told):
    assert told in problem(identifier, yours)
