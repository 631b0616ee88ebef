"""Answers to exercises, checked by id: what is wrong with one is said, what is right only once it agrees."""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from adkit.course.answers import Exercise, exercise_of, tried
from adkit.course.cards import Card, folded, listing, markup, show
from adkit.course.written import numbers_of, shortened, written_out


def check(identifier: str, yours: Any, **given: Any) -> None:
    """Say whether an answer is right, and if not, in which way it is wrong. Never raises for what a learner writes.

    Args:
        identifier: id of the exercise, such as ``01.2``.
        yours: the learner's answer: a number, an array, a text, a set, a function; None: none yet.
        **given: what the exercise needs of the notebook.

    Raises:
        ValueError: if there is no such exercise.
        TypeError: if ``given`` is not what it needs.
    """
    exercise = exercise_of(identifier)
    show(_card(identifier, exercise, problem_of(exercise, yours, exercise.answer(given)), yours))


def help_with(identifier: str) -> None:
    """Show the hint of an exercise and its solution, unfolded.

    Args:
        identifier: id of the exercise, such as ``01.2``.

    Raises:
        ValueError: if there is no such exercise.
    """
    exercise = exercise_of(identifier)
    text = f"Exercise {identifier}. Hint: {exercise.hint}\n\n{exercise.solution.strip()}"
    show(Card(text, f"<b>Hint:</b> {markup(exercise.hint)}{listing(exercise.solution)}", "asked"))


def problem_of(exercise: Exercise, yours: Any, expected: Any) -> str:
    """What is wrong with an answer, in words that do not give the right one away.

    Args:
        exercise: what was asked.
        yours: the learner's answer.
        expected: the right one, or of a function to write, that function.

    Returns:
        A clause; empty where the answer is right.
    """
    if yours is None or yours is Ellipsis:
        return "there is no answer yet"
    if not exercise.cases:
        return _said_of(exercise, yours) or difference(yours, expected, exercise.tolerance)
    if not callable(yours):
        return f"a function is asked for, this is a {type(yours).__name__}"
    for case in exercise.cases:
        answer, failed = tried(yours, copy.deepcopy(case))
        if answer is None and not failed:
            return "there is no answer yet: the function returns None"
        if told := failed or difference(answer, expected(*copy.deepcopy(case)), exercise.tolerance):
            return f"for {_arguments(expected, case)}: {told}"
    return ""


def _arguments(function: Callable, case: tuple) -> str:
    """The arguments of a case with their names, arrays as lists where they are short."""
    named = zip(inspect.signature(function).parameters, case, strict=False)
    return ", ".join(f"{name} = {written_out(argument)}" for name, argument in named)


def _said_of(exercise: Exercise, yours: Any) -> str:
    """What is known about a wrong answer that many give."""
    for value, why in exercise.wrong:
        if not difference(yours, value, exercise.tolerance):
            return why
    return ""


def difference(yours: Any, expected: Any, tolerance: float) -> str:
    """How two answers differ: too high, too low, of another shape or kind. No number of the expected one is told.

    Args:
        yours: anything.
        expected: number, array, tensor, text, bool, set or dict.
        tolerance: how far numbers may be apart, absolute and relative.

    Example:
        >>> difference(0.7, 0.5, 1e-6), difference([1.0, 2.0], 1.0, 1e-6), difference(0.5, 0.5, 1e-6)
        ('it is too high', 'its shape is (2,); a single number is asked for', '')
        >>> difference({"vae"}, {"vae", "draem"}, 0)
        'something is missing'
    """
    if isinstance(expected, set):
        return _of_sets(yours, expected)
    if isinstance(expected, (str, bytes, bool, dict)):
        same_kind = type(yours) is type(expected)
        if same_kind and (
            yours.strip().lower() == expected.lower() if isinstance(expected, str) else yours == expected
        ):
            return ""
        return "it is not the right one" if same_kind else f"a {type(expected).__name__} is asked for"
    try:
        mine, right = numbers_of(yours), numbers_of(expected)
    except Exception:  # anything at all may stand there
        return f"numbers are asked for, this is a {type(yours).__name__}"
    if mine.shape != right.shape:
        asked = "a single number" if right.ndim == 0 else f"the shape {right.shape}"
        return f"its shape is {mine.shape}; {asked} is asked for"
    if getattr(expected, "dtype", None) in (torch.bool, np.dtype(bool)):
        return _of_yes_and_no(mine, right)
    return _of_numbers(mine, right, tolerance)


def _of_sets(yours: Any, expected: set) -> str:
    try:
        mine = set(yours) if not isinstance(yours, str) else {yours}
    except TypeError:
        return f"a set is asked for, this is a {type(yours).__name__}"
    wrong = [word for word, differs in (("missing", expected - mine), ("too much", mine - expected)) if differs]
    return f"something is {' and something '.join(wrong)}" if wrong else ""


def _of_yes_and_no(mine: np.ndarray, right: np.ndarray) -> str:
    if not np.isin(mine, (0, 1)).all():
        return "True and False are asked for, there are other values"
    wrongly = {"True": int((mine > right).sum()), "False": int((mine < right).sum())}
    return "; ".join(f"{count} of {mine.size} are {word} and should not be" for word, count in wrongly.items() if count)


def _of_numbers(mine: np.ndarray, right: np.ndarray, tolerance: float) -> str:
    if (np.isnan(mine) & ~np.isnan(right)).any():
        return "it holds NaN"
    apart = ~np.isclose(mine, right, rtol=tolerance, atol=tolerance, equal_nan=True)
    if not apart.any():
        return ""
    words = [word for word, differs in (("high", mine > right), ("low", mine < right)) if (apart & differs).any()]
    where = f" in {int(apart.sum())} of {apart.size} places" if apart.size > 1 else ""
    return f"it is too {' and too '.join(words)}{where}"


def _card(identifier: str, exercise: Exercise, problem: str, yours: Any) -> Card:
    if not problem:
        value = "" if callable(yours) else f": {shortened(yours)}"
        told = f"✓ right{value}." + (f" {exercise.why}" if exercise.why else "")
        return Card(f"Exercise {identifier} {told}", f"<b>Exercise {identifier}</b> {markup(told)}", "right")
    mark, tone = ("○", "asked") if problem.startswith("there is no") else ("✗ not yet:", "wrong")
    helped = folded("Hint", f"<p>{markup(exercise.hint)}</p>") + folded("A solution", listing(exercise.solution))
    text = f"Exercise {identifier} {mark} {problem}. For help: lesson.help({identifier!r})"
    return Card(text, f"<b>Exercise {identifier}</b> {mark} {markup(problem)}.{helped}", tone)
