"""Defects of colour: foreign yarns, lint, spots, stains, shifts of brightness, specks.

Each function takes a cloth, a generator, severity and size in (0, 1] (or a size in ``Pixels``), and returns the
changed cloth with the region (H, W) bool of the defect; what little a change does beyond its region, ``add_defect``
leaves out of the frame.
"""

from dataclasses import replace

import numpy as np

from adkit.data.textile.cloth import STRANDS, Cloth
from adkit.data.textile.faults import Change, faces_warp, pick_stretch, turned
from adkit.data.textile.places import Pixels, bent_line, extent, grid, place, share, smoothstep, soft_edge

PALE, DIRT = 1.0, 0.10  # reflectance of bleached cotton and of trash or oil


def bright(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """A lighter foreign yarn, a lint fibre on the cloth, or a pale spot.

    Args:
        cloth: without a defect; it stays as it is.
        rng: decides where the defect lies and which form it takes.
        severity: in (0, 1], from barely visible to plain.
        size: in (0, 1], from small to large.

    Returns:
        The changed cloth, and the region (H, W) bool of the defect.
    """
    make = (_pale_yarn, _lint, _pale_spot)[rng.integers(3)]
    return make(cloth, rng, severity, size)


def dark(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """An oil stain that wicks along the yarns, or a stretch of dark yarn.

    Args:
        cloth: without a defect; it stays as it is.
        rng: decides where the defect lies and which form it takes.
        severity: in (0, 1], from barely visible to plain.
        size: in (0, 1], from small to large.

    Returns:
        The changed cloth, and the region (H, W) bool of the defect.
    """
    make = (_oil, _oil, _dark_yarn)[rng.integers(3)]
    return make(cloth, rng, severity, size)


def brightness(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """A region 40 to 250 px wide with a soft edge, lighter or darker by up to 22 %: uneven dye or finish.

    Args:
        cloth: without a defect; it stays as it is.
        rng: decides where the defect lies and which form it takes.
        severity: in (0, 1], from barely visible to plain.
        size: in (0, 1], from small to large.

    Returns:
        The changed cloth, and the region (H, W) bool of the defect.
    """
    height, width = cloth.shape
    across = extent(size, 40, 250, width)
    shape = rng.random()
    down = across * (0.5 + 0.5 * shape) if isinstance(size, Pixels) else extent(size, 30, 60 + 80 * shape, height)
    sign = rng.choice((-1.0, 1.0))
    y, x = grid(cloth.shape, place(rng, cloth.shape, down, across))
    y, x = y / np.float32(down / 2), x / np.float32(across / 2)
    corner = np.clip(x, -1, 1) * np.clip(y, -1, 1)
    radius = np.sqrt(x * x + y * y - np.float32(0.4) * corner * corner)  # an ellipse with full shoulders
    weight = soft_edge((1 - radius) / np.float32(0.5))
    return replace(cloth, gain=1 + np.float32(0.22 * sign * severity) * weight), weight > 0


def dots(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """Three to eight specks of 1.5 to 5 px radius near each other: neps (light) or seed trash (dark).

    Args:
        cloth: without a defect; it stays as it is.
        rng: decides where the defect lies and which form it takes.
        severity: in (0, 1], from barely visible to plain.
        size: in (0, 1], from small to large; or ``Pixels``, the diameter of the largest speck: the specks then lie
            apart, and are fewer where no more have room.

    Returns:
        The changed cloth, and the region (H, W) bool of the defect.
    """
    height, width = cloth.shape
    spread = min(height, 120) * 0.8, min(width, 200) * 0.8
    most, room = 8, 0.0
    if isinstance(size, Pixels):  # side by side, with some cloth between them
        room, step = float(size), max(1.6 * size, size + 12)
        most = min(max(int(0.8 * width / step), 1), most)
        spread = max(spread[0] - room, 0), (most - 1) * step
    middle = place(rng, cloth.shape, spread[0] + room, spread[1] + room)
    colour = rng.choice((DIRT, PALE))
    cover = np.zeros(cloth.shape, np.float32)
    for k in range(min(rng.integers(3, 9), most)):
        shares = rng.random() - 0.5, rng.random() - 0.5
        if room:
            shares = shares[0], k / max(most - 1, 1) - 0.5
        centre = [m + s * share for m, s, share in zip(middle, spread, shares, strict=True)]
        radius = extent(size, 3, 10, np.inf) / 2 * rng.uniform(0.75, 1)
        y, x = grid(cloth.shape, centre)
        y *= np.float32(rng.uniform(1, 1.3))
        cover = np.maximum(cover, smoothstep((np.float32(radius + 0.5) - np.sqrt(y * y + x * x)) / np.float32(1.2)))
    return _covered(cloth, cover * np.float32(severity), colour)


def _covered(cloth: Cloth, cover: np.ndarray, colour: float) -> Change:
    """Something of that reflectance lies over the cloth; ``cover`` in [0, 1] says how much of it is hidden."""
    return replace(cloth, gain=1 - cover, veil=np.float32(colour) * cover), cover > 0


def _lint(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """A short, bent, pale fibre that lies on the cloth."""
    length = extent(size, 20, 110, min(cloth.shape))
    angle, bow = rng.uniform(0, np.pi), rng.uniform(-0.2, 0.2, 2) * length
    along, across = bent_line(cloth.shape, place(rng, cloth.shape, length, length), angle, length, tuple(bow))
    half = np.float32(1.7 + 0.8 * share(size, 20, 110))
    cover = smoothstep((half - np.abs(across)) / np.float32(1.2)) * smoothstep((1 - np.abs(along)) * 8)
    return _covered(cloth, cover * np.float32(0.9 * severity), PALE)


def _spot(cloth: Cloth, rng: np.random.Generator, across: float) -> np.ndarray:
    """Weight (H, W) of a spot whose rim follows the yarns: each yarn carries the liquid its own way."""
    down = min(across * rng.uniform(0.55, 1), 0.8 * cloth.shape[0])
    y, x = grid(cloth.shape, place(rng, cloth.shape, down, across))
    y, x = y / np.float32(down / 2), x / np.float32(across / 2)
    warps, wefts = cloth.lifts.shape
    reach = rng.uniform(-0.13, 0.13, warps).astype(np.float32), rng.uniform(-0.13, 0.13, wefts).astype(np.float32)
    wick = reach[0].take(cloth.u.astype(np.intp)) + reach[1].take(cloth.v.astype(np.intp))
    lobes = np.float32(rng.uniform(-0.25, 0.25)) * np.clip(x, -1, 1) * np.clip(y, -1, 1)
    return soft_edge((np.float32(0.85) - np.sqrt(x * x + y * y) + lobes + wick) / np.float32(0.4))


def _pale_spot(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    weight = _spot(cloth, rng, extent(size, 12, 60, cloth.shape[1]))
    return replace(cloth, gain=1 + np.float32(0.4 * severity) * weight), weight > 0


def _oil(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    weight = _spot(cloth, rng, extent(size, 12, 80, cloth.shape[1]))
    return replace(cloth, gain=1 - np.float32(0.55 * severity) * weight), weight > 0


def _pale_yarn(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    return _foreign_yarn(cloth, rng, severity, size, PALE)


def _dark_yarn(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    return _foreign_yarn(cloth, rng, severity, size, DIRT)


def _foreign_yarn(cloth: Cloth, rng: np.random.Generator, severity: float, size: float, colour: float) -> Change:
    """A stretch of one yarn in another colour, of the kind that shows on this face."""
    turn = faces_warp(cloth, rng)
    cloth = turned(cloth) if turn else cloth
    stretch = pick_stretch(cloth, rng, extent(size, 50, 300, cloth.shape[1]))
    albedo = cloth.weft.albedo.copy()
    strands = slice(stretch.pick * STRANDS, (stretch.pick + 1) * STRANDS)
    albedo[strands] += np.float32(0.9 * severity) * stretch.along * (np.float32(colour) - albedo[strands])
    changed = replace(cloth, weft=replace(cloth.weft, albedo=albedo))
    region = (np.abs(cloth.v - np.float32(stretch.pick + 0.5)) < np.float32(0.5)) & (stretch.along > 0)
    return (turned(changed), region.T) if turn else (changed, region)
