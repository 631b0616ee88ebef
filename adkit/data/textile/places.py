"""Where a defect lies: extents, centres, soft edges and bent lines, in pixels."""

import numpy as np

Shape = tuple[int, int]


class Pixels(float):
    """A size in pixels, the same for every type of defect, in place of a share of what the type has by nature."""


def extent(size: float, smallest: float, largest: float, limit: float) -> float:
    """A length in pixels for a size, never more than 80 % of the frame's side unless the size is in pixels itself.

    Args:
        size: in (0, 1], or :class:`Pixels`, which are the length.
        smallest: pixels, near size 0.
        largest: pixels, at size 1.
        limit: the frame's side in pixels.
    """
    if isinstance(size, Pixels):
        return float(size)
    return min(smallest + (largest - smallest) * size, 0.8 * limit)


def share(size: float, smallest: float, largest: float) -> float:
    """A size as the share that widths and numbers follow: pixels beyond the range count as its end.

    Args:
        size: in (0, 1], or :class:`Pixels`.
        smallest: pixels, at share 0.
        largest: pixels, at share 1.
    """
    return float(np.clip((size - smallest) / (largest - smallest), 0, 1)) if isinstance(size, Pixels) else size


def place(rng: np.random.Generator, shape: Shape, height: float, width: float) -> tuple[float, float]:
    """Centre (y, x) of a box that lies inside the frame; a side that is too long is centred.

    Args:
        rng: decides where.
        shape: height and width of the frame in pixels.
        height: of the box in pixels.
        width: of the box in pixels.
    """
    sides = zip(shape, (height, width), rng.random(2), strict=True)
    return tuple(min(side, frame) / 2 + share * max(frame - 1 - side, 0) for frame, side, share in sides)


def smoothstep(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, and a smooth step between.

    Args:
        x: of any shape.
    """
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def soft_edge(x: np.ndarray) -> np.ndarray:
    """0 below 0 and 1 above 1, steep at the foot and level at the top: the rim of a spot is seen where it begins.

    Args:
        x: of any shape.
    """
    x = np.clip(x, 0, 1)
    return x * (2 - x)


def grid(shape: Shape, centre: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Distances from a centre, in pixels.

    Args:
        shape: height and width of the frame in pixels.
        centre: (y, x) in pixels.

    Returns:
        float32 (H, 1) down and (1, W) across.
    """
    down = (np.arange(shape[0]) - centre[0]).astype(np.float32)[:, None]
    across = (np.arange(shape[1]) - centre[1]).astype(np.float32)[None]
    return down, across


def bent_line(
    shape: Shape, centre: tuple[float, float], angle: float, length: float, bend: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """A bent line through the frame.

    Args:
        shape: height and width of the frame in pixels.
        centre: (y, x) of its middle in pixels.
        angle: radians from the horizontal.
        length: pixels from end to end.
        bend: pixels by which its ends leave the straight line, as a bow and as an S.

    Returns:
        along: (H, W), -1 and 1 at the ends; across: (H, W), pixels from the line.
    """
    down, across = grid(shape, centre)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = (across * cosine + down * sine) / np.float32(length / 2)
    inside = np.clip(along, -1, 1)
    line = inside * inside * (np.float32(bend[0]) + np.float32(bend[1]) * inside)
    return along, down * cosine - across * sine - line
