"""Images, masks and foregrounds brought to the network's size, or padded to that of a tile."""

import numpy as np
from scipy import ndimage

Size = tuple[int, int]


def resize_pixels(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Resize pixels, bilinear with antialiasing: each result averages all it covers.

    Args:
        pixels: (C, H, W), uint8 or float32.
        size: height and width in pixels.

    Returns:
        (C, *size) of the same type.
    """
    if pixels.shape[1:] == size:
        return pixels
    import torch  # slow to import, and a small inspection box has none
    from torch.nn.functional import interpolate

    batch = torch.from_numpy(pixels)[None].float()
    resized = interpolate(batch, size=size, mode="bilinear", antialias=True)[0].numpy()
    return np.rint(resized).astype(pixels.dtype) if pixels.dtype == np.uint8 else resized


def resize_mask(mask: np.ndarray, size: Size) -> np.ndarray:
    """Resize a mask: a pixel is True where at least half of its area is covered.

    A small region would vanish so, and an image with a defect would carry an empty mask. A region (8-connected) of
    which no pixel is half covered keeps the one pixel that it covers most. It is then too large, which is why
    evaluation uses the original mask.

    Args:
        mask: (H, W) bool.
        size: height and width in pixels.

    Returns:
        Bool of that size.

    Example:
        >>> mask = np.zeros((8, 8), bool)
        >>> mask[:4, :4] = mask[7, 7] = True
        >>> resize_mask(mask, (2, 2)).astype(int)
        array([[1, 0],
               [0, 1]])
    """
    if mask.shape == size or not mask.any():
        return mask if mask.shape == size else np.zeros(size, bool)
    rows, columns = _overlap(mask.shape[0], size[0]), _overlap(mask.shape[1], size[1])
    result = rows @ mask.astype(np.float64) @ columns.T >= 0.5 - 1e-9
    regions, _ = ndimage.label(mask, np.ones((3, 3)))
    for number, window in enumerate(ndimage.find_objects(regions), start=1):
        region = regions[window] == number
        covered = rows[:, window[0]] @ region @ columns[:, window[1]].T
        if not result[covered > 0].any():
            result[np.unravel_index(covered.argmax(), size)] = True
    return result


def resize_foreground(foreground: np.ndarray, size: Size) -> np.ndarray:
    """Resize a foreground: a pixel is True where all of it is foreground.

    Args:
        foreground: (H, W) bool.
        size: height and width in pixels.

    Returns:
        Bool of that size.
    """
    if foreground.shape == size:
        return foreground
    rows, columns = _overlap(foreground.shape[0], size[0]), _overlap(foreground.shape[1], size[1])
    return rows @ foreground.astype(np.float64) @ columns.T > 1 - 1e-9


def pad(array: np.ndarray, size: Size, mode: str) -> np.ndarray:
    """Pad an array at the bottom and the right up to at least ``size``.

    Args:
        array: (..., H, W).
        size: height and width in pixels.
        mode: one of :func:`numpy.pad`'s, such as ``constant`` or ``reflect``.

    Returns:
        The array itself where nothing is missing, else a padded copy.
    """
    missing = [max(0, wanted - have) for wanted, have in zip(size, array.shape[-2:], strict=True)]
    if not any(missing):
        return array
    return np.pad(array, [(0, 0)] * (array.ndim - 2) + [(0, count) for count in missing], mode=mode)


def _overlap(old: int, new: int) -> np.ndarray:
    """(new, old): which share of new pixel i each old pixel takes; rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    left, right = edges[:-1, None], edges[1:, None]
    pixel = np.arange(old)
    return np.clip(np.minimum(right, pixel + 1) - np.maximum(left, pixel), 0, None) * (new / old)
