"""Lists of textile frames for training, validation and test: names of frames, woven when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import lcm

import numpy as np

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
    """

    fabric: str
    seed: int
    index: int
    kind: str | None = None

    def weave(self, frame: tuple[int, int] = (176, 976)) -> tuple[np.ndarray, np.ndarray]:
        """The frame's image, uint8 (H, W), and mask, bool (H, W).

        Args:
            frame: height and width in pixels, at least 32 each.
        """
        return _loom(self.fabric, tuple(frame), self.seed).weave(self.index, self.kind)


@lru_cache(maxsize=32)
def _loom(fabric: str, frame: tuple[int, int], seed: int) -> Textile:
    return Textile(fabric, frame, seed)


def textile_records(
    category: str | Sequence[str] | None = None,
    frame: tuple[int, int] = (176, 976),
    seed: int = 0,
    counts: Sequence[int] = (80, 40, 50, 50),
) -> dict[str, list[TextileRecord]]:
    """The textile's three parts.

    Args:
        category: a fabric, a list of fabrics, or None for all of them, taken in turn.
        frame: height and width in pixels that the records will be woven at; checked here, before any training starts.
        seed: integer, at least 0; another seed weaves other cloth.
        counts: frames in all of: train, validation, test normals, test defective (the five defect types in turn).

    Returns:
        dict of ``train``, ``validation`` and ``test``; no frame is in two of them.

    Raises:
        ValueError: if a fabric is unknown, or the frame or the counts are impossible.

    Example:
        >>> parts = textile_records("denim", counts=(4, 2, 1, 5))
        >>> [record.kind for record in parts["test"]]
        [None, 'bright', 'dark', 'brightness', 'texture', 'dots']
    """
    check_frame(frame)
    fabrics = _fabrics(category)
    if len(counts) != len(COUNTED) or not all(0 <= count <= PART_SIZE for count in counts):
        raise ValueError(f"counts must be four numbers from 0 to {PART_SIZE:,} ({', '.join(COUNTED)}), got {counts}")
    train, validation, normals = (
        [TextileRecord(fabrics[k % len(fabrics)], seed, part * PART_SIZE + k) for k in range(counts[part])]
        for part in range(3)
    )
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
