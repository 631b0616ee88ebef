"""Exercises of notebooks 02 and 03: their solutions are right, and what the stubs return is not."""

import pytest
import torch

from adkit.course.answers import exercise_of
from adkit.course.checks import problem_of
from adkit.defects import SyntheticDefects
from adkit.models import count_parameters
from adkit.models.autoencoder import Autoencoder

BATCH = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
MASK = BATCH[:, 0] > 0.9
NAMES = {"02.3": "repair_loss", "03.2": "gated", "03.3": "let_through"}


def solved(identifier: str, **names):
    """What the solution of an exercise leaves behind."""
    left = {"torch": torch, **names}
    exec(exercise_of(identifier).solution, left)
    return left


@pytest.mark.parametrize("identifier", NAMES)
def test_functions_that_solve_an_exercise_pass(identifier):
    exercise, function = exercise_of(identifier), solved(identifier)[NAMES[identifier]]
    assert problem_of(exercise, function, exercise.answer({})) == ""
    assert problem_of(exercise, lambda *_: None, exercise.answer({})) != ""
    assert problem_of(exercise, None, exercise.answer({})) == "there is no answer yet"


def test_numbers_that_solve_an_exercise_pass():
    for identifier, name, given in (("02.1", "my_share", {"mask": MASK}), ("03.1", "my_count", {"width": 16})):
        exercise = exercise_of(identifier)
        answer = exercise.answer(given)
        assert problem_of(exercise, solved(identifier, **given)[name], answer) == ""
        assert problem_of(exercise, 0.0, answer) == "it is too low"


def test_the_count_is_that_of_the_network_and_near_misses_are_named():
    exercise = exercise_of("03.1")
    answer = exercise.answer({"width": 16})
    sizes = [count_parameters(Autoencoder(width=16, skip=skip)) for skip in ("concat", "none")]
    assert sizes[0] - sizes[1] == answer
    assert problem_of(exercise, 10752, answer) == "the biases are missing"


def test_a_band_off_by_one_row_is_wrong():
    exercise = exercise_of("02.2")
    answer = exercise.answer({"batch": BATCH})

    def made(function):
        return SyntheticDefects([function], count=(1, 1))(BATCH)[0]

    def shifted(images, sampler):
        changed, region = right(images.roll(1, 2), sampler)
        return changed.roll(-1, 2), region.roll(-1, 1)

    right = solved("02.2")["dropped_band"]
    assert problem_of(exercise, made(right), answer) == ""
    assert "too high" in problem_of(exercise, made(shifted), answer)
    assert "too high" in problem_of(exercise, BATCH, answer)
