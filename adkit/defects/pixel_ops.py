"""What a defect shows: colours, displaced, blurred or bent pieces of the images themselves.

Perlin noise for a whole batch by two matrix products.

At each pixel Perlin noise (SIGGRAPH 1985) adds up, over the corners of a lattice, the dot product of a corner's random
gradient with the distance from it, weighted by a smooth fade of that distance. Both factors separate: the fade is a
function of the row times one of the column, and the dot product is a sum of two terms. So the noise is
``A G B' + C G' D'`` with the gradients in the middle, and each image may have a lattice of its own spacing.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.defects.sampler import Draw


def reflected(index: Tensor, length: int) -> Tensor:
    """Bring any integer index into ``[0, length)`` by mirroring at the borders."""
    last = length - 1
    index = index.remainder(max(2 * last, 1))
    return torch.minimum(index, 2 * last - index)


def displaced(draw: Draw, source: Tensor, shift: Tensor) -> Tensor:
    """Images of the batch, moved: pixel (y, x) of the result shows (y, x) + shift of its source.

    Args:
        draw: whose batch is read.
        source: (n,) long, places in the batch.
        shift: (n, 2) long, rows and columns; what leaves the frame is mirrored.

    Returns:
        (n, C, H, W).
    """
    down, right = (
        reflected(torch.arange(side, device=draw.device) + shift[:, axis, None], side)
        for axis, side in enumerate(draw.shape)
    )
    lines = lines_of(draw.batch, source, down)
    return lines.gather(3, right[:, None, None, :].expand_as(lines))


def lines_of(images: Tensor, source: Tensor, rows: Tensor) -> Tensor:
    """Gather whole pixel rows: images (B, C, H, W), source (n,), rows (n, h) -> (n, C, h, W)."""
    channels, height, width = images.shape[1:]
    first = source[:, None] * channels + torch.arange(channels, device=images.device)
    index = first[:, :, None] * height + rows[:, None, :]  # (n, C, h)
    return images.reshape(-1, width).index_select(0, index.flatten()).view(*index.shape, width)


def tint(draw: Draw, spread: float = 0.15) -> Tensor:
    """A dark or a light colour for each image, (n, C, 1, 1) in [0, 1]; channels differ a little."""
    light = (draw.uniform(-1, 1, 1) > 0).float()
    return (light - draw.uniform(0, spread, draw.channels)).abs_()[:, :, None, None]


def blurred(images: Tensor, sigma: Tensor, largest: float) -> Tensor:
    """Gaussian blur of each image with a width of its own; borders are mirrored.

    Args:
        images: (n, C, H, W).
        sigma: (n,) standard deviations in pixels.
        largest: upper limit of sigma, which fixes the reach of the kernel on the host.
    """
    n, channels, height, width = images.shape
    reach = min(math.ceil(2.5 * largest), height - 1, width - 1)
    steps = torch.arange(-reach, reach + 1, device=images.device)
    kernel = (-0.5 * (steps / sigma[:, None]).square()).softmax(1).repeat_interleave(channels, 0)  # (n * C, k)
    planes = F.pad(images.reshape(1, n * channels, height, width), (reach,) * 4, mode="reflect")
    planes = F.conv2d(planes, kernel[:, None, None, :], groups=n * channels)
    return F.conv2d(planes, kernel[:, None, :, None], groups=n * channels).view_as(images)


def bent(images: Tensor, push: Tensor) -> Tensor:
    """Images (n, C, H, W) whose pixel (y, x) shows (y, x) + push (n, 2, H, W): bilinear, mirrored at the border."""
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device)[:, None] + push[:, 0]
    columns = torch.arange(width, device=images.device) + push[:, 1]
    places = torch.stack([columns.mul_(2 / width).add_(1 / width - 1), rows.mul_(2 / height).add_(1 / height - 1)], 3)
    return F.grid_sample(images, places, padding_mode="reflection", align_corners=False)


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
