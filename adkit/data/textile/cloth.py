"""The cloth before any camera: where each yarn runs, how thick and how light it is along its length.

Everything on the pixel grid is made by additions, products, square roots and look-ups only, and curves are computed
in float64 before they are rounded to float32, so that one seed gives the same frame on every machine.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from adkit.data.textile.fabrics import Fabric
from adkit.data.textile.weaves import WEAVES, repeat_weave

STRANDS = 4  # fibre strands across a yarn
MARGIN = 5  # spare yarns beyond each border; drift moves the grid by five times its amplitude at most
WIDTH_FLOOR = 0.02  # half width of a yarn that is not there, in pitches


@dataclass(frozen=True)
class Yarns:
    """The n yarns of one direction, L pixels long; float32 tables along the yarn."""

    half_width: np.ndarray  # (n, L) in pitches
    offset: np.ndarray  # (n, L) sideways wander in pitches
    albedo: np.ndarray  # (n * STRANDS, L) reflectance of each strand


@dataclass(frozen=True)
class Cloth:
    """A woven frame of H x W pixels; what is put into it is put into a changed copy."""

    fabric: Fabric
    u: np.ndarray  # (H, W) warp coordinate: warp i covers [i, i + 1)
    v: np.ndarray  # (H, W) weft coordinate: pick j covers [j, j + 1)
    warp: Yarns
    weft: Yarns
    lifts: np.ndarray  # (warps, wefts) 1 where the warp lies on top, 0 where the weft does
    gain: np.ndarray | None = None  # (H, W) factor on the reflectance: a stain
    veil: np.ndarray | None = None  # (H, W) reflectance added on top: something that lies on the cloth

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.u.shape


@lru_cache(maxsize=64)
def _spline(length: int, scale: float) -> np.ndarray:
    """Cubic B-spline basis (knots, length) with a knot every ``scale`` pixels; columns sum to one."""
    place = np.arange(length) / scale
    t = place[None] - np.arange(-1, int(place[-1]) + 3)[:, None]
    distance = np.abs(t)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far)


def smooth_curves(rng: np.random.Generator, count: int, length: int, scale: float) -> np.ndarray:
    """Random curves that change over ``scale`` pixels.

    Args:
        rng: decides them.
        count: number of curves.
        length: pixels of each.
        scale: pixels from one knot to the next.

    Returns:
        (count, length) float64 within [-1, 1], with a standard deviation of about 0.4.
    """
    basis = _spline(length, scale)
    return rng.uniform(-1, 1, (count, len(basis))) @ basis


def _yarns(rng: np.random.Generator, fabric: Fabric, direction: int, count: int, length: int) -> Yarns:
    # 2.5 brings the curves to unit standard deviation.
    slub = 2.5 * fabric.slub * smooth_curves(rng, count, length, 50.0)
    thickness = 1 + slub + rng.normal(0, 0.5 * fabric.uneven, (count, 1))
    wander = 0.06 * smooth_curves(rng, count, length, 30.0) + rng.normal(0, 0.03, (count, 1))
    shade = fabric.albedo[direction] * (1 + 0.5 * slub + rng.normal(0, fabric.uneven, (count, 1)))
    hairs = rng.random((count, STRANDS, length + 2), np.float32) - np.float32(0.5)
    hairs = hairs[..., :-2] + 2 * hairs[..., 1:-1] + hairs[..., 2:]
    albedo = shade.astype(np.float32)[:, None] * (1 + np.float32(1.4 * fabric.fibre) * hairs)
    return Yarns(
        half_width=(0.5 * fabric.thickness[direction] * thickness).astype(np.float32),
        offset=wander.astype(np.float32),
        albedo=albedo.reshape(count * STRANDS, length),
    )


def _drift(rng: np.random.Generator, shape: tuple[int, int], amplitude: float) -> np.ndarray:
    """Slow bending of the yarn grid, in yarns: three products of a curve down and a curve across, and a skew."""
    height, width = shape
    down = smooth_curves(rng, 2, height, 90.0).astype(np.float32)
    across = (amplitude * smooth_curves(rng, 2, width, 150.0)).astype(np.float32)
    skew = (amplitude * rng.uniform(-1, 1) * np.linspace(-1, 1, width)).astype(np.float32)
    tilt = (amplitude * rng.uniform(-1, 1) * np.linspace(-1, 1, height)).astype(np.float32)
    return down[0][:, None] * across[0] + (down[1] * np.float32(amplitude) + tilt)[:, None] + (across[1] + skew)


def weave_cloth(fabric: Fabric, shape: tuple[int, int], rng: np.random.Generator) -> Cloth:
    """Weave one frame without a defect.

    Args:
        fabric: the preset.
        shape: height and width in pixels.
        rng: decides all that differs from frame to frame.
    """
    height, width = shape
    warps = int(np.ceil(width / fabric.pitch[0])) + 2 * MARGIN
    wefts = int(np.ceil(height / fabric.pitch[1])) + 2 * MARGIN
    across = (np.arange(width) / fabric.pitch[0] + MARGIN + rng.random()).astype(np.float32)
    down = (np.arange(height) / fabric.pitch[1] + MARGIN + rng.random()).astype(np.float32)
    start = tuple(rng.integers(0, 60, 2))
    return Cloth(
        fabric=fabric,
        u=_drift(rng, shape, fabric.drift) + across,
        v=_drift(rng, shape, fabric.drift) + down[:, None],
        warp=_yarns(rng, fabric, 0, warps, height),
        weft=_yarns(rng, fabric, 1, wefts, width),
        lifts=repeat_weave(WEAVES[fabric.weave], warps, wefts, start),
    )
