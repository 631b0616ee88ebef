"""What a defect shows: colours, displaced, blurred or bent pieces of the images themselves, Perlin noise.

All of it for a whole batch at once, on its device.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.data.padding import mirrored
from adkit.defects.sampler import Sampler


def displaced(sampler: Sampler, source: Tensor, shift: Tensor) -> Tensor:
    """Images of the batch, moved: pixel (y, x) of the result shows (y, x) + shift of its source.

    Args:
        sampler: its batch (B, C, H, W) is read.
        source: (n,) long, places in the batch.
        shift: (n, 2) long, pixels down and to the right; what leaves the frame is mirrored.

    Returns:
        (n, C, H, W) in [0, 1].
    """
    down, right = (
        mirrored(torch.arange(side, device=sampler.device) + shift[:, axis, None], side)
        for axis, side in enumerate(sampler.shape)
    )
    rows = pixel_rows(sampler.batch, source, down)
    return rows.gather(3, right[:, None, None, :].expand_as(rows))


def pixel_rows(images: Tensor, source: Tensor, rows: Tensor) -> Tensor:
    """Gather whole rows of pixels.

    Args:
        images: (B, C, H, W).
        source: (n,) long, places among the images.
        rows: (n, h) long, in [0, H).

    Returns:
        (n, C, h, W).
    """
    channels, height, width = images.shape[1:]
    first = source[:, None] * channels + torch.arange(channels, device=images.device)
    index = first[:, :, None] * height + rows[:, None, :]  # (n, C, h)
    return images.reshape(-1, width).index_select(0, index.flatten()).view(*index.shape, width)


def tint(sampler: Sampler, spread: float = 0.15) -> Tensor:
    """A dark or a light colour for each image; its channels differ a little.

    Args:
        sampler: of n images.
        spread: largest distance of a channel from black or white, in [0, 1].

    Returns:
        (n, C, 1, 1) in [0, 1].
    """
    light = (sampler.uniform(-1, 1, 1) > 0).float()
    return (light - sampler.uniform(0, spread, sampler.channels)).abs_()[:, :, None, None]


def blurred(images: Tensor, sigma: Tensor, largest: float) -> Tensor:
    """Gaussian blur of each image with a width of its own; borders are mirrored.

    Args:
        images: (n, C, H, W) float.
        sigma: (n,) standard deviations in pixels, positive.
        largest: upper limit of sigma in pixels, which fixes the reach of the kernel on the host.

    Returns:
        (n, C, H, W).
    """
    n, channels, height, width = images.shape
    reach = min(math.ceil(2.5 * largest), height - 1, width - 1)
    steps = torch.arange(-reach, reach + 1, device=images.device)
    kernel = (-0.5 * (steps / sigma[:, None]).square()).softmax(1).repeat_interleave(channels, 0)  # (n * C, k)
    planes = F.pad(images.reshape(1, n * channels, height, width), (reach,) * 4, mode="reflect")
    planes = F.conv2d(planes, kernel[:, None, None, :], groups=n * channels)
    return F.conv2d(planes, kernel[:, None, :, None], groups=n * channels).view_as(images)


def bent(images: Tensor, push: Tensor) -> Tensor:
    """Images whose pixel (y, x) shows what was at (y, x) + push: bilinear, mirrored at the border.

    Args:
        images: (n, C, H, W) float.
        push: (n, 2, H, W), pixels down and to the right.

    Returns:
        (n, C, H, W).
    """
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device)[:, None] + push[:, 0]
    columns = torch.arange(width, device=images.device) + push[:, 1]
    places = torch.stack([columns.mul_(2 / width).add_(1 / width - 1), rows.mul_(2 / height).add_(1 / height - 1)], 3)
    return F.grid_sample(images, places, padding_mode="reflection", align_corners=False)


def perlin_noise(sampler: Sampler, cell: tuple[float, float]) -> Tensor:
    """Perlin's gradient noise for a whole batch, by two matrix products.

    At each pixel the noise adds up, over the corners of a lattice, the dot product of a corner's random gradient with
    the distance from it, weighted by a smooth fade of that distance. Both factors separate: the fade is a function of
    the row times one of the column, and the dot product is a sum of two terms. So the noise is ``A G B' + C G' D'``
    with the gradients in the middle, and each image may have a lattice of its own spacing.

    Source: Perlin, "An image synthesizer", SIGGRAPH 1985; the fade is that of "Improving noise", SIGGRAPH 2002.

    Args:
        sampler: of n images (H, W).
        cell: smallest and largest spacing of the lattice in pixels; chosen for each image and each of its axes.

    Returns:
        (n, H, W), about in [-1, 1].

    Example:
        >>> noise = perlin_noise(Sampler(torch.rand(2, 1, 64, 96)), cell=(8, 32))
        >>> noise.shape, bool(noise.abs().max() < 1.1)
        (torch.Size([2, 64, 96]), True)
    """
    (fade_y, slope_y), (fade_x, slope_x) = (_basis(sampler, side, cell) for side in sampler.shape)
    angle = sampler.uniform(0, 2 * math.pi, fade_y.shape[2], fade_x.shape[2])
    rows = torch.cat([slope_y @ angle.sin(), fade_y @ angle.cos()], 2)  # (n, H, 2 * corners)
    columns = torch.cat([fade_x, slope_x], 2)  # (n, W, 2 * corners)
    return (rows @ columns.transpose(1, 2)).mul_(math.sqrt(2))


def _basis(sampler: Sampler, side: int, cell: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Fade of the distances between pixels and corners along one axis, and fade times distance: (n, side, corners)."""
    corners = math.ceil(side / cell[0]) + 2
    position = torch.arange(side, device=sampler.device) / sampler.log_uniform(*cell)[:, None] + sampler.uniform(
        0, 1, 1
    )
    distance = position[:, :, None] - torch.arange(corners, device=sampler.device)
    t = distance.abs().clamp_(max=1)
    fade = 1 - t**3 * (t * (t * 6 - 15) + 10)
    return fade, fade * distance
