"""Changes of a whole frame: of its light, or of the weave from one end to the other. The frame is the region.

They are no part of the default test set. A map cannot find them against the rest of the same image, so they tell apart
what a method compares an image with. Size has no meaning here; the functions take it as all other types do.
"""

from dataclasses import replace

import numpy as np

from adkit.data.textile.cloth import Cloth
from adkit.data.textile.faults import Change, turned

LIGHT, STRETCH = 0.3, 0.25  # at full severity: relative change of light; of the yarns' distance at the far end


def illumination(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """The whole frame lighter or darker by up to 30 %: a lamp ages, an exposure is set wrong.

    Good frames differ by 4 % in level, see :func:`adkit.data.textile.render.uneven_light`.

    Args:
        cloth: without a defect; it stays as it is.
        rng: decides between lighter and darker.
        severity: in (0, 1], from barely visible to plain.
        size: without effect.

    Returns:
        The changed cloth, and the region (H, W) bool of the defect: all of it.
    """
    level = 1 + LIGHT * rng.choice((-1.0, 1.0)) * severity
    return replace(cloth, gain=np.full(cloth.shape, level, np.float32)), np.ones(cloth.shape, bool)


def drift(cloth: Cloth, rng: np.random.Generator, severity: float, size: float) -> Change:
    """The yarns slowly part from one end of the frame to the other, by up to 25 %: the take-up runs too fast.

    Args:
        cloth: without a defect; it stays as it is.
        rng: decides between warp and weft, and which end is the good one.
        severity: in (0, 1], from barely visible to plain.
        size: without effect.

    Returns:
        The changed cloth, and the region (H, W) bool of the defect: all of it.
    """
    across, back = rng.random() < 0.5, rng.random() < 0.5
    cloth = cloth if across else turned(cloth)
    width = cloth.shape[1]
    ramp = np.arange(width) / max(width - 1, 1)
    pitch = 1 + STRETCH * severity * (ramp[::-1] if back else ramp)
    # Yarns that part show fewer in the same width, so the middle stays where it is and no new ones are needed.
    place = np.concatenate([[0.0], np.cumsum(1 / pitch[:-1])])
    source = (place - place[width // 2] + width // 2).astype(np.float32)
    moved = (source - np.arange(width, dtype=np.float32)) / np.float32(cloth.fabric.pitch[0])
    thinner = np.interp(np.arange(len(cloth.warp.half_width)) + 0.5, cloth.u[0] + moved, 1 / pitch)
    warp = replace(cloth.warp, half_width=cloth.warp.half_width * thinner.astype(np.float32)[:, None])
    changed = replace(cloth, u=cloth.u + moved, warp=warp)
    return (changed if across else turned(changed)), np.ones(turned(cloth).shape if not across else cloth.shape, bool)


WHOLE_FRAME = {"illumination": illumination, "drift": drift}
