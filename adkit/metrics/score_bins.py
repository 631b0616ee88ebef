"""Tables of what fell into fine bins of scores.

What a bin is, :mod:`adkit.metrics.score_positions` says. How many bits an octave may drop, all scores that were seen
decide, for each octave alone: it is the smallest number that leaves at most ``FEW_BINS`` bins in use, or
``most_dropped`` where none does. So an octave with few distinct scores keeps them all, and a full one has 2**17 bins,
and some more at the ends of what was seen. A set never needs fewer dropped bits than a part of it, and all sums are of
integers: tables merge to the same bits in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adkit.metrics.components import Pixels
from adkit.metrics.score_positions import MANTISSA, bins_of, group_starts, most_dropped, positions_of

FEW_BINS = 1 << 14
SHARE = 32  # a whole region is 2**SHARE units, so 2**31 regions fit into an int64
BIN_ROW = np.dtype(
    [
        ("bin", np.int64),  # its first position
        ("normal", np.int64),  # pixels
        ("defective", np.int64),  # pixels
        ("overlap", np.int64),  # shares of regions, in units of 2**-SHARE of a region
        ("low", np.float64),  # lowest score; where it equals the highest, the bin is one tie
        ("high", np.float64),
    ]
)
COUNTS = ("normal", "defective", "overlap")


@dataclass
class Octave:
    """The bins in use of one octave.

    Attributes:
        rows: (R,) of ``BIN_ROW``, lowest bin first.
        dropped: how many of the last bits of a position its bins leave out at most, 0 to 23.
    """

    rows: np.ndarray
    dropped: int


BinTable = dict[int, Octave]  # by the number of the octave, ``positions_of(score) >> MANTISSA``


def pixel_table(pixels: Pixels, known: BinTable) -> BinTable:
    """The table of the pixels of whole images.

    Args:
        pixels: the pixels, normal scores ascending.
        known: a table that this one will be merged with: what it has dropped need not be found out again.
    """
    order = np.argsort(pixels.defective)
    scores = {"normal": pixels.normal, "defective": pixels.defective[order]}
    positions = {kind: positions_of(values) for kind, values in scores.items()}
    own = [int(values[end]) for values in positions.values() if values.size for end in (0, -1)]
    octaves = range(min(own) >> MANTISSA, (max(own) >> MANTISSA) + 1)
    ends = ends_of(known, own)
    edges = np.arange(octaves.start, octaves.stop + 1) << MANTISSA
    parts = {kind: np.searchsorted(values, edges) for kind, values in positions.items()}

    dropped = np.array([known[octave].dropped if octave in known else 0 for octave in octaves])
    for kind, starts in parts.items():
        for index in np.flatnonzero(np.diff(starts) > FEW_BINS):
            inside = positions[kind][starts[index] : starts[index + 1]]
            dropped[index] = _enough_dropped(inside, octaves[index], dropped[index])

    bins = {kind: bins_of(values, np.repeat(dropped, np.diff(parts[kind])), ends) for kind, values in positions.items()}
    normal = _tally("normal", scores["normal"], bins["normal"])
    defective = _tally("defective", scores["defective"], bins["defective"])
    if order.size:
        defective["overlap"] = np.add.reduceat(_shares(pixels, order), group_starts(bins["defective"]))
    rows = _union(normal, defective)
    starts = np.searchsorted(rows["bin"], edges).tolist()
    return {
        octave: _fitting(Octave(rows[start:end].copy(), count), octave, ends)
        for octave, start, end, count in zip(octaves, starts[:-1], starts[1:], dropped.tolist(), strict=True)
        if end > start
    }


def merge_tables(a: BinTable, b: BinTable) -> BinTable:
    """One table of all that is in two; both are used up. It is quickest where ``a`` is the longer."""
    before, ends = ends_of(a), ends_of(a, ends_of(b))
    # bins near an end change with it; while it stays, only what is new has to be fitted in
    for number in b if ends == before else {*a, *b}:
        octaves = [table[number] for table in (a, b) if number in table]
        dropped = max(octave.dropped for octave in octaves)
        parts = [_coarsen(octave, dropped, ends).rows for octave in octaves]
        a[number] = _fitting(Octave(_union(*parts) if len(parts) > 1 else parts[0], dropped), number, ends)
    return a


def ends_of(table: BinTable, others: Sequence[int] = ()) -> tuple[int, ...]:
    """The lowest and the highest position of the scores of a table.

    Args:
        table: empty: it has none.
        others: positions that count as well.
    """
    ends = list(others)
    if table:
        scores = table[min(table)].rows["low"][:1], table[max(table)].rows["high"][-1:]
        ends += positions_of(np.concatenate(scores)).tolist()
    return (min(ends), max(ends)) if ends else ()


def table_rows(table: BinTable) -> np.ndarray:
    """All rows of a table as one array (R,) of ``BIN_ROW``, lowest bin first."""
    return np.concatenate([np.zeros(0, dtype=BIN_ROW), *(table[octave].rows for octave in sorted(table))])


def split_rows(rows: np.ndarray, dropped: np.ndarray) -> BinTable:
    """The table that ``table_rows`` has made one array of.

    Args:
        rows: (R,) of ``BIN_ROW``, lowest bin first.
        dropped: (O,) the dropped bits of each octave in use, lowest octave first.

    Raises:
        ValueError: if ``dropped`` is not one number an octave.
    """
    octaves, starts = np.unique(rows["bin"] >> MANTISSA, return_index=True)
    if len(octaves) != len(dropped):
        raise ValueError(f"the rows lie in {len(octaves)} octaves, but {len(dropped)} numbers of dropped bits came")
    parts = np.split(rows, starts[1:]) if octaves.size else []
    return {
        octave: Octave(part, bits)
        for octave, part, bits in zip(octaves.tolist(), parts, np.asarray(dropped).tolist(), strict=True)
    }


def table_size(table: BinTable) -> int:
    """The number of rows of a table."""
    return sum(octave.rows.size for octave in table.values())


def _tally(kind: str, scores: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Rows of the scores of one kind, given in ascending order with the bin of each."""
    starts = group_starts(bins)
    ends = np.append(starts, bins.size)[1:]
    rows = np.zeros(starts.size, dtype=BIN_ROW)
    rows["bin"], rows[kind] = bins[starts], ends - starts
    rows["low"], rows["high"] = scores[starts], scores[ends - 1]
    return rows


def _union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rows of two, each bin once; ``a`` is used up."""
    if not a.size:
        return b
    places = np.searchsorted(a["bin"], b["bin"])
    known = a["bin"][np.minimum(places, a.size - 1)] == b["bin"]
    shared, more = places[known], b[known]
    for name in COUNTS:
        a[name][shared] += more[name]
    a["low"][shared] = np.minimum(a["low"][shared], more["low"])
    a["high"][shared] = np.maximum(a["high"][shared], more["high"])
    return a if more.size == b.size else np.insert(a, places[~known], b[~known])


def _enough_dropped(positions: np.ndarray, octave: int, dropped: int) -> int:
    """How many bits an octave must drop for ascending positions in it, at least so many as it has dropped."""
    most = most_dropped(octave)
    while dropped < most and group_starts(positions >> dropped).size > FEW_BINS:
        dropped += 1
    return dropped


def _fitting(octave: Octave, number: int, ends: tuple[int, int]) -> Octave:
    """The same counts, with as many bits dropped as so many bins demand."""
    if octave.rows.size <= FEW_BINS:
        return octave
    return _coarsen(octave, _enough_dropped(octave.rows["bin"], number, octave.dropped), ends)


def _coarsen(octave: Octave, dropped: int, ends: tuple[int, int]) -> Octave:
    """The same counts in bins that leave out more bits, or lie further from the ends than before."""
    bins = bins_of(octave.rows["bin"], dropped, ends)
    if np.array_equal(bins, octave.rows["bin"]):
        return Octave(octave.rows, dropped)
    starts = group_starts(bins)
    rows = octave.rows[starts]
    rows["bin"], rows["high"] = bins[starts], octave.rows["high"][np.append(starts[1:], bins.size) - 1]
    for name in COUNTS:
        rows[name] = np.add.reduceat(octave.rows[name], starts)
    return Octave(rows, dropped)


def _shares(pixels: Pixels, order: np.ndarray) -> np.ndarray:
    """The share of each defective pixel in its region, in whole units, in the ascending order of their scores.

    The first k pixels of a region together hold floor(k * 2**SHARE / area) units: the shares of a region add up to
    exactly one region, and what falls into a bin depends on that region alone.
    """
    by_region = np.argsort(pixels.region[order], kind="stable")
    area = np.repeat(pixels.areas, pixels.areas)
    rank = np.arange(order.size) - np.repeat(np.cumsum(pixels.areas) - pixels.areas, pixels.areas)
    shares = np.empty(order.size, dtype=np.int64)
    shares[by_region] = ((rank + 1) << SHARE) // area - (rank << SHARE) // area
    return shares
