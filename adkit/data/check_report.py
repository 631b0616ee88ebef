"""What :func:`adkit.data.check` found, as a table that one can read."""

from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

from adkit.data.found import Found

COLUMNS = ("category", "part", "kind", "images", "height x width", "colours", "bits", "masks")


@dataclass(frozen=True)
class Row:
    """Images of one kind in one part.

    Attributes:
        category: name of the category.
        part: ``train``, ``validation``, ``test`` or ``unlabelled``.
        kind: type of the defect, ``good`` or ``unlabelled``.
        images: how many.
        sizes: their height and width in pixels.
        colours: grey, colour, or how many of each.
        bits: that they are stored with, and use.
        masks: how many have one; empty for normals, which need none.
    """

    category: str
    part: str
    kind: str
    images: int
    sizes: str
    colours: str
    bits: str
    masks: str


@dataclass
class Report:
    """What lies in a folder; ``print`` shows it.

    Attributes:
        root: what was looked at.
        layout: name of the layout that it was read by; ``none`` if it could not be read.
        rows: one for each kind in each part.
        problems: what is wrong or doubtful, and what to do.
        found: how masks were read, and the files that are not used, with the reason; None if it could not be read.
        damaged: files that cannot be read → why.
        plain: images of one colour.
        unread: of a folder that could not be read: what lies there, by folder and suffix.
        notes: what was not looked at.
    """

    root: str
    layout: str
    rows: list[Row]
    problems: list[str] = field(default_factory=list)
    found: Found | None = None
    damaged: dict[Path, str] = field(default_factory=dict)
    plain: list[Path] = field(default_factory=list)
    unread: Counter = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether it could be read, and nothing is wrong or doubtful."""
        return bool(self.rows) and not self.problems

    def __str__(self) -> str:
        lines = [f"{self.root}: layout {self.layout}, {sum(row.images for row in self.rows)} images", ""]
        lines += _table([COLUMNS, *(tuple(str(getattr(row, part.name)) for part in fields(Row)) for row in self.rows)])
        lines += [f"{name:<40} {count}" for name, count in self.unread.items()]
        if self.found:
            lines += ["", *str(self.found).splitlines()[1:]]
        lines += ["", *self.notes, "nothing to do" if self.ok else "to do:"]
        return "\n".join([*lines, *(f"  {number}. {text}" for number, text in enumerate(self.problems, start=1))])


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    if len(rows) == 1:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]
