"""Quiz cards: a question, lettered options, and folded, what is right and what is wrong with each of the others."""

from collections.abc import Mapping
from dataclasses import dataclass

from adkit.course.cards import TONES, folded, markup

LETTERS = "abcdefgh"


@dataclass(frozen=True)
class Question:
    """A quiz card; see `question`."""

    text: str
    options: Mapping[str, str]
    right: str

    def _repr_html_(self) -> str:
        # letters as text: a front end may number a list as it likes
        options = "".join(f"<div>{letter}) {markup(option)}</div>" for letter, option in self._lettered)
        reasons = "".join(
            f"<div>{'✓' if option == self.right else '✗'} {letter}) {markup(self.options[option])}</div>"
            for letter, option in self._lettered
        )
        edge = f"border-left: 4px solid {TONES['asked']}; padding: 2px 12px; margin: 6px 0; max-width: 56em"
        return f'<div style="{edge}"><b>{markup(self.text)}</b>{options}{folded("Answer", reasons)}</div>'

    def __repr__(self) -> str:
        return "\n".join([self.text, *(f"  {letter}) {option}" for letter, option in self._lettered)])

    @property
    def _lettered(self) -> list[tuple[str, str]]:
        return list(zip(LETTERS, self.options, strict=False))


def question(text: str, options: Mapping[str, str], right: str) -> Question:
    """A quiz card: as the last line of a cell it shows the question and the options, and folded, the reasons.

    Args:
        text: what is asked; `backticks` give code.
        options: two to eight answers to choose from, each with the reason why it is right or wrong.
        right: the letter of the right one, ``a`` for the first.

    Raises:
        ValueError: if there are not two to eight options, a reason is missing, or ``right`` is the letter of none.

    Example:
        >>> question("Is pixel AUROC enough?", {"yes": "It hardly sees small defects.", "no": "Look at PRO too."}, "b")
        Is pixel AUROC enough?
          a) yes
          b) no
    """
    if not 2 <= len(options) <= len(LETTERS):
        raise ValueError(f"a quiz needs two to eight options, got {len(options)}")
    if bare := [option for option, reason in options.items() if not reason]:
        raise ValueError(f"each option needs a reason; there is none for {bare[0]!r}")
    if right not in LETTERS[: len(options)] or len(right) != 1:
        raise ValueError(f"right is the letter of an option, a to {LETTERS[len(options) - 1]}, got {right!r}")
    return Question(text, dict(options), list(options)[LETTERS.index(right)])
