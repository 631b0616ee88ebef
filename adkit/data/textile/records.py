"""Lists of textile frames for training, validation and test: names of frames, woven when asked for."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from math import lcm

import numpy as np

from adkit.data.textile.crossing import cross, frames_in_all, in_turn
from adkit.data.textile.fabrics import FABRICS
from adkit.data.textile.loom import MAKERS, Textile, check_frame

COUNTED = ("train", "validation", "test normals", "test defective")
PART_SIZE = 1_000_000  # indices kept for each part, so that no part moves when another grows


@dataclass(frozen=True)
class TextileRecord:
    """One frame, by name.

    Args:
        fabric: a name in ``FABRICS``.
        seed: whole number; another one weaves other cloth.
        index: number of the frame, from 0.
        kind: its defect type; None for a normal.
        pixels: longer side of the defect's box in pixels; None: the frame chooses, or it is a normal.
        severity: of the defect, in (0, 1]; None: the same.
    """

    fabric: str
    seed: int
    index: int
    kind: str | None = None
    pixels: float | None = None
    severity: float | None = None

    def weave(self, frame: tuple[int, int] = (176, 976)) -> tuple[np.ndarray, np.ndarray]:
        """The frame's image, uint8 (H, W), and mask, bool (H, W).

        Args:
            frame: height and width in pixels, at least 32 each.
        """
        return _loom(self.fabric, tuple(frame), self.seed).weave(
            self.index, self.kind, self.severity, pixels=self.pixels
        )


@lru_cache(maxsize=32)
def _loom(fabric: str, frame: tuple[int, int], seed: int) -> Textile:
    return Textile(fabric, frame, seed)


def textile_records(
    category: str | Sequence[str] | None = None,
    frame: tuple[int, int] = (176, 976),
    seed: int = 0,
    counts: Sequence[int] = (80, 40, 50, 50),
    types: Sequence[str] | None = None,
    sizes: Sequence[float] | None = None,
    severities: Sequence[float] | None = None,
    repeats: int | None = None,
) -> dict[str, list[TextileRecord]]:
    """The textile's three parts.

    Args:
        category: a fabric, a list of fabrics, or None for all of them, taken in turn.
        frame: height and width in pixels that the records will be woven at; checked here, before any training starts.
        seed: integer, at least 0; another seed weaves other cloth.
        counts: frames in all of: train, validation, test normals, test defective (the five defect types in turn).
        types: of the defective frames; these four cross type, size and severity, see
            :func:`adkit.data.textile.crossing.cross`, and take the place of the last count. Other parts stay.
        sizes: pixels, longer side of a defect's box.
        severities: in (0, 1].
        repeats: frames of each combination; None: as few as make 50 in all.

    Returns:
        dict of ``train``, ``validation`` and ``test``; no frame is in two of them.

    Raises:
        ValueError: if a fabric is unknown, or the frame, the counts or what is crossed impossible.

    Example:
        >>> parts = textile_records("denim", counts=(4, 2, 1, 5))
        >>> [record.kind for record in parts["test"]]
        [None, 'bright', 'dark', 'brightness', 'texture', 'dots']
        >>> crossed = textile_records("denim", sizes=[24, 96], severities=[0.3, 1.0], repeats=2)["test"][50:]
        >>> len(crossed), crossed[0].kind, crossed[0].pixels, crossed[0].severity
        (40, 'bright', 24, 0.3)
    """
    check_frame(frame)
    fabrics = _fabrics(category)
    if len(counts) != len(COUNTED) or not all(0 <= count <= PART_SIZE for count in counts):
        raise ValueError(f"counts must be four numbers from 0 to {PART_SIZE:,} ({', '.join(COUNTED)}), got {counts}")
    train, validation, normals = (
        [TextileRecord(fabrics[k % len(fabrics)], seed, part * PART_SIZE + k) for k in range(counts[part])]
        for part in range(3)
    )
    if any(option is not None for option in (types, sizes, severities, repeats)):
        cells = cross(frame, types, sizes, severities)
        crossed = enumerate(in_turn(cells, frames_in_all(cells, repeats), fabrics), start=4 * PART_SIZE)
        defective = [TextileRecord(fabric, seed, k, *astuple(cell)) for k, (fabric, cell) in crossed]
    else:
        types = tuple(MAKERS)
        # After so many frames, start one fabric further, so that each fabric meets each type.
        turn = lcm(len(fabrics), len(types))
        defective = [
            TextileRecord(fabrics[(k + k // turn) % len(fabrics)], seed, 3 * PART_SIZE + k, types[k % len(types)])
            for k in range(counts[3])
        ]
    return {"train": train, "validation": validation, "test": normals + defective}


def _fabrics(category: str | Sequence[str] | None) -> list[str]:
    if category is None:
        return list(FABRICS)
    names = [category] if isinstance(category, str) else list(category)
    unknown = [name for name in names if name not in FABRICS]
    if unknown or not names:
        raise ValueError(f"category must name fabrics among {', '.join(FABRICS)}, got {category!r}; None takes all")
    return names
