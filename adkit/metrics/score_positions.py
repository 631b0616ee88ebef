"""Scores as whole numbers that never fall as the score rises, and the fine bins of such positions.

The position of a score is its float32 pattern, in which an octave (power of two) has 2**23 positions, so it is fine
near 0. Sigmoids, tanh and cosines crowd at 1 (and -1) instead. There, from 0.5 to 1, the pattern of the distance to 1
counts, so positions are as fine near 1 as near 0.

A bin is a run of 2**k positions that begins at a multiple of 2**k; the k last bits are dropped. An octave says the most
bits that its bins may drop. Scores that saturate at any other value, as ``100 * sigmoid`` does, crowd at the end of
what was seen, so near the lowest and the highest position a bin is also at most 2**-12 of its distance to either wide.
Ends only move outwards and octaves only drop more, so bins only ever join: those of a set are unions of those of its
parts.
"""

import numpy as np

MANTISSA = 23  # bits of float32
FINE = 12  # each time the distance to the lowest or the highest score halves there are 2**FINE bins
_LARGEST = float(np.finfo(np.float32).max)
_HALF = 126 << MANTISSA  # the float32 pattern of 0.5
_ONE = 2 * _HALF  # the position of 1: as many octaves lie between 0.5 and 1 as between 0 and 0.5


def positions_of(scores: np.ndarray) -> np.ndarray:
    """The position of each score: it never falls as the score rises, and that of -x is ``-1 - position``.

    Args:
        scores: float32 or float64 of any shape, finite; those beyond the range of float32 share its last position.

    Returns:
        int64, of the same shape.
    """
    size = np.abs(scores)
    near_one = (size > 0.5) & (size < 1)
    size = np.minimum(np.where(near_one, 1 - size, size), _LARGEST).astype(np.float32)
    positions = size.view(np.int32).astype(np.int64)
    np.subtract(_ONE - 1, positions, out=positions, where=near_one)
    np.add(positions, _ONE - (127 << MANTISSA), out=positions, where=size >= 1)
    return np.invert(positions, out=positions, where=scores < 0)


def most_dropped(octave: int) -> int:
    """The most bits that the bins of an octave may leave out.

    An octave keeps 17 bits, 2**17 bins. From 0.5 to 1, bins are as wide as those of one plain octave would be, but
    each time the distance to 1 halves there are at least 2**12 of them.

    Args:
        octave: number of the octave, ``positions_of(score) >> MANTISSA``.
    """
    halvings = max(octave, ~octave) - (_HALF >> MANTISSA)
    mantissa_bits = max(16 - halvings, 12) if 0 <= halvings < _HALF >> MANTISSA else 17
    return MANTISSA - mantissa_bits


def bins_of(positions: np.ndarray, dropped: np.ndarray | int, ends: tuple[int, int]) -> np.ndarray:
    """The first position of the bin of each position.

    Args:
        positions: (N,) ascending.
        dropped: the most bits that a bin leaves out, one number or (N,).
        ends: the lowest and the highest position of all that was seen.

    Returns:
        (N,) ascending.
    """
    dropped = np.broadcast_to(dropped, positions.shape)
    bins = positions >> dropped << dropped
    if most := int(dropped.max(initial=0)):
        reach = 1 << (most + FINE + 1)
        below, above = np.searchsorted(positions, [ends[0] + reach, ends[1] - reach])
        for near in (slice(0, below), slice(max(below, above), None)):
            bins[near] = _near_an_end(positions[near], dropped[near], ends)
    return bins


def _near_an_end(positions: np.ndarray, dropped: np.ndarray, ends: tuple[int, int]) -> np.ndarray:
    starts = group_starts(positions)
    positions, dropped, times = positions[starts], dropped[starts], np.diff(starts, append=positions.size)
    bins = positions.copy()
    for bits in range(1, int(dropped.max(initial=0)) + 1):
        first = positions >> bits << bits
        distance = np.minimum(first - ends[0], ends[1] - first - (1 << bits) + 1)
        np.copyto(bins, first, where=(distance >= 1 << (bits + FINE)) & (bits <= dropped))
    return np.repeat(bins, times)


def group_starts(ascending: np.ndarray) -> np.ndarray:
    """Where each group of equal values starts.

    Args:
        ascending: (N,) values.

    Example:
        >>> group_starts(np.array([3, 3, 4, 9, 9])).tolist()
        [0, 2, 3]
    """
    return np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1])[: ascending.size])
