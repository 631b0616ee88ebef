"""The loom: frames of one fabric by number, with or without a defect, and exactly where the defect is."""

from collections.abc import Callable
from numbers import Integral, Real
from zlib import crc32

import numpy as np
from scipy import ndimage

from adkit.data.textile.cloth import Cloth, weave_cloth
from adkit.data.textile.fabrics import FABRICS
from adkit.data.textile.faults import Change, texture
from adkit.data.textile.places import Pixels
from adkit.data.textile.render import FrameWindow, expose, render
from adkit.data.textile.stains import bright, brightness, dark, dots
from adkit.data.textile.whole_frame import WHOLE_FRAME

MIN_SIDE = 32  # px
LEAST_SEVERITY = 0.15  # barely visible: from there to 1 a frame chooses its own
VISIBILITY = 0.6  # contrast = severity ** 0.6 of the fullest: at severity 0.15 a careful eye can just find it
SPREAD = 1  # px, how far the optics carry more than a few per cent of a change; the rest is left out of the frame
MAKERS = {"bright": bright, "dark": dark, "brightness": brightness, "texture": texture, "dots": dots}
ALL_MAKERS = MAKERS | WHOLE_FRAME  # MAKERS alone are the frozen default set
LEAST_PIXELS, MOST_OF_SIDE = 20, 0.75  # sizes in pixels: from three yarns to a share of the frame's shorter side


class Textile:
    """Frames of a procedural fabric, each decided by (seed, fabric, index) alone.

    A defective frame and its clean counterpart share yarns, light and noise: outside the mask they are equal bit for
    bit.

    Args:
        fabric: a name in ``FABRICS``.
        frame: height and width in pixels, at least 32 each. The yarns keep their scale.
        seed: integer, at least 0; another seed weaves other cloth.

    Raises:
        ValueError: if the fabric is unknown, the frame too small or the seed negative.

    Example:
        >>> image, mask = Textile("denim", frame=(64, 96)).weave(3, "texture", severity=0.8)
        >>> image.shape, image.dtype, bool(mask.any())
        ((64, 96), dtype('uint8'), True)
    """

    def __init__(self, fabric: str = "denim", frame: tuple[int, int] = (176, 976), seed: int = 0):
        if fabric not in FABRICS:
            raise ValueError(f"fabric must be one of {', '.join(FABRICS)}, got {fabric!r}")
        self.fabric = fabric
        self.frame = check_frame(frame)
        self.seed = _check_count("seed", seed)

    def __repr__(self) -> str:
        return f"Textile({self.fabric!r}, frame={self.frame}, seed={self.seed})"

    def weave(
        self,
        index: int,
        defect_type: str | None = None,
        severity: float | None = None,
        size: float | None = None,
        pixels: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weave one frame; the same index without a defect is its clean counterpart.

        Args:
            index: number of the frame, from 0.
            defect_type: a name in ``DEFECT_TYPES`` or ``WHOLE_FRAME_TYPES``; None: the clean frame, on which severity
                and size have no effect.
            severity: from barely visible, about 0.15, to plain, 1; None lets the frame choose.
            size: from small, near 0, to large, 1, of what is usual for the type; None lets the frame choose.
            pixels: in place of ``size``, the longer side of the box around the defect (of its largest speck), in pixels
                of the mask, to within 2 or 8 %; any type takes any. Whole-frame types take no notice of either.

        Returns:
            image: uint8 (H, W), grey levels 0 to 255; mask: bool (H, W), True on the defect.

        Raises:
            ValueError: if the index is negative, the defect type unknown, severity or size outside (0, 1], or pixels
                below 20 or above 75 % of the frame's shorter side.
        """
        if defect_type is not None and defect_type not in ALL_MAKERS:
            raise ValueError(f"defect_type must be None or one of {', '.join(ALL_MAKERS)}, got {defect_type!r}")
        _check_share("severity", severity)
        _check_share("size", size)
        if pixels is not None:
            check_pixels(pixels, self.frame)
            if size is not None:
                raise ValueError(f"size and pixels say the same thing: give one, got size={size} and pixels={pixels}")
        key = np.random.SeedSequence((self.seed, crc32(self.fabric.encode()), _check_count("index", index)))
        yarn_rng, camera_rng, defect_rng = (np.random.default_rng(child) for child in key.spawn(3))
        fabric = FABRICS[self.fabric]
        cloth = weave_cloth(fabric, self.frame, yarn_rng)
        reflectance, mask = render(cloth), np.zeros(self.frame, bool)
        if defect_type is not None:
            own_severity, own_size = defect_rng.uniform(LEAST_SEVERITY, 1), 1 - defect_rng.random()
            severity = own_severity if severity is None else severity
            size = own_size if size is None else size
            wanted = Pixels(pixels) if pixels is not None else float(size)
            reflectance, mask = add_defect(cloth, reflectance, defect_type, defect_rng, float(severity), wanted)
        return expose(reflectance, fabric.exposure, camera_rng), mask


def add_defect(
    cloth: Cloth, reflectance: np.ndarray, defect_type: str, rng: np.random.Generator, severity: float, size: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put one defect into a cloth, and say exactly where it is.

    Args:
        cloth: the cloth without the defect.
        reflectance: (H, W) float32, ``render(cloth)``.
        defect_type: a name in ``ALL_MAKERS``.
        rng: decides where the defect lies and which form it takes.
        severity: in (0, 1], from barely visible to plain.
        size: in (0, 1], from small to large; or ``Pixels``.

    Returns:
        reflectance with the defect, equal to the last bit outside the mask; mask (H, W) bool, without holes.
    """
    make = _at_pixels if isinstance(size, Pixels) and defect_type not in WHOLE_FRAME else _made
    changed, region = make(ALL_MAKERS[defect_type], cloth, rng, severity**VISIBILITY, size)
    mask, window = _mask(region)
    inside = mask[window]
    defective = reflectance.copy()
    defective[window][inside] = render(changed, window)[inside]
    return defective, mask


def _made(maker: Callable, *how: object) -> Change:
    return maker(*how)


def _at_pixels(
    maker: Callable, cloth: Cloth, rng: np.random.Generator, severity: float, wanted: Pixels, tries: int = 15
) -> Change:
    """The same defect made again, longer or shorter, until its mask is as long as it should be; the nearest one."""
    start, length, best = rng.bit_generator.state, float(wanted), None
    for _ in range(tries):
        rng.bit_generator.state = start
        change = maker(cloth, rng, severity, Pixels(length))
        miss = float(wanted) - longest_side(_mask(change[1])[0])
        if best is None or abs(miss) < best[0]:
            best = abs(miss), change
        if abs(miss) <= 1:
            break
        length = max(length + (miss if best[1] is change else 0.6 * miss), 1.0)
    return best[1]


def longest_side(region: np.ndarray) -> int:
    """The longer side, in pixels, of the box around the largest of a region's parts.

    Args:
        region: (H, W) bool; parts that touch at a corner are one.
    """
    boxes = ndimage.find_objects(ndimage.label(region, np.ones((3, 3)))[0])
    return max((side.stop - side.start for box in boxes for side in box), default=0)


def _mask(region: np.ndarray) -> tuple[np.ndarray, FrameWindow]:
    """The region, as far as the optics visibly spread it, with its holes filled; and the box around it."""
    grown = ndimage.maximum_filter(region, 2 * SPREAD + 1, mode="constant")
    (window,) = ndimage.find_objects(grown.astype(np.uint8))
    mask = np.zeros_like(grown)
    mask[window] = ndimage.binary_fill_holes(grown[window])
    return mask, window


def check_frame(frame: tuple[int, int]) -> tuple[int, int]:
    """The frame as two plain ints.

    Args:
        frame: height and width in pixels.

    Raises:
        ValueError: if it is not two whole numbers of at least 32.
    """
    sides = tuple(frame) if np.iterable(frame) else (frame,)
    if len(sides) != 2 or not all(isinstance(side, Integral) and side >= MIN_SIDE for side in sides):
        raise ValueError(f"frame must be (height, width) in whole pixels, each at least {MIN_SIDE}, got {frame!r}")
    return int(sides[0]), int(sides[1])


def check_pixels(pixels: float, frame: tuple[int, int]) -> None:
    """Refuse a size in pixels that a frame cannot show.

    Args:
        pixels: longer side of a defect's box.
        frame: height and width in pixels.

    Raises:
        ValueError: if it is no number from 20 to 75 % of the frame's shorter side.
    """
    most = int(MOST_OF_SIDE * min(frame))
    if not isinstance(pixels, Real) or isinstance(pixels, bool) or not LEAST_PIXELS <= pixels <= most:
        raise ValueError(
            f"a size in pixels must lie between {LEAST_PIXELS} (three yarns) and {most} (75 % of the shorter side of a "
            f"{frame[0]} x {frame[1]} frame), got {pixels!r}"
        )


def _check_count(name: str, value: int) -> int:
    if not isinstance(value, Integral) or value < 0:
        raise ValueError(f"{name} must be a whole number of at least 0, got {value!r}")
    return int(value)


def _check_share(name: str, value: float | None) -> None:
    if value is not None and not (isinstance(value, Real) and 0 < value <= 1):
        raise ValueError(f"{name} must lie in (0, 1], or be None to let the frame choose, got {value!r}")
