"""Faults of weaving: missing and double picks, floats, broken yarns, folds, made in the yarns themselves.

Each function takes a cloth, a generator, severity and size in (0, 1] (or a size in ``Pixels``), and returns the
changed cloth with the region (H, W) bool of the defect; what little a change does beyond its region, ``add_defect``
leaves out of the frame. All but the fold are written for picks; a fault of the warp is the same fault in the cloth
turned by a quarter.
"""

from dataclasses import dataclass, replace

import numpy as np

from adkit.data.textile.cloth import WIDTH_FLOOR, Cloth
from adkit.data.textile.places import Pixels, bent_line, extent, place, share, smoothstep, soft_edge

SMALLEST_DOUBLE = 24  # px: two picks with what gives way beside them

Change = tuple[Cloth, np.ndarray]


@dataclass(frozen=True)
class Stretch:
    """A stretch of one pick."""

    pick: int
    along: np.ndarray  # (W,) float32 in [0, 1], by pixel: how much of the fault is there
    warps: np.ndarray  # (warps,) the same by warp
    region: np.ndarray  # (H, W) bool: where it lies


def texture(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """One of: missing pick, double pick, float, broken yarn, fold.

    Args:
        cloth: without a defect; it stays as it is.
        rng: decides where the defect lies and which form it takes.
        severity: in (0, 1], from barely visible to plain.
        size: in (0, 1], from small to large; or ``Pixels``: no double pick is smaller than 24.

    Returns:
        The changed cloth, and the region (H, W) bool of the defect.
    """
    make = (_missing_pick, _double_pick, _float, _broken_yarn, _fold)[rng.integers(5)]
    if make is _double_pick and isinstance(size, Pixels) and size < SMALLEST_DOUBLE:
        make = _missing_pick
    return make(cloth, rng, severity, size)


def turned(cloth: Cloth) -> Cloth:
    """The cloth with warp and weft exchanged, as a transposed picture; twice gives it back.

    Args:
        cloth: it stays as it is.
    """
    fabric = cloth.fabric
    swapped = {name: getattr(fabric, name)[::-1] for name in ("pitch", "thickness", "albedo")}
    return replace(
        cloth,
        fabric=replace(fabric, **swapped),
        u=cloth.v.T,
        v=cloth.u.T,
        warp=cloth.weft,
        weft=cloth.warp,
        lifts=1 - cloth.lifts.T,
    )


def faces_warp(cloth: Cloth, rng: np.random.Generator) -> bool:
    """Whether the warp makes the face of the cloth.

    Args:
        cloth: of any weave.
        rng: decides where warp and weft show alike.
    """
    return bool(cloth.lifts.mean() > rng.uniform(0.4, 0.6))


def pick_stretch(cloth: Cloth, rng: np.random.Generator, length: float, picks: int = 1) -> Stretch:
    """Choose a stretch on neighbouring picks, inside the frame.

    Args:
        cloth: without a defect.
        rng: decides where.
        length: of the stretch in pixels.
        picks: number of neighbouring picks.
    """
    pitch = cloth.fabric.pitch
    y, x = place(rng, cloth.shape, (picks + 2) * pitch[1], length)
    row = cloth.u[int(y)]
    pick = int(cloth.v[int(y), int(x)]) - (picks - 1) // 2
    columns = np.arange(cloth.shape[1])
    edge = np.float32(min(6.0, length / 4))
    along = smoothstep((np.float32(length / 2) - np.abs(columns - x).astype(np.float32)) / edge)
    warps = np.interp(np.arange(cloth.lifts.shape[0]) + 0.5, row, along, left=0, right=0).astype(np.float32)
    # Neighbours give way a little.
    on_picks = np.abs(cloth.v - np.float32(pick + picks / 2)) < np.float32(picks / 2 + 0.3)
    on_length = np.abs(columns - x) < (length + pitch[0]) / 2
    return Stretch(pick, along, warps, on_picks & on_length)


def _missing_pick(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """The pick thins out and is gone at full severity; the warps run on between its neighbours."""
    stretch = pick_stretch(cloth, rng, extent(size, 60, 400, cloth.shape[1]))
    return _without(cloth, stretch, severity), stretch.region


def _without(cloth: Cloth, stretch: Stretch, severity: float) -> Cloth:
    pick = stretch.pick
    half_width, lifts = cloth.weft.half_width.copy(), cloth.lifts.copy()
    half_width[pick] = np.maximum(half_width[pick] * (1 - np.float32(severity) * stretch.along), WIDTH_FLOOR)
    lifts[:, pick] += np.float32(severity) * stretch.warps * (np.float32(0.4) - lifts[:, pick])
    return replace(cloth, weft=replace(cloth.weft, half_width=half_width), lifts=lifts)


def _double_pick(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """Two picks in one shed: the second repeats the crossings of the first."""
    stretch = pick_stretch(cloth, rng, extent(size, 60, 400, cloth.shape[1]), picks=2)
    first, second = stretch.pick, stretch.pick + 1
    lifts, half_width, offset = cloth.lifts.copy(), cloth.weft.half_width.copy(), cloth.weft.offset.copy()
    # Where both lie in one shed already, as in the pairs of a basket, they take the shed before them.
    one_shed = (lifts[:, first] == lifts[:, second]).all()
    shed = lifts[:, first - 1 if one_shed else first]
    weight = np.float32(severity) * stretch.warps
    lifts[:, second] += weight * (shed - lifts[:, second])
    # Two yarns stand higher than one, and close together.
    lifts[:, [first, second]] -= 0.2 * weight[:, None]
    half_width[[first, second]] *= 1 + np.float32(0.15 * severity) * stretch.along
    offset[first] += np.float32(0.2 * severity) * stretch.along
    offset[second] -= np.float32(0.2 * severity) * stretch.along
    return replace(cloth, weft=replace(cloth.weft, half_width=half_width, offset=offset), lifts=lifts), stretch.region


def _float(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """Some yarns lie loose over the face where they should interlace: picks, or warps where picks show already."""
    turn = not faces_warp(cloth, rng)
    cloth = turned(cloth) if turn else cloth
    pitch = cloth.fabric.pitch[1]
    picks = min(2 + round(2 * share(size, 20, 90)), int(0.5 * cloth.shape[0] / pitch))
    length = extent(size, 20, 90, cloth.shape[1])
    if isinstance(size, Pixels):  # never higher than long
        picks = max(min(picks, int(length / pitch - 0.6)), 1)
    stretch = pick_stretch(cloth, rng, length, picks)
    rows = slice(stretch.pick, stretch.pick + picks)
    weight = np.float32(severity)
    lifts, half_width = cloth.lifts.copy(), cloth.weft.half_width.copy()
    lifts[:, rows] += weight * stretch.warps[:, None] * (np.float32(-0.25) - lifts[:, rows])
    half_width[rows] *= 1 + np.float32(0.1) * weight * stretch.along
    changed = replace(cloth, weft=replace(cloth.weft, half_width=half_width), lifts=lifts)
    return (turned(changed), stretch.region.T) if turn else (changed, stretch.region)


def _broken_yarn(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """A yarn of the face is gone for a while, and its two ends stand up."""
    turn = faces_warp(cloth, rng)
    cloth = turned(cloth) if turn else cloth
    stretch = pick_stretch(cloth, rng, extent(size, 25, 140, cloth.shape[1]))
    changed = _without(cloth, stretch, severity)
    ends = np.abs(stretch.along - np.float32(0.4)) < 0.35  # where the stretch fades in and out
    half_width, lifts = changed.weft.half_width.copy(), changed.lifts.copy()
    half_width[stretch.pick] += ends * np.float32(0.35 * severity)
    crossings = (stretch.warps > 0) & (stretch.warps < 1)
    lifts[crossings, stretch.pick] -= np.float32(0.8 * severity)
    changed = replace(changed, weft=replace(changed.weft, half_width=half_width), lifts=lifts)
    return (turned(changed), stretch.region.T) if turn else (changed, stretch.region)


def _fold(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """A crease: yarns pressed together across a line, one flank in the light and the other in the shade."""
    length = extent(size, 50, 160, cloth.shape[0] if cloth.shape[0] > 100 else min(cloth.shape))
    angle = np.pi / 2 + rng.uniform(-0.5, 0.5)
    bend = tuple(rng.uniform(-0.06, 0.06, 2) * length)
    half = np.float32(5 + 6 * share(size, 50, 160))
    if isinstance(size, Pixels):
        half = min(half, np.float32(length / 4))
    along, across = bent_line(cloth.shape, place(rng, cloth.shape, length, length / 2), angle, length, bend)
    side = across / half
    inside = np.clip(1 - side * side, 0, None) * soft_edge((1 - np.abs(along)) * 3)
    flank = side * inside * np.float32(severity * rng.choice((-1, 1)))
    return replace(cloth, u=cloth.u + flank, gain=1 + np.float32(0.8) * flank), inside > 0
