"""The exercises of the course, a module for each notebook: what is right, a hint, and a solution to unfold.

``EXERCISES`` of ``adkit.course.answers.notebook_01`` holds those of notebook 01, by their number. Nothing of it is
printed before an answer agrees, or help is asked for.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Exercise:
    """A task with one right answer.

    Attributes:
        expected: the right answer; or, of a function to write, that function. With ``given``, a function that makes
            the right answer of what the notebook gives.
        hint: what to think of, without the answer.
        solution: Python source that solves it, as a learner would write it.
        tolerance: how far numbers may be apart, absolute and relative.
        cases: of a function to write: tuples of arguments to try it on.
        given: names of what the notebook gives, in the order of the arguments of ``expected``.
        why: one sentence that is shown with a right answer.
        wrong: pairs of a wrong answer that people give and what is wrong about it.
    """

    expected: Any
    hint: str
    solution: str
    tolerance: float = 1e-6
    cases: Sequence[tuple] = ()
    given: Sequence[str] = ()
    why: str = ""
    wrong: Sequence[tuple[Any, str]] = ()

    def answer(self, given: dict[str, Any]) -> Any:
        """The right answer for what the notebook gives; raises TypeError where something of it is missing."""
        if missing := sorted(set(self.given) ^ set(given)):
            raise TypeError(
                f"this exercise takes {', '.join(self.given) or 'nothing'} of the notebook; {missing} differ"
            )
        return self.expected(*(given[name] for name in self.given)) if self.given else self.expected


def exercise_of(identifier: str) -> Exercise:
    """An exercise by its id.

    Args:
        identifier: number of the notebook and of the exercise, such as ``01.2`` or ``08b.1``.

    Raises:
        ValueError: if there is none.
    """
    notebook, _, number = identifier.partition(".")
    try:
        exercises: dict[str, Exercise] = importlib.import_module(f"{__name__}.notebook_{notebook}").EXERCISES
    except ModuleNotFoundError:
        exercises = {}
    if number not in exercises:
        known = ", ".join(f"{notebook}.{one}" for one in exercises) or "none for this notebook"
        raise ValueError(f"unknown exercise {identifier!r}; there are {known}")
    return exercises[number]


def tried(function: Callable, case: tuple) -> tuple[Any, str]:
    """What a learner's function makes of a case, and what it said where it failed."""
    try:
        return function(*case), ""
    except Exception as error:  # whatever a learner writes, the lesson goes on
        return None, f"it raised {type(error).__name__}: {error}"
