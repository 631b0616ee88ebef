"""Exercises of notebooks 08b to 12: their own solutions agree, and what people get wrong is told."""

import numpy as np
import pytest
import torch

from adkit.course.answers import exercise_of, notebook_08b, notebook_09, notebook_11, notebook_12
from adkit.course.checks import problem_of
from adkit.models.memory import greedy_coreset

GIVEN = {"dimensions": 56}
MODULES = {"08b": notebook_08b, "09": notebook_09, "11": notebook_11, "12": notebook_12}
IDS = [f"{notebook}.{number}" for notebook, module in MODULES.items() for number in module.EXERCISES]
WRONG = {
    "08b.1": [
        (lambda places, covariance: (places - places.mean(0)).norm(dim=1), "it is too"),
        (lambda places, covariance: (places - places.median(0).values).norm(dim=1), "too high"),
        (lambda places, covariance: places.median(0).values, "its shape is"),
        (lambda places, covariance: 1 / 0, "it raised ZeroDivisionError"),
    ],
    "08b.2": [([5.0, 1.0], "exchanged"), ([1.0, 10.0], "median of the image"), (1.0, "its shape is ()")],
    "08b.3": [([1.2, 0.0], "the factor"), ([np.log(1.2), np.log(1.2)], "grows, too"), ([0.2, 0.0], "too high")],
    "09.1": [
        (lambda points, count, first: list(range(count)), "it is too"),
        (lambda points, count, first: [first] * count, "it is too"),
        (lambda points, count, first: [first], "its shape is (1,)"),
        (lambda points, count, first: (points - points[first]).norm(dim=1).argsort(descending=True)[:count], "too"),
    ],
    "09.2": [(56_000, "count of numbers"), (1_792_000, "bits"), (0, "too low")],
    "09.3": [(3.0, "without a weight"), (1.1326, "one minus the share"), (2.5, "too high")],
    "11.1": [
        (lambda a, b, rows: a[rows].mean(1) - b.mean(), "it is too"),
        (lambda a, b, rows: a[rows].mean(1) - b[rows[::-1]].mean(1), "it is too"),
        (lambda a, b, rows: (a[rows] - b[rows]).mean(), "its shape"),
    ],
    "11.2": [(lambda p: [min(1.0, len(p) * each) for each in p], "too high"), (lambda p: p, "too low")],
    "11.3": [(0.7, "on average"), (0.05, "one look"), (0.4877, "no such find")],
    "12.1": [(4320, "two frames"), (172_800, "number of frames"), (8639, "too low")],
    "12.2": [(2.25, "its own"), (2.5, "too high")],
    "12.3": [
        (lambda below, frames: (frames - below) / frames, "too low"),
        (lambda below, frames: below / (frames + 1), "too high"),
    ],
}


def problem(identifier, yours):
    exercise = exercise_of(identifier)
    return problem_of(exercise, yours, exercise.answer({name: GIVEN[name] for name in exercise.given}))


@pytest.mark.parametrize("identifier", IDS)
def test_the_solution_is_right(identifier):
    space = {"np": np, "torch": torch, **GIVEN}
    exec(exercise_of(identifier).solution, space)  # the course's own text
    (answer,) = [value for name, value in space.items() if name.startswith("my_")]
    assert problem(identifier, answer) == ""


@pytest.mark.parametrize("identifier", IDS)
def test_no_answer_and_nonsense_are_not_right(identifier):
    assert problem(identifier, None) == "there is no answer yet"
    for yours in (0.123, "yes", [], lambda *_: 0.5):
        assert problem(identifier, yours) != ""


@pytest.mark.parametrize(
    ("identifier", "yours", "told"), [(name, *wrong) for name, several in WRONG.items() for wrong in several]
)
def test_what_people_get_wrong_is_told(identifier, yours, told):
    assert told in problem(identifier, yours)


def test_the_coreset_by_hand_is_the_librarys():
    points = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    theirs = greedy_coreset(points, 20, generator=torch.Generator().manual_seed(1)).tolist()
    assert notebook_09.k_centre(points, 20, theirs[0]) == theirs
