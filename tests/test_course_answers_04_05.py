"""Exercises of notebooks 04 and 05: their solutions are right, near misses are told what is wrong."""

import numpy as np
import pytest
import torch

from adkit.course import checks
from adkit.course.answers import exercise_of
from adkit.losses import LOSSES

GIVEN = {"scales": {"ssim": 16.0, "mse": 1100.0}}
NAMES = {
    "04.1": "my_ssim",
    "04.2": "my_weight",
    "04.3": "my_losses",
    "04.4": "my_huber",
    "05.1": "my_mahalanobis",
    "05.2": "my_sum",
    "05.3": "my_steps",
    "05.4": "my_fusion",
}


def problem(identifier, yours):
    exercise = exercise_of(identifier)
    given = {name: GIVEN[name] for name in exercise.given}
    return checks.problem_of(exercise, yours, exercise.answer(given))


@pytest.mark.parametrize("identifier", NAMES)
def test_the_solution_is_right(identifier):
    space = {"np": np, "torch": torch, **GIVEN}
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
        ("04.2", 1.0, "with equal weights"),
        ("04.3", [0.3, 0.09], "inside the wrong pixels"),
        ("04.3", [0.003, 0.000009], "not the other way round"),
        ("04.1", lambda x, y: 1.0, "too high"),
        ("04.4", lambda a, b: float(np.abs(a - b).mean()), "too high"),
        ("05.2", 3.02, "raw values"),
        ("05.3", [1, 2, 4, 8], "halves the sides"),
        ("05.1", lambda features, normal: np.abs(features - normal.mean(axis=0)).sum(axis=1), "it is too"),
    ],
)
def test_near_misses_are_told_apart(identifier, yours, told):
    assert told in problem(identifier, yours)


def test_one_window_is_what_the_library_computes_there():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 11, 11)).astype(np.float32)
    whole = exercise_of("04.1").expected(x, y)
    # the library's window is weighted, so only the form agrees: equal patches, and the sign of opposite ones
    assert exercise_of("04.1").expected(x, x) == pytest.approx(1)
    pair = (torch.from_numpy(each)[None, None] for each in (x, 1 - x))
    assert exercise_of("04.1").expected(x, 1 - x) < 0 < 1 < float(LOSSES["ssim"](*pair))
    assert -1 <= whole <= 1
