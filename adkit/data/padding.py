"""Borders without an edge: images continued by their own mirror image."""

import torch
from torch import Tensor


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Pad images at the bottom and the right until both sides divide by ``multiple``.

    The border is mirrored, once more for each time that the padding is longer than the image.

    Args:
        images: (B, C, H, W), any type and range.
        multiple: pixels, at least 1.

    Returns:
        (B, C, H', W'), a copy; the images themselves where nothing is missing.

    Example:
        >>> pad_to_multiple(torch.zeros(1, 1, 5, 3), 8).shape
        torch.Size([1, 1, 8, 8])
    """
    height, width = images.shape[-2:]
    padded_height, padded_width = (-(-side // multiple) * multiple for side in (height, width))
    if (padded_height, padded_width) == (height, width):
        return images
    rows = mirrored(torch.arange(padded_height, device=images.device), height)
    columns = mirrored(torch.arange(padded_width, device=images.device), width)
    return images[..., rows[:, None], columns]


def mirrored(index: Tensor, length: int | Tensor) -> Tensor:
    """Reflect any integer index into ``[0, length)``: …2 1 **0 1 2 … n-1** n-2 n-3….

    Args:
        index: pixels from the first one, long, of any shape.
        length: pixels of the side, at least 1; an integer, or long of a shape that goes with the index.

    Returns:
        Long, of the index' shape, on its device; an integer length is not copied there.

    Example:
        >>> mirrored(torch.arange(-2, 6), 4).tolist()
        [2, 1, 0, 1, 2, 3, 2, 1]
    """
    last = length - 1
    period = (2 * last).clamp(min=1) if isinstance(last, Tensor) else max(2 * last, 1)
    index = index.remainder(period)
    return torch.minimum(index, 2 * last - index)
