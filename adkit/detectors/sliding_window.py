"""Frames as overlapping square windows, for networks whose linear layers fix the size of their images."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from adkit.data.padding import mirrored

# pixels that go through a network at once
CHUNK = 2**18


def extract_windows(images: Tensor, positions: Sequence[tuple[int, int]], side: int) -> Tensor:
    """Square windows of images, mirrored where an image is smaller.

    Args:
        images: (B, C, H, W), any type.
        positions: top-left corners in pixels, as of :func:`adkit.data.tiling.tile_positions`.
        side: of the windows, in pixels.

    Returns:
        (windows, B, C, side, side), in the order of the positions.

    Example:
        >>> extract_windows(torch.rand(2, 1, 32, 48), [(0, 0), (0, 16)], side=32).shape
        torch.Size([2, 2, 1, 32, 32])
    """
    ends = (max(corners) + side for corners in zip(*positions, strict=True))
    rows, columns = (
        mirrored(torch.arange(max(end, length), device=images.device), length)
        for end, length in zip(ends, images.shape[-2:], strict=True)
    )
    if images.shape[-2:] != (len(rows), len(columns)):
        images = images[..., rows[:, None], columns]
    return torch.stack([images[..., top : top + side, left : left + side] for top, left in positions])


def map_in_batches(function: Callable[[Tensor], tuple[Tensor, ...]], windows: Tensor) -> list[Tensor]:
    """The results of a function of images, called with many windows at once.

    Args:
        function: maps images (N, C, side, side) to tensors (N, ...).
        windows: (windows, B, C, side, side), of :func:`extract_windows`.

    Returns:
        One tensor (windows, B, ...) for each that the function gives.

    Example:
        >>> (means,) = map_in_batches(lambda images: (images.mean(dim=(1, 2, 3)),), torch.rand(5, 2, 1, 8, 8))
        >>> means.shape
        torch.Size([5, 2])
    """
    at_once = max(1, CHUNK // windows[0, 0, 0].numel())
    results = [function(batch) for batch in windows.flatten(0, 1).split(at_once)]
    return [torch.cat(parts).unflatten(0, windows.shape[:2]) for parts in zip(*results, strict=True)]
