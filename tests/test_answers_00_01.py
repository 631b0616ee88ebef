"""Exercises of notebooks 00 and 01: their solutions are right, and what people try instead is told to be wrong."""

import numpy as np
import pytest
import torch

from adkit import scoring
from adkit.course.answers import exercise_of
from adkit.course.answers.notebook_01 import score_inside, share_let_through
from adkit.course.checks import problem_of
from adkit.experiments.defect_retention import retention
from adkit.models.autoencoder import Autoencoder

IMAGE = torch.rand(1, 48, 64, generator=torch.Generator().manual_seed(0))
REBUILT = (IMAGE - 0.1 * torch.rand(1, 48, 64, generator=torch.Generator().manual_seed(1))).clamp(0, 1)


def problem(identifier, yours, **given):
    exercise = exercise_of(identifier)
    return problem_of(exercise, yours, exercise.answer(given))


def solved(identifier, name, **names):
    exec(exercise_of(identifier).solution, names)
    return names[name]


@pytest.mark.parametrize(("identifier", "name"), [("00.3", "my_iou"), ("01.3", "my_score"), ("01.4", "my_share")])
def test_the_solution_of_a_function_to_write_is_right(identifier, name):
    assert problem(identifier, solved(identifier, name, np=np)) == ""


def test_solutions_of_00():
    a_map, scores = torch.rand(8, 9), [0.1, 0.5, 0.7]
    assert problem("00.1", solved("00.1", "my_score", a_map=a_map), a_map=a_map) == ""
    assert problem("00.1", a_map.mean(), a_map=a_map) == "it is too low"
    assert problem("00.2", sum(score >= 0.5 for score in scores), scores=scores, threshold=0.5) == ""
    assert problem("00.2", 1, scores=scores, threshold=0.5) == "it is too low"
    assert "too high" in problem("00.3", lambda a, b: (a & b).sum() / min(a.sum(), b.sum()))


def test_solutions_of_01():
    model = Autoencoder(latent=32)
    assert problem("01.1", 8, model=model) == ""
    assert "more than one number" in problem("01.1", 256, model=model)
    names = {"scoring": scoring, "image": IMAGE, "rebuilt": REBUILT}
    assert problem("01.2", solved("01.2", "my_peak", **names), image=IMAGE, rebuilt=REBUILT) == ""


@pytest.mark.parametrize("sigma", [0, 1, 3, 8])
def test_another_smoothing_is_told_apart(sigma):
    """The mean of a map does not change with smoothing: a check of the mean passed anything."""
    peak = scoring.anomaly_map(IMAGE[None], REBUILT[None], "l2", sigma=sigma).max()
    assert problem("01.2", peak, image=IMAGE, rebuilt=REBUILT).startswith("it is too")


def test_wrong_functions_are_told_apart():
    assert "ValueError" in problem("01.3", lambda a, b: a[b:-b, b:-b].max())  # of a border of 0 nothing is left
    assert "too" in problem("01.3", lambda a, b: a.max())
    assert "too" in problem("01.3", lambda a, b: a[b:, b:].max())
    assert "too" in problem("01.4", lambda x, y: y.mean() / x.mean())


def test_the_answers_agree_with_the_library():
    change = torch.rand(5, 6) - 0.5
    assert share_let_through(change, 0.3 * change) == pytest.approx(retention(change, 0.3 * change))
    assert score_inside(np.eye(5), 0) == 1.0
