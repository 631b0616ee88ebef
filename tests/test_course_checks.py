"""Exercises by id: what is wrong is said, the right answer is not."""

import sys
import types

import numpy as np
import pytest
import torch

from adkit.course import checks
from adkit.course.answers import Exercise, exercise_of
from adkit.course.cards import Card, show
from adkit.course.lesson import Lesson
from adkit.course.quizzes import question


class Hostile:
    def __repr__(self):
        raise RuntimeError

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no")


def root_mean_square(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    """Exercises of a notebook that does not exist."""
    exercises = {
        "1": Exercise(0.25, "half of a half", "my_half = 0.5 * 0.5", why="Halves multiply.", wrong=[(1.0, "they add")]),
        "2": Exercise(
            root_mean_square, "square, mean, root", "def rms(v): ...", cases=[(np.array([1.0, 7.0]),), ([3.0, 3.0],)]
        ),
        "3": Exercise(lambda costs: {n for n in costs if costs[n] < 2}, "compare", "{...}", given=["costs"]),
        "4": Exercise("b", "the second", "'b'"),
        "5": Exercise([1.0, 2.0, 3.0], "count", "[1, 2, 3]"),
        "6": Exercise(True, "yes or no", "True"),
        "7": Exercise(np.array([True, False]), "compare each", "[True, False]"),
    }
    module = types.SimpleNamespace(EXERCISES=exercises)
    monkeypatch.setitem(sys.modules, "adkit.course.answers.notebook_99", module)


@pytest.mark.parametrize(
    ("number", "yours", "told"),
    [
        ("1", None, "○ there is no answer yet"),
        ("1", ..., "○ there is no answer yet"),
        ("1", 0.3, "✗ not yet: it is too high"),
        ("1", torch.tensor(0.1), "✗ not yet: it is too low"),
        ("1", [0.25], "✗ not yet: its shape is (1,); a single number is asked for"),
        ("1", Hostile(), "✗ not yet: numbers are asked for, this is a Hostile"),
        ("1", [[1], [2, 3]], "✗ not yet: numbers are asked for, this is a list"),
        ("1", "a quarter", "✗ not yet: numbers are asked for, this is a str"),
        ("1", float("nan"), "✗ not yet: it holds NaN"),
        ("1", 1, "✗ not yet: they add"),
        ("2", 0.5, "✗ not yet: a function is asked for, this is a float"),
        ("2", lambda v: None, "○ there is no answer yet: the function returns None"),
        ("2", lambda v: 1 / 0, "it raised ZeroDivisionError: division by zero"),
        ("2", lambda v: float(np.mean(v)), "✗ not yet: for values = [1, 7]: it is too low"),
        ("2", lambda v: float(v[0]), "= [1, 7]"),
        ("4", "c", "✗ not yet: it is not the right one"),
        ("4", 2, "✗ not yet: a str is asked for"),
        ("5", [1.0, 3.0, 2.0], "✗ not yet: it is too high and too low in 2 of 3 places"),
        ("5", [1.0, 2.0], "✗ not yet: its shape is (2,); the shape (3,) is asked for"),
        ("6", 1, "✗ not yet: a bool is asked for"),
        ("7", [True, True], "✗ not yet: 1 of 2 are True and should not be"),
        ("7", [0, 0.5], "✗ not yet: True and False are asked for, there are other values"),
        ("7", True, "✗ not yet: its shape is (); the shape (2,) is asked for"),
    ],
)
def test_what_is_wrong_is_said_and_what_is_right_is_not(number, yours, told, capsys):
    checks.check(f"99.{number}", yours)
    printed = capsys.readouterr().out
    assert told in printed
    assert f"lesson.help('99.{number}')" in printed
    assert "0.25" not in printed
    assert "5.0" not in printed


@pytest.mark.parametrize(
    ("number", "yours"),
    [
        ("1", 0.25),
        ("1", np.float32(0.25)),
        ("2", root_mean_square),
        ("4", " B "),
        ("5", torch.arange(1, 4)),
        ("6", True),
        ("7", [1, 0]),
    ],
)
def test_a_right_answer_is_told_with_its_reason(number, yours, capsys):
    checks.check(f"99.{number}", yours)
    printed = capsys.readouterr().out
    assert "✓ right" in printed
    assert ("Halves multiply." in printed) == (number == "1")


def test_what_the_notebook_gives_decides(capsys):
    costs = {"a": 1, "b": 3, "c": 1}
    checks.check("99.3", {"a", "b"}, costs=costs)
    assert "something is missing and something too much" in capsys.readouterr().out
    checks.check("99.3", ["a", "c"], costs=costs)
    assert "✓ right" in capsys.readouterr().out
    checks.check("99.3", 7, costs=costs)
    assert "a set is asked for, this is a int" in capsys.readouterr().out
    with pytest.raises(TypeError, match="this exercise takes costs of the notebook"):
        checks.check("99.3", {"a"})


def test_a_function_that_changes_its_argument_harms_nobody():
    def harmful(values):
        values *= 0
        return root_mean_square(values)

    exercise = exercise_of("99.2")
    for _ in range(2):
        assert "too low" in checks.problem_of(exercise, harmful, exercise.expected)
    assert checks.problem_of(exercise, root_mean_square, exercise.expected) == ""


def test_help_is_given_when_asked_for(capsys):
    Lesson().help("99.1")
    assert "0.5 * 0.5" in capsys.readouterr().out
    for unknown in ("99.8", "98.1", "x"):
        with pytest.raises(ValueError, match="unknown exercise"):
            Lesson().check(unknown, 1)


def test_in_a_notebook_the_solution_is_folded(monkeypatch):
    shown = []
    monkeypatch.setattr(checks, "show", shown.append)
    checks.check("99.1", 0.3)
    html = shown[0]._repr_html_()
    assert html.count("<details") == 2
    assert "my_half" in html
    checks.check("99.1", 0.25)
    assert "<details" not in shown[1]._repr_html_()


def test_cards_are_html_in_a_kernel_and_text_elsewhere(monkeypatch, capsys):
    card = Card("a < b", "a &lt; b", "right")
    show(card)
    assert capsys.readouterr().out == "a < b\n"
    ipython = pytest.importorskip("IPython")
    seen = []
    monkeypatch.setattr(ipython, "get_ipython", lambda: types.SimpleNamespace(kernel=1))
    monkeypatch.setattr("IPython.display.display", seen.append)
    show(card)
    assert seen == [card]


def test_a_quiz_gives_letters_as_text_and_a_reason_for_each_option():
    card = question("Which `x`?", {"one": "No: too few.", "two": "Yes."}, "b")
    html = card._repr_html_()
    assert "<ol" not in html
    assert "b) two" in html
    assert "✗ a) No: too few." in html
    assert "✓ b) Yes." in html
    assert "No: too few" not in repr(card)
    for options, right, message in (
        ({"one": "x"}, "a", "two to eight options"),
        ({"one": "x", "two": ""}, "a", "each option needs a reason"),
        ({"one": "x", "two": "y"}, "c", "a to b, got 'c'"),
        ({"one": "x", "two": "y"}, "ab", "a to b, got 'ab'"),
    ):
        with pytest.raises(ValueError, match=message):
            question("?", options, right)
