"""Put one defect into a cloth and say exactly where it is."""

import numpy as np
from scipy import ndimage

from adkit.data.textile.cloth import Cloth
from adkit.data.textile.faults import texture
from adkit.data.textile.render import Window, render
from adkit.data.textile.stains import bright, brightness, dark, dots

VISIBILITY = 0.6  # contrast = severity ** 0.6 of the fullest: at severity 0.15 a careful eye can just find it
SPREAD = 1  # px, how far the optics carry more than a few per cent of a change; the rest is left out of the frame
MAKERS = {"bright": bright, "dark": dark, "brightness": brightness, "texture": texture, "dots": dots}


def add_defect(
    cloth: Cloth, reflectance: np.ndarray, kind: str, rng: np.random.Generator, severity: float, size: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a defect into a frame.

    Args:
        cloth: the cloth without the defect.
        reflectance: (H, W) float32, ``render(cloth)``.
        kind: a name in ``MAKERS``.
        rng: decides where the defect lies and which form it takes.
        severity: in (0, 1].
        size: in (0, 1].

    Returns:
        reflectance with the defect, equal to the last bit outside the mask; mask (H, W) bool, without holes.
    """
    changed, region = MAKERS[kind](cloth, rng, severity**VISIBILITY, size)
    mask, window = _mask(region)
    inside = mask[window]
    defective = reflectance.copy()
    defective[window][inside] = render(changed, window)[inside]
    return defective, mask


def _mask(region: np.ndarray) -> tuple[np.ndarray, Window]:
    """The region, as far as the optics visibly spread it, with its holes filled; and the box around it."""
    grown = ndimage.maximum_filter(region, 2 * SPREAD + 1, mode="constant")
    (window,) = ndimage.find_objects(grown.astype(np.uint8))
    mask = np.zeros_like(grown)
    mask[window] = ndimage.binary_fill_holes(grown[window])
    return mask, window
