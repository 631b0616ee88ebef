"""Guesses: what a learner expects, noted before the run and shown beside what was measured."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from adkit.course.cards import Card, markup, show
from adkit.course.written import told


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

    def reveal(self, measured: Any, why: str | Mapping[Any, str] = "", level: Collection = ()) -> None:
        """Show the guess beside the measured value, and to a wrong guess, why.

        Args:
            measured: number, text, or a list of them; numbers are compared to within 2 %, texts letter by letter.
            why: what a wrong guess overlooks: a text for any of them, or guess → text.
            level: answers that are as good, because the run cannot tell them from the measured one.

        Example:
            >>> Guess("Which AUROC?", 0.9).reveal(0.75)
            Which AUROC?
            your guess: 0.9
            measured: 0.75
            too high by 0.15
        """
        self.measured = measured
        guess = "none yet: write one before you look" if self.guess is None else told(self.guess)
        verdict = "" if self.guess is None else self._verdict()
        if verdict and not verdict.startswith("as you thought") and _said(self.guess) in map(_said, level):
            verdict = "as you thought, or nearly: this run cannot tell the two apart"
        wrong = bool(verdict) and not verdict.startswith("as you thought")
        reason = (why if isinstance(why, str) else _reason(why, self.guess)) if wrong else ""
        rows = [f"your guess: {guess}", f"measured: {told(measured)}", verdict, reason]
        tone = "quiet" if not verdict else "wrong" if wrong else "right"
        body = "".join(f"<div>{markup(row)}</div>" for row in rows if row)
        show(Card("\n".join(filter(None, [self.question, *rows])), f"<b>{markup(self.question)}</b>{body}", tone))

    def _verdict(self) -> str:
        if isinstance(self.measured, str):
            return "as you thought" if _said(self.guess) == _said(self.measured) else "a surprise"
        try:
            gap = float(self.guess) - float(self.measured)
        except (TypeError, ValueError):
            # A guess in words, or more than one number: the learner judges.
            return ""
        if abs(gap) <= 0.02 * abs(float(self.measured)):
            return "as you thought, within 2 %"
        return f"too {'high' if gap > 0 else 'low'} by {abs(gap):.3g}"


def _said(answer: Any) -> str:
    """An answer as a text to compare."""
    return str(answer).strip().lower()


def _reason(why: Mapping[Any, str], guess: Any) -> str:
    """What is said to one guess, compared as texts."""
    return next((reason for key, reason in why.items() if _said(key) == _said(guess)), "")
