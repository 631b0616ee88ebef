"""From cloth to grey levels: heights, shading, optics, light and sensor."""

import numpy as np

from adkit.data.textile.cloth import STRANDS, Cloth, Yarns, smooth_curves
from adkit.data.textile.weaves import SAMPLES, lift_along

BLUR_RADIUS = 2  # px, where the kernel of the optics ends
SLOPE_RADIUS = 1  # px, how far shading looks for the slope
LIGHT = (0.45, 0.75)  # (x, y) part of the light's direction: it comes from the upper left
READ_NOISE = 1.2  # grey levels
SHOT_NOISE = 0.035  # variance in grey levels per grey level

FrameWindow = tuple[slice, slice]


def render(cloth: Cloth, window: FrameWindow | None = None) -> np.ndarray:
    """Reflectance of a cloth behind the optics.

    Args:
        cloth: with or without a defect.
        window: rows and columns of the frame, in pixels; None: all. A window gives the same values, to the last bit, as
            the full frame cut to it.

    Returns:
        float32 (H, W) of the frame or the window, about in [0, 1].
    """
    height, width = cloth.shape
    rows, columns = window or (slice(0, height), slice(0, width))
    reach = BLUR_RADIUS + SLOPE_RADIUS
    outer_rows = slice(max(rows.start - reach, 0), min(rows.stop + reach, height))
    outer_columns = slice(max(columns.start - reach, 0), min(columns.stop + reach, width))
    outer = (outer_rows, outer_columns)
    reflectance = _shade(cloth, outer)
    if cloth.gain is not None:
        reflectance *= cloth.gain[outer]
    if cloth.veil is not None:
        reflectance += cloth.veil[outer]
    blurred = _blur(reflectance, cloth.fabric.blur)
    top, left = rows.start - outer_rows.start, columns.start - outer_columns.start
    return blurred[top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]


def _shade(cloth: Cloth, window: FrameWindow) -> np.ndarray:
    """Reflectance of the upper yarn at each pixel, darker in valleys and on slopes away from the light."""
    fabric, u, v = cloth.fabric, cloth.u[window], cloth.v[window]
    rows = np.arange(window[0].start, window[0].stop)[:, None]
    columns = np.arange(window[1].start, window[1].stop)[None]
    warp_height, warp_albedo = _surface(cloth.warp, lift_along(cloth.lifts), u, v, rows, fabric.roundness)
    weft_height, weft_albedo = _surface(cloth.weft, lift_along(1 - cloth.lifts.T), v, u, columns, fabric.roundness)
    height = np.maximum(warp_height, weft_height)
    albedo = np.where(warp_height > weft_height, warp_albedo, weft_albedo)
    lit = np.float32(1 - fabric.depth) + np.float32(fabric.depth / (1 + fabric.roundness)) * height
    return albedo * np.clip(lit + _slope(height, fabric.relief), 0, None)


def _surface(
    yarns: Yarns, lift: np.ndarray, across: np.ndarray, along: np.ndarray, pixel: np.ndarray, roundness: float
) -> tuple[np.ndarray, np.ndarray]:
    """Height and albedo of one set of yarns, wherever one is; ``pixel`` is the place along the yarn in pixels."""
    length = yarns.offset.shape[1]
    strand = (across * np.float32(STRANDS)).astype(np.intp)
    yarn = strand // STRANDS
    index = yarn * length + pixel
    side = across - yarn.astype(np.float32) - np.float32(0.5) - yarns.offset.take(index)
    side /= yarns.half_width.take(index)
    bulge = 1 - side * side
    sample = (along * np.float32(SAMPLES)).astype(np.intp) + yarn * lift.shape[1]
    height = lift.take(sample) + np.float32(roundness) * bulge
    height = np.where(bulge > 0, height, np.float32(-0.4))  # beside the yarn: the gap
    return height, yarns.albedo.take(strand * length + pixel)


def _slope(height: np.ndarray, relief: float) -> np.ndarray:
    """Light gained or lost by the slope, by central differences; the frame's border pixels count as flat."""
    slope = np.zeros_like(height)
    slope[:, 1:-1] = np.float32(LIGHT[0] * relief) * (height[:, 2:] - height[:, :-2])
    slope[1:-1] += np.float32(LIGHT[1] * relief) * (height[2:] - height[:-2])
    return np.clip(slope, -0.35, 0.35)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Separable Gaussian with its kernel cut at ``BLUR_RADIUS``; the border is repeated."""
    kernel = np.exp(-0.5 * (np.arange(BLUR_RADIUS + 1) / sigma) ** 2)
    weights = (kernel / (2 * kernel.sum() - 1)).astype(np.float32)
    for axis in (0, 1):
        padding = [(BLUR_RADIUS, BLUR_RADIUS) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.moveaxis(np.pad(image, padding, mode="edge"), axis, 0)
        size = image.shape[axis]
        shifted = [padded[k : k + size] for k in range(2 * BLUR_RADIUS + 1)]
        total = weights[0] * shifted[BLUR_RADIUS]
        for k in range(1, BLUR_RADIUS + 1):
            total = total + weights[k] * (shifted[BLUR_RADIUS - k] + shifted[BLUR_RADIUS + k])
        image = np.moveaxis(total, 0, axis)
    return image


def uneven_light(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Light over a frame: a lamp's tilt and fall-off across, a slow flicker down the belt.

    Args:
        shape: height and width in pixels.
        rng: decides how uneven it is.

    Returns:
        float32 (H, W), about 1.
    """
    height, width = shape
    x = np.linspace(-1, 1, width)
    tilt, fall, level = rng.uniform(-0.07, 0.07), rng.uniform(0.02, 0.12), rng.uniform(0.96, 1.04)
    across = level * (1 + tilt * x - fall * (x - rng.uniform(-0.3, 0.3)) ** 2)
    across += 0.04 * smooth_curves(rng, 1, width, 220.0)[0]
    down = 1 + 0.04 * smooth_curves(rng, 1, height, 110.0)[0]
    return down.astype(np.float32)[:, None] * across.astype(np.float32)


def expose(reflectance: np.ndarray, exposure: float, rng: np.random.Generator) -> np.ndarray:
    """Light and sensor: from reflectance to grey levels, with shot and read noise.

    Args:
        reflectance: (H, W) float32.
        exposure: grey levels of reflectance 1 in full light.
        rng: decides light and noise.

    Returns:
        uint8 (H, W).
    """
    signal = reflectance * uneven_light(reflectance.shape, rng) * np.float32(exposure)
    deviation = np.sqrt(np.float32(READ_NOISE**2) + np.float32(SHOT_NOISE) * np.clip(signal, 0, None))
    signal += deviation * rng.standard_normal(reflectance.shape, np.float32)
    return np.clip(np.rint(signal), 0, 255).astype(np.uint8)
