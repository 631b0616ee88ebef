"""What the learner answers: exercises checked beside the expected value, quiz cards, guesses made before the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from adkit.course.cards import Card, markup, show
from adkit.runtime.console import say


def exercise(yours: Any, expected: Any, tolerance: float = 1e-6, hint: str = "") -> None:
    """Print the learner's answer beside the expected one, and whether they agree. Never raises, whatever ``yours`` is.

    Args:
        yours: the learner's answer: number, array, tensor, text, anything.
        expected: the right answer.
        tolerance: how far numbers may be apart, absolute and relative.
        hint: a text, printed where the answer is not right yet.

    Example:
        >>> exercise(0.5, np.float32(0.5))
        yours     0.5
        expected  0.5
        ✓ right
        >>> exercise(None, [1.0, 2.0], hint="take the mean over pixels")
        yours     None
        expected  1, 2  (shape 2)
        ✗ not yet: there is no answer. Hint: take the mean over pixels
    """
    problem = mismatch(yours, expected, tolerance)
    say(f"yours     {shortened(yours)}")
    say(f"expected  {shortened(expected)}")
    if problem:
        say(f"✗ not yet: {problem}." + (f" Hint: {hint}" if hint else ""))
    else:
        say("✓ right")


def mismatch(yours: Any, expected: Any, tolerance: float) -> str:
    """Why two answers differ, in words.

    Args:
        yours: the learner's answer, anything.
        expected: the right answer.
        tolerance: how far numbers may be apart, absolute and relative.

    Returns:
        The reason; empty where they agree.

    Example:
        >>> mismatch([1.0, 2.5], [1.0, 2.0], 1e-6)
        'it is off by up to 0.5'
    """
    if yours is None or yours is Ellipsis:
        return "there is no answer"
    try:
        if isinstance(expected, (str, bytes, bool, dict, set)):
            return "" if type(yours) is type(expected) and yours == expected else "it is not the same"
        return _difference(numbers_of(yours), numbers_of(expected), tolerance)
    except Exception as error:
        # A stub may hold anything at all, and a lesson goes on.
        return f"a {type(yours).__name__} cannot be compared with the expected {type(expected).__name__} ({error})"


def _difference(yours: np.ndarray, expected: np.ndarray, tolerance: float) -> str:
    if yours.shape != expected.shape:
        return f"its shape is {yours.shape}, expected {expected.shape}"
    if missing := int((np.isnan(yours) & ~np.isnan(expected)).sum()):
        return f"it holds NaN {missing} times"
    if np.allclose(yours, expected, rtol=tolerance, atol=tolerance, equal_nan=True):
        return ""
    return f"it is off by up to {np.nanmax(np.abs(yours - expected)):.3g}"


def numbers_of(values: Any) -> np.ndarray:
    """Numbers of any kind as float64; raises TypeError or ValueError for what is none."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)


def shortened(value: Any, longest: int = 90) -> str:
    """A value in at most one line, arrays by their first entries and shape.

    Args:
        value: anything.
        longest: number of characters after which a text is cut.

    Example:
        >>> shortened(torch.arange(100.0).reshape(10, 10))
        '0, 1, 2, 3, 4, 5, …  (shape 10 × 10)'
    """
    try:
        if isinstance(value, (str, bytes, bool, dict, set, type(None))):
            raise TypeError("not numbers")
        numbers = numbers_of(value)
        start = ", ".join(f"{number:.6g}" for number in numbers.ravel()[:6]) + (", …" if numbers.size > 6 else "")
        return start if numbers.ndim == 0 else f"{start}  (shape {' × '.join(map(str, numbers.shape))})"
    except Exception:
        # Not numbers: show it as it is.
        text = _text(value)
        return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(value: Any) -> str:
    try:
        return " ".join(repr(value).split())
    except Exception:
        # Even its repr fails.
        return f"a {type(value).__name__}"


@dataclass(frozen=True)
class Quiz:
    """A question with options and a folded answer; see `quiz`."""

    question: str
    options: tuple[str, ...]
    answer: int
    why: str

    def _repr_html_(self) -> str:
        options = "".join(f"<li>{markup(option)}</li>" for option in self.options)
        answer = f"<b>{'abcdefgh'[self.answer]})</b> {markup(self.options[self.answer])}. {markup(self.why)}"
        return (
            '<div style="border-left: 4px solid #0072B2; padding: 2px 14px; margin: 6px 0; max-width: 50em">'
            f"<p><b>{markup(self.question)}</b></p>"
            f'<ol type="a">{options}</ol>'
            f"<details><summary>Answer</summary><p>{answer}</p></details></div>"
        )

    def __repr__(self) -> str:
        options = [f"  {letter}) {option}" for letter, option in zip("abcdefgh", self.options, strict=False)]
        return "\n".join([self.question, *options])


def quiz(question: str, options: Sequence[str], answer: int, why: str) -> Quiz:
    """A quiz card: as the last line of a cell it shows the question, the options and, folded, the answer.

    Args:
        question: what is asked; `backticks` give code.
        options: two to eight answers to choose from.
        answer: index of the right one, from 0.
        why: what makes it right.

    Raises:
        ValueError: if there are not two to eight options, or ``answer`` is none of them.

    Example:
        >>> quiz("Is pixel AUROC enough?", ["yes", "no"], 1, "It hardly sees small defects.")
        Is pixel AUROC enough?
          a) yes
          b) no
    """
    if not 2 <= len(options) <= 8:
        raise ValueError(f"a quiz needs two to eight options, got {len(options)}")
    if answer not in range(len(options)):
        raise ValueError(f"answer is the index of an option, 0 to {len(options) - 1}, got {answer!r}")
    return Quiz(question, tuple(options), answer, why)


@dataclass
class Guess:
    """What the learner expects, noted before the run, to be compared with what was measured.

    Attributes:
        question: what was asked.
        guess: the learner's answer; None: none yet.
        measured: what the run found; None until `reveal` is called.
    """

    question: str
    guess: Any
    measured: Any = None

    def reveal(self, measured: Any, why: str | Mapping[Any, str] = "") -> None:
        """Show the guess beside the measured value, and to a wrong guess, why.

        Args:
            measured: number, text, or a list of them; numbers are compared to within 2 %, texts letter by letter.
            why: what a wrong guess overlooks: a text for any of them, or guess → text.

        Example:
            >>> Guess("Which AUROC?", 0.9).reveal(0.75)
            Which AUROC?
            your guess  0.9
            measured    0.75
            too high by 0.15
        """
        self.measured = measured
        guess = "none yet: write one before you look" if self.guess is None else shortened(self.guess)
        verdict = "" if self.guess is None else self._verdict()
        wrong = bool(verdict) and not verdict.startswith("as you thought")
        reason = (why if isinstance(why, str) else _reason(why, self.guess)) if wrong else ""
        rows = [f"your guess  {guess}", f"measured    {shortened(measured)}", verdict, reason]
        tone = "quiet" if not verdict else "wrong" if wrong else "right"
        body = "".join(f"<div>{markup(row)}</div>" for row in rows if row)
        show(Card("\n".join(filter(None, [self.question, *rows])), f"<b>{markup(self.question)}</b>{body}", tone))

    def _verdict(self) -> str:
        if isinstance(self.measured, str):
            return "as you thought" if str(self.guess).strip().lower() == self.measured.lower() else "a surprise"
        try:
            gap = float(self.guess) - float(self.measured)
        except (TypeError, ValueError):
            # A guess in words, or more than one number: the learner judges.
            return ""
        if abs(gap) <= 0.02 * abs(float(self.measured)):
            return "as you thought, within 2 %"
        return f"too {'high' if gap > 0 else 'low'} by {abs(gap):.3g}"


def _reason(why: Mapping[Any, str], guess: Any) -> str:
    """What is said to one guess, compared as texts."""
    said = str(guess).strip().lower()
    return next((reason for key, reason in why.items() if str(key).lower() == said), "")
