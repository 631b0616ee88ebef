"""Frames as overlapping squares, for networks whose linear layers fix the size of their images."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from adkit.data.padding import mirrored

CHUNK = 2**18  # pixels that go through a network at once


def cut_squares(images: Tensor, positions: Sequence[tuple[int, int]], side: int) -> Tensor:
    """Squares of images (B, C, H, W), mirrored where an image is smaller: (squares, B, C, side, side).

    Args:
        images: the frames.
        positions: top-left corners, as of :func:`adkit.data.tiling.tile_positions`.
        side: of the squares, in pixels.

    Example:
        >>> cut_squares(torch.rand(2, 1, 32, 48), [(0, 0), (0, 16)], side=32).shape
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


def in_chunks(function: Callable[[Tensor], tuple[Tensor, ...]], squares: Tensor) -> list[Tensor]:
    """The results of a function of images, called with many squares at once: (squares, B, ...) each.

    Args:
        function: maps images (N, C, side, side) to tensors (N, ...).
        squares: of :func:`cut_squares`.

    Example:
        >>> (means,) = in_chunks(lambda images: (images.mean(dim=(1, 2, 3)),), torch.rand(5, 2, 1, 8, 8))
        >>> means.shape
        torch.Size([5, 2])
    """
    results = [function(chunk) for chunk in squares.flatten(0, 1).split(max(1, CHUNK // squares[0, 0, 0].numel()))]
    return [torch.cat(parts).unflatten(0, squares.shape[:2]) for parts in zip(*results, strict=True)]
