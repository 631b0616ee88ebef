"""Exercises of notebooks 07 and 07b: their own solutions agree, and what people get wrong does not."""

import numpy as np
import pytest
import torch

from adkit.course.answers import exercise_of, notebook_07, notebook_07b
from adkit.course.checks import problem_of

IDS = [f"07.{number}" for number in notebook_07.EXERCISES] + [f"07b.{number}" for number in notebook_07b.EXERCISES]
WRONG = {
    "07.1": [
        lambda mu, limit: int((mu.var(axis=1) > limit).sum()),
        lambda mu, limit: int((mu.std(axis=0) > limit).sum()),
        lambda mu, limit: -1,
    ],
    "07.2": [
        lambda seen, made: float((seen - made).square().mean()),
        lambda seen, made: float(1 - (seen - made).square().mean() / (seen - seen.mean()).square().mean()),
    ],
    "07.3": [
        lambda values: values[-1] - values[len(values) // 2],
        lambda values: float(np.polyfit(range(len(values)), values, 1)[0]),
    ],
    "07b.1": [
        lambda scores, patience: int(np.argmax(scores)),
        lambda scores, patience: len(scores) - 1,
    ],
    "07b.2": [lambda scores: float(np.std(scores)), lambda scores: max(scores) - min(scores)],
    "07b.3": [lambda low, high: "helps" if high > 0 else "harms", lambda low, high: "not shown"],
}


@pytest.mark.parametrize("identifier", IDS)
def test_the_solution_is_right(identifier):
    exercise, names = exercise_of(identifier), {}
    exec(exercise.solution, {"np": np, "torch": torch}, names)
    (answer,) = [value for name, value in names.items() if name.startswith("my_")]
    assert problem_of(exercise, answer, exercise.answer({})) == ""


@pytest.mark.parametrize("identifier", IDS)
def test_what_people_get_wrong_is_wrong(identifier):
    exercise = exercise_of(identifier)
    for answer in [*WRONG[identifier], None]:
        assert problem_of(exercise, answer, exercise.answer({})), answer
