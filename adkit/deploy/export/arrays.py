"""What a box without torch needs of its functions, as numpy: resizing, tiles, mirrored borders. Tested to be equal."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Size = tuple[int, int]


def resized(image: np.ndarray, size: Size) -> np.ndarray:
    """Resize, bilinear with antialiasing, as ``torch.nn.functional.interpolate(..., antialias=True)`` does.

    Args:
        image: (..., H, W), float.
        size: height and width in pixels.

    Returns:
        (..., *size), float32.
    """
    rows, columns = (_weights(old, new) for old, new in zip(image.shape[-2:], size, strict=True))
    return (rows @ image.astype(np.float64) @ columns.T).astype(np.float32)


@lru_cache(maxsize=16)
def _weights(old: int, new: int) -> np.ndarray:
    """(new, old): the share of each old pixel in a new one, a triangle around its middle; rows sum to 1."""
    # in float32, as torch computes them: on the edge of a pixel another rounding is another weight
    half = np.float32(0.5)
    scale = np.float32(old) / np.float32(new)
    width = max(scale, np.float32(1))
    middle = scale * (np.arange(new, dtype=np.float32) + half)
    first = np.maximum((middle - width + half).astype(np.int64), 0)
    last = np.minimum((middle + width + half).astype(np.int64), old)
    pixel = np.arange(old, dtype=np.float32)
    within = (pixel >= first[:, None]) & (pixel < last[:, None])
    weights = np.clip(1 - np.abs((pixel - middle[:, None] + half) / width), 0, None) * within
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float64)


def mirrored_to(image: np.ndarray, size: Size) -> np.ndarray:
    """An image (..., H, W) continued by its mirror image at the bottom and the right, up to a size."""
    rows, columns = (_mirrored(new, old) for old, new in zip(image.shape[-2:], size, strict=True))
    return image[..., rows[:, None], columns]


def _mirrored(length: int, old: int) -> np.ndarray:
    period = max(2 * (old - 1), 1)
    index = np.arange(length) % period
    return np.minimum(index, 2 * (old - 1) - index)


def stitched(tiles: Sequence[np.ndarray], corners: Sequence[Size], size: Size, blend: bool) -> np.ndarray:
    """Put tiles (..., h, w) back together; where they overlap the result is their mean.

    Args:
        tiles: float32.
        corners: (top, left) of each.
        size: height and width of the result; what a padded tile has beyond it is cut off.
        blend: weigh each tile by the distance to its border.
    """
    mean, total = np.zeros((*tiles[0].shape[:-2], *size), np.float32), np.zeros(size, np.float32)
    weights = _hat(tiles[0].shape[-2:]) if blend else np.ones(tiles[0].shape[-2:], np.float32)
    for tile, (top, left) in zip(tiles, corners, strict=True):
        window = (..., slice(top, top + tile.shape[-2]), slice(left, left + tile.shape[-1]))
        height, width = total[window].shape
        weight = weights[:height, :width]
        total[window] += weight
        mean[window] += (tile[..., :height, :width] - mean[window]) * (weight / total[window])
    return mean


def _hat(size: Size) -> np.ndarray:
    rows, columns = (np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1)) for side in size)
    return np.outer(rows, columns).astype(np.float32)
