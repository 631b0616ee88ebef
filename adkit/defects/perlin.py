"""Perlin noise for a whole batch by two matrix products.

At each pixel Perlin noise (SIGGRAPH 1985) adds up, over the corners of a lattice, the dot product of a corner's random
gradient with the distance from it, weighted by a smooth fade of that distance. Both factors separate: the fade is a
function of the row times one of the column, and the dot product is a sum of two terms. So the noise is
``A G B' + C G' D'`` with the gradients in the middle, and each image may have a lattice of its own spacing.
"""

import math

import torch
from torch import Tensor

from adkit.defects.draw import Draw


def perlin_noise(draw: Draw, cell: tuple[float, float]) -> Tensor:
    """Gradient noise (n, H, W), about in [-1, 1].

    Args:
        draw: the random numbers.
        cell: range of the spacing of the lattice in pixels, drawn for each image and each of its axes.

    Example:
        >>> noise = perlin_noise(Draw(torch.rand(2, 1, 64, 96)), cell=(8, 32))
        >>> noise.shape, bool(noise.abs().max() < 1.1)
        (torch.Size([2, 64, 96]), True)
    """
    (fade_y, slope_y), (fade_x, slope_x) = (_basis(draw, side, cell) for side in draw.shape)
    angle = draw.uniform(0, 2 * math.pi, fade_y.shape[2], fade_x.shape[2])
    rows = torch.cat([slope_y @ angle.sin(), fade_y @ angle.cos()], 2)  # (n, H, 2 * corners)
    columns = torch.cat([fade_x, slope_x], 2)  # (n, W, 2 * corners)
    return (rows @ columns.transpose(1, 2)).mul_(math.sqrt(2))


def _basis(draw: Draw, side: int, cell: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Fade of the distances between pixels and corners along one axis, and fade times distance: (n, side, corners)."""
    corners = math.ceil(side / cell[0]) + 2
    position = torch.arange(side, device=draw.device) / draw.log_uniform(*cell)[:, None] + draw.uniform(0, 1, 1)
    distance = position[:, :, None] - torch.arange(corners, device=draw.device)
    t = distance.abs().clamp_(max=1)
    fade = 1 - t**3 * (t * (t * 6 - 15) + 10)
    return fade, fade * distance
