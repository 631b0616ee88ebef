"""Fine bins of scores, and tables of what fell into them.

A score falls into a bin by the leading bits of its float32 pattern (sign, exponent, 17 bits of mantissa), so a bin is
a 131072nd of an octave: narrow near any value, in any unit, whatever the distribution. A table holds a row for each
bin in use, lowest bin first. All its sums are of integers, so tables merge to the same bits in any order.
"""

import numpy as np

from adkit.metrics.components import Pixels

MANTISSA = 17  # bits: 2**17 bins in each octave (power of two)
BINS = 1 << (9 + MANTISSA)  # float32 has 8 bits of exponent and a sign
SHARE = 32  # a whole region is 2**SHARE units, so 2**31 regions fit into an int64
ROW = np.dtype(
    [
        ("bin", np.int64),
        ("normal", np.int64),  # pixels
        ("defective", np.int64),  # pixels
        ("overlap", np.int64),  # shares of regions, in units of 2**-SHARE of a region
        ("low", np.float64),  # lowest score; where it equals the highest, the bin is one tie
        ("high", np.float64),
    ]
)
_LARGEST = float(np.finfo(np.float32).max)


def bin_of(scores: np.ndarray) -> np.ndarray:
    """The bin of each score, int64 in [0, BINS): it never falls as the score rises."""
    single = np.clip(scores, -_LARGEST, _LARGEST).astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0
    pattern = single.view(np.int32)
    ordered = np.where(pattern < 0, pattern ^ 0x7FFFFFFF, pattern)  # patterns of negative floats count backwards
    return (ordered >> (23 - MANTISSA)).astype(np.int64) + BINS // 2


def empty_table() -> np.ndarray:
    """A table without a row."""
    return np.zeros(0, dtype=ROW)


def pixel_table(pixels: Pixels) -> np.ndarray:
    """The table of the pixels of whole images."""
    normal, defective = _tally("normal", pixels.normal), _tally("defective", np.sort(pixels.defective))
    bins, shares = _shares(pixels)
    np.add.at(defective["overlap"], np.searchsorted(defective["bin"], bins), shares)
    return merge_tables(normal, defective)


def merge_tables(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One table of all that is in two; ``a`` is used up. It is quickest where ``a`` is the longer."""
    rows = np.searchsorted(a["bin"], b["bin"])
    known = np.append(a["bin"], -1)[rows] == b["bin"]
    shared, more = rows[known], b[known]
    for name in ("normal", "defective", "overlap"):
        a[name][shared] += more[name]
    a["low"][shared] = np.minimum(a["low"][shared], more["low"])
    a["high"][shared] = np.maximum(a["high"][shared], more["high"])
    return np.insert(a, rows[~known], b[~known])


def _tally(kind: str, scores: np.ndarray) -> np.ndarray:
    """The table of scores of one kind, given in ascending order."""
    bins = bin_of(scores)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    ends = np.append(starts, scores.size)[1:]
    table = np.zeros(starts.size, dtype=ROW)
    table["bin"], table[kind] = bins[starts], ends - starts
    table["low"], table["high"] = scores[starts], scores[ends - 1]
    return table


def _shares(pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each defective pixel, and its share of its region in whole units.

    The first k pixels of a region together hold floor(k * 2**SHARE / area) units: the shares of a region add up to
    exactly one region, and what falls into a bin depends on that region alone.
    """
    bins = bin_of(pixels.defective)
    order = np.lexsort((bins, pixels.region))
    area = pixels.areas[pixels.region[order]]
    rank = np.arange(order.size) - np.repeat(np.cumsum(pixels.areas) - pixels.areas, pixels.areas)
    return bins[order], ((rank + 1) << SHARE) // area - (rank << SHARE) // area
