"""Where a defect lies: a shape for each image, as a level or weight (n, H, W) that is positive inside, or as a region.

Every shape takes a :class:`adkit.defects.Sampler` and lies around a centre of its own. None has holes of single pixels.
"""

import math

import torch
from torch import Tensor

from adkit.defects.sampler import Sampler

WAVES = range(2, 7)  # waves on the outline of a blob, by their number around it
ANGLES = 256  # entries of the table that holds the outline of a blob
CELLS = 4  # the cells of a grid defect lie in a square of 4 x 4


def offsets(sampler: Sampler) -> tuple[Tensor, Tensor]:
    """Distances of the pixels from a random centre.

    Args:
        sampler: for the centres.

    Returns:
        Pixels down (n, H, 1) and to the right (n, 1, W).
    """
    centre = sampler.centres()[:, :, None, None]
    rows, columns = sampler.grid
    return rows - centre[:, 0], columns - centre[:, 1]


def rotated(sampler: Sampler, down: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Distances along and across a random direction.

    Args:
        sampler: for the directions.
        down: pixels down from a centre, (n, h, 1).
        right: pixels to the right of it, (n, 1, w).

    Returns:
        Pixels along and across, (n, h, w) each.
    """
    angle = sampler.uniform(0, math.pi, 1, 1)
    cosine, sine = angle.cos(), angle.sin()
    return down * sine + right * cosine, down * cosine - right * sine


def soft(level: Tensor, edge: float) -> Tensor:
    """A level as a weight: 0 where it is not positive, smoothly up to 1 where it reaches ``edge``.

    Args:
        level: of any shape.
        edge: positive.

    Returns:
        Weight in [0, 1], of that shape.
    """
    weight = (level / edge).clamp_(0, 1)
    return weight.square() * weight.mul_(-2).add_(3)


def blob(
    sampler: Sampler, edge: float = 0.01, roughness: float = 0.15, elongation: float = 2.0, size: Tensor | None = None
) -> Tensor:
    """The inside of a smooth random closed curve: weight (n, H, W) in [0, 1], positive inside.

    In polar coordinates around the centre the curve is ``1 + sum a_k cos(k t + p_k)`` for k = 2 … 6 with amplitudes
    that fall as 1 / k, stretched in a random direction. It is star-shaped, so the region has no holes. Only a window
    around the centre is computed.

    Args:
        sampler: for centres, sizes, directions and outlines; a size is the longest extent of the mean ellipse.
        edge: in (0, 1]; the weight goes from 0 to 1 as (distance / radius)² falls from 1 to 1 - edge.
        roughness: amplitude of the waves, as a fraction in [0, 0.4] of the radius; 0 is an ellipse.
        elongation: largest ratio of the two axes, at least 1.
        size: extents (n,) in pixels, none above ``sampler.largest``; default: random, as ``sampler.sizes``.

    Example:
        >>> weight = blob(Sampler(torch.rand(2, 1, 64, 64)))
        >>> weight.shape, bool((weight > 0).flatten(1).any(1).all())
        (torch.Size([2, 64, 64]), True)
    """
    reach = (1 + roughness * sum(2 / k for k in WAVES)) * sampler.largest / 2
    rows, columns, down, right = _window(sampler, reach)
    along, across = rotated(sampler, down, right)
    half = (sampler.sizes() if size is None else size)[:, None, None] / 2
    along /= half
    across *= sampler.log_uniform(1, elongation)[:, None, None] / half
    index = torch.atan2(across, along).mul_(ANGLES / (2 * math.pi)).add_(ANGLES / 2).long().clamp_(0, ANGLES - 1)
    radius = _outlines(sampler, roughness).gather(1, index.flatten(1)).view_as(along)
    distance = along.square_().add_(across.square_()).div_(radius.square_())
    weight = torch.zeros(sampler.n, *sampler.shape, device=sampler.device)
    image = torch.arange(sampler.n, device=sampler.device)[:, None, None]
    weight[image, rows[:, :, None], columns[:, None, :]] = soft(1 - distance, edge)
    return weight


def _window(sampler: Sampler, reach: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The pixels within ``reach`` of a random centre.

    Returns:
        Their rows (n, h) and columns (n, w), and their distances from the centre: down (n, h, 1), right (n, 1, w).
    """
    centre, places, distances = sampler.centres(), [], []
    for axis, side in enumerate(sampler.shape):
        extent = min(2 * math.ceil(reach) + 2, side)
        first = (centre[:, axis] - extent / 2).floor_().clamp_(0, side - extent)
        place = first[:, None] + torch.arange(extent, device=sampler.device)
        distances.append(place - centre[:, axis, None])
        places.append(place.long())
    return *places, distances[0][:, :, None], distances[1][:, None, :]


def _outlines(sampler: Sampler, roughness: float) -> Tensor:
    """Radius by angle (n, ANGLES), its mean 1."""
    waves = torch.arange(WAVES.start, WAVES.stop, device=sampler.device)
    angle = torch.arange(ANGLES, device=sampler.device) * (2 * math.pi / ANGLES)
    phase = sampler.uniform(0, 2 * math.pi, len(waves), 1)
    amplitude = sampler.uniform(-roughness, roughness, len(waves)) * (2 / waves)
    return 1 + (amplitude[:, None] @ torch.cos(waves[:, None] * angle + phase)).squeeze(1)


def rectangle(sampler: Sampler, elongation: float = 3.0) -> Tensor:
    """An upright rectangle; its area is that of a square of the defect's size.

    Args:
        sampler: for centres and sizes.
        elongation: largest ratio of the sides, at least 1.

    Returns:
        Region (n, H, W) bool.
    """
    ratio = sampler.log_uniform(1 / elongation, elongation).sqrt_()
    size = sampler.sizes()
    return box(sampler, size * ratio, size / ratio)


def box(sampler: Sampler, height: Tensor, width: Tensor) -> Tensor:
    """An upright box of given sides, at least one pixel.

    Args:
        sampler: for centres.
        height: (n,) in pixels.
        width: (n,) in pixels.

    Returns:
        Region (n, H, W) bool.
    """
    down, right = offsets(sampler)
    rows = (down >= -height.div(2)[:, None, None]) & (down < height.div(2).clamp(min=1)[:, None, None])
    columns = (right >= -width.div(2)[:, None, None]) & (right < width.div(2).clamp(min=1)[:, None, None])
    return rows & columns


def yarn_stretch(
    sampler: Sampler, length: tuple[float, float], width: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """A stretch of one yarn, upright or level.

    Args:
        sampler: for centres and directions.
        length: smallest and largest, as a fraction of the shorter side of the image.
        width: smallest and largest, in pixels.

    Returns:
        The region (n, H, W); its width in pixels (n,); whether it stands upright (n,) bool.
    """
    upright = sampler.uniform(-1, 1) > 0
    long = sampler.log_uniform(*(fraction * min(sampler.shape) for fraction in length)).clamp_(min=3)
    thick = sampler.uniform(*width).round_()
    return box(sampler, torch.where(upright, long, thick), torch.where(upright, thick, long)), thick, upright


def cells(sampler: Sampler, share: float = 0.5) -> Tensor:
    """Some of the cells of a small grid; a defect's size is that of the square of 4 x 4 cells.

    Args:
        sampler: for centres, sizes and choices.
        share: probability that a cell is chosen, in [0, 1]; one always is.

    Returns:
        Region (n, H, W) bool.
    """
    chance = sampler.uniform(0, 1, CELLS * CELLS)
    chosen = (chance < share) | (chance == chance.amin(1, keepdim=True))
    cell = (sampler.sizes() / CELLS).clamp_(min=2)[:, None, None]
    row, column = ((offset / cell).floor_().long() + CELLS // 2 for offset in offsets(sampler))  # (n, H, 1), (n, 1, W)
    inside = (row >= 0) & (row < CELLS) & (column >= 0) & (column < CELLS)
    index = row.clamp_(0, CELLS - 1) * CELLS + column.clamp_(0, CELLS - 1)
    return chosen.gather(1, index.flatten(1)).view_as(inside) & inside


def line(sampler: Sampler, length: tuple[float, float], width: tuple[float, float], bow: float) -> Tensor:
    """A scratch: a thin bent line with smooth flanks.

    Args:
        sampler: for centres and directions.
        length: smallest and largest, as a fraction of the shorter side of the image.
        width: smallest and largest, in pixels.
        bow: largest deviation from a straight line, as a fraction of the length.

    Returns:
        Weight (n, H, W) in [0, 1].
    """
    along, across = rotated(sampler, *offsets(sampler))
    half = sampler.log_uniform(*(fraction * min(sampler.shape) / 2 for fraction in length)).clamp_(min=2)[:, None, None]
    rise = sampler.uniform(-bow, bow)[:, None, None] * 2 / half
    across += rise * along.square()
    reach = sampler.uniform(*width)[:, None, None] / 2 + 0.5
    flank = (reach - across.abs_()).clamp_(0, 1)
    return flank.mul_((half - along.abs_()).clamp_(0, 1))
