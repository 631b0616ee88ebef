"""Exercises of notebooks 06 and 06b: their own solutions agree, and what people get wrong does not."""

import numpy as np
import pytest
import torch

from adkit.course.answers import exercise_of, notebook_06, notebook_06b
from adkit.course.checks import problem_of

IDS = [f"06.{number}" for number in notebook_06.EXERCISES] + [f"06b.{number}" for number in notebook_06b.EXERCISES]
WRONG = {
    "06.1": [
        (lambda mu, log_variance, noise: mu + log_variance.exp() * noise, "too high"),
        (lambda mu, log_variance, noise: mu + log_variance * noise, "too"),
        (lambda mu, log_variance, noise: mu, "too"),
        (torch.distributions.Normal, "it raised"),
    ],
    "06.2": [
        (lambda mu, log_variance: 0.5 * (mu**2 + log_variance.exp() - log_variance - 1).mean(dim=1), "too low"),
        (lambda mu, log_variance: 0.5 * (mu**2 + log_variance.exp() - log_variance - 1).sum(), "its shape is ()"),
        (lambda mu, log_variance: (mu**2 + log_variance.exp() - log_variance - 1).sum(dim=1), "too high"),
    ],
    "06.3": [(0.01, "this is the variance"), (0.1, "too high")],
    "06b.1": [
        (lambda suspicious, named, dismiss: suspicious, "1 of 4 are True and should not be"),
        (lambda suspicious, named, dismiss: named != "good", "should not be"),
        (lambda suspicious, named, dismiss: suspicious & (named != "good"), "are False and should not be"),
    ],
    "06b.2": [(8.0, "both stages"), (6.2, "too high")],
    "06b.3": [(0.05, "clean"), (0.03, "of all plots"), (0.0, "too low")],
}


@pytest.mark.parametrize("identifier", IDS)
def test_the_solution_is_right(identifier):
    exercise, names = exercise_of(identifier), {}
    exec(exercise.solution, {"np": np, "torch": torch}, names)
    (answer,) = [value for name, value in names.items() if name.startswith("my_")]
    assert problem_of(exercise, answer, exercise.answer({})) == ""


@pytest.mark.parametrize(
    ("identifier", "yours", "told"), [(name, *wrong) for name, several in WRONG.items() for wrong in several]
)
def test_what_people_get_wrong_is_told(identifier, yours, told):
    exercise = exercise_of(identifier)
    assert told in problem_of(exercise, yours, exercise.answer({}))
