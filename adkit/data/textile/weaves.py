"""Weaves: which yarn lies on top at each crossing.

A weave is a small matrix that repeats over the cloth: entry ``[i, j]`` is 1 where warp ``i`` (vertical) passes over
weft ``j`` (horizontal, also called a pick) and 0 where it passes under.
"""

import numpy as np

SAMPLES = 16  # lift samples from one crossing to the next


def _twill(over: int) -> np.ndarray:
    """A twill ``over``/1: each warp passes over so many picks, then under one, a pick later than its neighbour."""
    repeat = over + 1
    warp, weft = np.indices((repeat, repeat))
    return ((weft - warp) % repeat != 0).astype(np.uint8)


def _satin(ends: int, move: int) -> np.ndarray:
    """A warp-faced satin: one binding point a yarn, ``move`` picks on from its neighbour's, so that none touch."""
    warp, weft = np.indices((ends, ends))
    return (weft != warp * move % ends).astype(np.uint8)


_PLAIN = np.eye(2, dtype=np.uint8)

WEAVES: dict[str, np.ndarray] = {
    "plain": _PLAIN,
    "twill_2_1": _twill(2),
    "twill_3_1": _twill(3),
    "satin_5": _satin(5, 2),
    "sateen_5": 1 - _satin(5, 2),  # the same cloth seen from its other face: weft on top
    "basket_2_2": np.kron(_PLAIN, np.ones((2, 2), np.uint8)),
}


def repeat_weave(weave: np.ndarray, warps: int, wefts: int, start: tuple[int, int] = (0, 0)) -> np.ndarray:
    """The weave over a whole cloth.

    Args:
        weave: one repeat, (n, m) of 0 and 1.
        warps: number of warps.
        wefts: number of picks.
        start: the crossing of the repeat, warp and pick, at which the cloth begins.

    Returns:
        float32 (warps, wefts) of 0 and 1.

    Example:
        >>> repeat_weave(WEAVES["plain"], 2, 4).tolist()
        [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """
    rows = (np.arange(warps) + start[0]) % weave.shape[0]
    columns = (np.arange(wefts) + start[1]) % weave.shape[1]
    return weave[np.ix_(rows, columns)].astype(np.float32)


def lift_along(crossings: np.ndarray) -> np.ndarray:
    """How high each yarn lies along its length: a yarn bends from one crossing to the next like a cosine.

    Args:
        crossings: (n, m) float32, height of yarn ``n`` at the middle of its ``m``-th crossing.

    Returns:
        (n, m * SAMPLES) float32; sample ``k`` lies at crossing coordinate ``(k + 0.5) / SAMPLES``.
    """
    # Samples from the middle of a crossing, in crossings; on the border the neighbour has a share of a half.
    place = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    share = (0.5 - 0.5 * np.cos(np.pi * np.abs(place))).astype(np.float32)
    padded = np.pad(crossings, ((0, 0), (1, 1)), mode="edge")
    here, before, after = (padded[:, k : k + crossings.shape[1], None] for k in (1, 0, 2))
    half = SAMPLES // 2
    left = here + (before - here) * share[:half]
    right = here + (after - here) * share[half:]
    return np.concatenate([left, right], axis=2).reshape(len(crossings), -1)
