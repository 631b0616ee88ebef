"""A test part that crosses type, size and severity, so that each can be judged apart from the others.

In the default set the specks are small and the brightness regions large: there, "by size" is "by type".
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from numbers import Integral, Real

from adkit.data.textile.loom import ALL_MAKERS, MAKERS, check_pixels
from adkit.data.textile.whole_frame import WHOLE_FRAME

LEAST_FRAMES = 50  # defective frames of the test part, as many as in the default set


@dataclass(frozen=True)
class Cell:
    """One combination; None: the frame chooses.

    Attributes:
        kind: defect type.
        pixels: longer side of its box in pixels; None for types of the whole frame too.
        severity: in (0, 1].
    """

    kind: str
    pixels: float | None = None
    severity: float | None = None


def cross(
    frame: tuple[int, int],
    types: Sequence[str] | None = None,
    sizes: Sequence[float] | None = None,
    severities: Sequence[float] | None = None,
) -> list[Cell]:
    """All combinations, the types in turn.

    Args:
        frame: height and width in pixels.
        types: names in ``DEFECT_TYPES`` or ``WHOLE_FRAME_TYPES``; None: ``DEFECT_TYPES``.
        sizes: pixels, see :meth:`adkit.data.textile.Textile.weave`; types of the whole frame are not crossed with them.
        severities: in (0, 1].

    Raises:
        ValueError: if a list is empty or holds something twice, a type is unknown, a size does not fit into the frame,
            or a severity lies outside (0, 1].

    Example:
        >>> cells = cross((176, 976), ["dots", "illumination"], sizes=[24, 96], severities=[0.5])
        >>> [(cell.kind, cell.pixels) for cell in cells]
        [('dots', 24), ('illumination', None), ('dots', 96)]
    """
    types = _distinct("types", types) or tuple(MAKERS)
    sizes, severities = _distinct("sizes", sizes), _distinct("severities", severities)
    if unknown := [kind for kind in types if kind not in ALL_MAKERS]:
        raise ValueError(f"types must be among {', '.join(ALL_MAKERS)}, got {unknown}")
    for pixels in sizes:
        check_pixels(pixels, frame)
    for severity in severities:
        if not isinstance(severity, Real) or isinstance(severity, bool) or not 0 < severity <= 1:
            raise ValueError(f"severities must lie in (0, 1], got {severity!r}")
    cells = [
        Cell(kind, None if kind in WHOLE_FRAME else pixels, severity)
        for severity, pixels, kind in product(severities or (None,), sizes or (None,), types)
    ]
    return list(dict.fromkeys(cells))


def frames_in_all(cells: Sequence[Cell], repeats: int | None) -> int:
    """How many defective frames a crossed test part has.

    Args:
        cells: of :func:`cross`.
        repeats: frames of each cell, at least 1; None: as few as make 50 in all.

    Raises:
        ValueError: if ``repeats`` is no whole number of at least 1.
    """
    if repeats is None:
        return -(-LEAST_FRAMES // len(cells)) * len(cells)
    if not isinstance(repeats, Integral) or isinstance(repeats, bool) or repeats < 1:
        raise ValueError(f"repeats must be a whole number of at least 1, or None, got {repeats!r}")
    return int(repeats) * len(cells)


def in_turn(cells: Sequence[Cell], count: int, fabrics: Sequence[str]) -> list[tuple[str, Cell]]:
    """Fabric and cell of each frame: the fabric that the cell, its type, its size and its severity met least so far.

    Args:
        cells: of :func:`cross`.
        count: frames in all.
        fabrics: names.
    """
    met: Counter = Counter()
    frames = []
    for k in range(count):
        cell = cells[k % len(cells)]
        seen = (cell, cell.kind, ("size", cell.pixels), ("severity", cell.severity))
        fabric = min(fabrics, key=lambda name, seen=seen: [met[name, what] for what in seen])
        met.update((fabric, what) for what in seen)
        frames.append((fabric, cell))
    return frames


def _distinct(name: str, values: Sequence | None) -> tuple:
    if values is None:
        return ()
    if isinstance(values, str) or not isinstance(values, Sequence) or not values or len(set(values)) < len(values):
        raise ValueError(f"{name} must be a list of distinct values, or None, got {values!r}")
    return tuple(values)
