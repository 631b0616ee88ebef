"""Borders without an edge: images continued by their own mirror image."""

import torch
from torch import Tensor


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Pad (B, C, H, W) at the bottom and the right until both sides divide by ``multiple``.

    The border is mirrored, once more for each time that the padding is longer than the image.

    Example:
        >>> pad_to_multiple(torch.zeros(1, 1, 5, 3), 8).shape
        torch.Size([1, 1, 8, 8])
    """
    rows = mirrored(torch.arange(-(-images.shape[-2] // multiple) * multiple, device=images.device), images.shape[-2])
    columns = mirrored(
        torch.arange(-(-images.shape[-1] // multiple) * multiple, device=images.device), images.shape[-1]
    )
    return images if images.shape[-2:] == (len(rows), len(columns)) else images[..., rows[:, None], columns]


def mirrored(index: Tensor, length: int | Tensor) -> Tensor:
    """Reflect any integer index into ``[0, length)``: …2 1 **0 1 2 … n-1** n-2 n-3….

    Example:
        >>> mirrored(torch.arange(-2, 6), 4).tolist()
        [2, 1, 0, 1, 2, 3, 2, 1]
    """
    last = torch.as_tensor(length, device=index.device) - 1
    index = torch.remainder(index, (2 * last).clamp(min=1))
    return torch.where(last == 0, torch.zeros_like(index), torch.minimum(index, 2 * last - index))
