"""Features of every level of our own encoder, by position and pooled; no pretrained network.

Level k < depth has one position for each cell of ``2**(k+1)`` × ``2**(k+1)`` pixels. The last level, number ``depth``,
is the bottleneck, at the resolution of level ``depth - 1``: what ``squeeze`` keeps of that level's channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.data.mirror import pad_to_multiple
from adkit.models.autoencoder import Autoencoder


def encoder_levels(model: Autoencoder, images: Tensor) -> list[Tensor]:
    """Features by position, finest level first, the bottleneck last.

    The frame is mirrored at its border as in the network's own ``forward``. The bottleneck is read before any
    squeeze-and-excitation, so that no feature depends on the rest of the frame.

    Args:
        model: in evaluation mode.
        images: (B, C, H, W) in [0, 1].

    Returns:
        ``depth + 1`` tensors (B, C_k, h_k, w_k).

    Example:
        >>> model = Autoencoder(width=4, depth=3, latent=2).eval()
        >>> [tuple(level.shape) for level in encoder_levels(model, torch.rand(1, 1, 50, 70))]
        [(1, 4, 28, 36), (1, 8, 14, 18), (1, 16, 7, 9), (1, 2, 7, 9)]
    """
    levels = model.features(pad_to_multiple(images, 2**model.depth))
    return [*levels, model.squeeze(levels[-1])]


def level_name(level: int, depth: int) -> str:
    """``level 0`` for the finest, …, ``bottleneck`` for number ``depth``."""
    return "bottleneck" if level == depth else f"level {level}"


def level_stride(level: int, depth: int) -> int:
    """Side of the cell of pixels that one position stands for."""
    return 2 ** min(level + 1, depth)


def as_vectors(features: Tensor) -> Tensor:
    """Features (B, C, h, w) as one vector a position, (B·h·w, C)."""
    return features.movedim(1, -1).flatten(0, 2)


def shown_positions(foreground: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Which positions show any foreground: those whose cell holds at least one foreground pixel.

    So every foreground pixel lies in a cell that counts, and a cell of nothing but mirrored border never does.

    Args:
        foreground: bool (B, H, W).
        size: (h, w) of the level.
        stride: of the level, see :func:`level_stride`.

    Returns:
        bool (B, h, w)

    Example:
        >>> shown_positions(torch.tensor([[[True, False, False]]]), size=(2, 2), stride=2)
        tensor([[[ True, False],
                 [False, False]]])
    """
    height, width = foreground.shape[-2:]
    padded = F.pad(foreground[:, None].float(), (0, size[1] * stride - width, 0, size[0] * stride - height))
    return F.max_pool2d(padded, stride)[:, 0] > 0


def pool(features: Tensor, shown: Tensor) -> Tensor:
    """Mean of the features (B, C, h, w) over the positions ``shown``, bool (B, h, w): (B, C); 0 where none is shown."""
    weights = shown[:, None].to(features.dtype)
    return (features * weights).sum(dim=(2, 3)) / weights.sum(dim=(2, 3)).clamp(min=1)


def sample_positions(features: Tensor, shown: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """Feature vectors at up to ``count`` shown positions, drawn without replacement.

    Args:
        features: (B, C, h, w).
        shown: bool (B, h, w).
        count: how many at most.
        draw: a generator on the CPU, so that all devices draw the same.

    Returns:
        (n, C) with n ≤ count.

    Example:
        >>> shown = torch.tensor([[[True, True, False]]])
        >>> sample_positions(torch.ones(1, 4, 1, 3), shown, 9, torch.Generator()).shape
        torch.Size([2, 4])
    """
    inside = shown.flatten().nonzero()[:, 0]
    chosen = torch.randperm(len(inside), generator=draw)[:count].to(inside.device)
    return as_vectors(features)[inside[chosen]]


def to_image_size(maps: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
    """Bring maps by position (B, h, w) to pixels (B, H, W), bilinearly; the mirrored border is cut off.

    A position's receptive field is centred on its cell of ``stride`` × ``stride`` pixels, so its value belongs to the
    middle of the cell: ``align_corners=False``.

    Example:
        >>> to_image_size(torch.tensor([[[0.0, 1.0]]]), stride=2, size=(1, 4))
        tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """
    pixels = F.interpolate(maps[:, None], scale_factor=stride, mode="bilinear", align_corners=False)
    return pixels[:, 0, : size[0], : size[1]]
