"""Where a defect lies: a shape for each image, as a level or weight (n, H, W) that is positive inside, or as a region.

Every shape takes a :class:`Draw` and places itself around a centre of its own. None has holes of single pixels.
"""

import math

import torch
from torch import Tensor

from adkit.defects.sampler import Draw

WAVES = range(2, 7)  # waves on the outline of a blob, by their number around it
ANGLES = 256  # entries of the table that holds the outline of a blob
CELLS = 4  # the cells of a grid defect lie in a square of 4 x 4


def offsets(draw: Draw) -> tuple[Tensor, Tensor]:
    """Distances of the pixels from a random centre: down (n, H, 1) and to the right (n, 1, W)."""
    centre = draw.centres()[:, :, None, None]
    rows, columns = draw.grid
    return rows - centre[:, 0], columns - centre[:, 1]


def turned(draw: Draw, down: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """The same along and across a random direction: two (n, H, W)."""
    angle = draw.uniform(0, math.pi, 1, 1)
    cosine, sine = angle.cos(), angle.sin()
    return down * sine + right * cosine, down * cosine - right * sine


def soft(level: Tensor, edge: float) -> Tensor:
    """Weight in [0, 1]: 0 where the level is not positive, smoothly up to 1 where it reaches ``edge``."""
    weight = (level / edge).clamp_(0, 1)
    return weight.square() * weight.mul_(-2).add_(3)


def blob(
    draw: Draw, edge: float = 0.01, roughness: float = 0.15, elongation: float = 2.0, size: Tensor | None = None
) -> Tensor:
    """The inside of a smooth random closed curve: weight (n, H, W) in [0, 1], positive inside.

    In polar coordinates around the centre the curve is ``1 + sum a_k cos(k t + p_k)`` for k = 2 … 6 with amplitudes
    that fall as 1 / k, drawn out in a random direction. It is star-shaped, so the region has no holes. Only a window
    around the centre is computed.

    Args:
        draw: for centres, sizes, directions and outlines; a size is the longest extent of the mean ellipse.
        edge: the weight goes from 0 to 1 as (distance / radius)² falls from 1 to 1 - edge.
        roughness: amplitude of the waves, as a fraction of the radius; 0 is an ellipse.
        elongation: largest ratio of the two axes.
        size: extents (n,) in pixels, none above ``draw.largest``; default: drawn.

    Example:
        >>> weight = blob(Draw(torch.rand(2, 1, 64, 64)))
        >>> weight.shape, bool((weight > 0).flatten(1).any(1).all())
        (torch.Size([2, 64, 64]), True)
    """
    reach = (1 + roughness * sum(2 / k for k in WAVES)) * draw.largest / 2
    rows, columns, down, right = _window(draw, reach)
    along, across = turned(draw, down, right)
    half = (draw.sizes() if size is None else size)[:, None, None] / 2
    along /= half
    across *= draw.log_uniform(1, elongation)[:, None, None] / half
    index = torch.atan2(across, along).mul_(ANGLES / (2 * math.pi)).add_(ANGLES / 2).long().clamp_(0, ANGLES - 1)
    radius = _outlines(draw, roughness).gather(1, index.flatten(1)).view_as(along)
    distance = along.square_().add_(across.square_()).div_(radius.square_())
    weight = torch.zeros(draw.n, *draw.shape, device=draw.device)
    image = torch.arange(draw.n, device=draw.device)[:, None, None]
    weight[image, rows[:, :, None], columns[:, None, :]] = soft(1 - distance, edge)
    return weight


def _window(draw: Draw, reach: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The pixels within ``reach`` of a random centre.

    Returns:
        Their rows (n, h) and columns (n, w), and their distances from the centre: down (n, h, 1), right (n, 1, w).
    """
    centre, places, distances = draw.centres(), [], []
    for axis, side in enumerate(draw.shape):
        extent = min(2 * math.ceil(reach) + 2, side)
        first = (centre[:, axis] - extent / 2).floor_().clamp_(0, side - extent)
        place = first[:, None] + torch.arange(extent, device=draw.device)
        distances.append(place - centre[:, axis, None])
        places.append(place.long())
    return *places, distances[0][:, :, None], distances[1][:, None, :]


def _outlines(draw: Draw, roughness: float) -> Tensor:
    """Radius by angle (n, ANGLES), its mean 1."""
    waves = torch.arange(WAVES.start, WAVES.stop, device=draw.device)
    angle = torch.arange(ANGLES, device=draw.device) * (2 * math.pi / ANGLES)
    phase = draw.uniform(0, 2 * math.pi, len(waves), 1)
    amplitude = draw.uniform(-roughness, roughness, len(waves)) * (2 / waves)
    return 1 + (amplitude[:, None] @ torch.cos(waves[:, None] * angle + phase)).squeeze(1)


def rectangle(draw: Draw, elongation: float = 3.0) -> Tensor:
    """An upright rectangle: region (n, H, W); its area is that of a square of the drawn size."""
    ratio = draw.log_uniform(1 / elongation, elongation).sqrt_()
    size = draw.sizes()
    return box(draw, size * ratio, size / ratio)


def box(draw: Draw, height: Tensor, width: Tensor) -> Tensor:
    """An upright box of the given sides (n,) in pixels: region (n, H, W), at least one pixel."""
    down, right = offsets(draw)
    rows = (down >= -height.div(2)[:, None, None]) & (down < height.div(2).clamp(min=1)[:, None, None])
    columns = (right >= -width.div(2)[:, None, None]) & (right < width.div(2).clamp(min=1)[:, None, None])
    return rows & columns


def band(draw: Draw, length: tuple[float, float], width: tuple[float, float]) -> tuple[Tensor, Tensor, Tensor]:
    """A stretch of one yarn, upright or level.

    Args:
        draw: for centres and directions.
        length: range, as a fraction of the shorter side.
        width: range in pixels.

    Returns:
        The region (n, H, W); its width in pixels (n,); whether it stands upright (n,) bool.
    """
    upright = draw.uniform(-1, 1) > 0
    long = draw.log_uniform(*(fraction * min(draw.shape) for fraction in length)).clamp_(min=3)
    thick = draw.uniform(*width).round_()
    return box(draw, torch.where(upright, long, thick), torch.where(upright, thick, long)), thick, upright


def cells(draw: Draw, share: float = 0.5) -> Tensor:
    """Some of the cells of a small grid: region (n, H, W); the drawn size is that of the square of 4 x 4 cells."""
    chance = draw.uniform(0, 1, CELLS * CELLS)
    chosen = (chance < share) | (chance == chance.amin(1, keepdim=True))
    cell = (draw.sizes() / CELLS).clamp_(min=2)[:, None, None]
    row, column = ((offset / cell).floor_().long() + CELLS // 2 for offset in offsets(draw))  # (n, H, 1), (n, 1, W)
    inside = (row >= 0) & (row < CELLS) & (column >= 0) & (column < CELLS)
    index = row.clamp_(0, CELLS - 1) * CELLS + column.clamp_(0, CELLS - 1)
    return chosen.gather(1, index.flatten(1)).view_as(inside) & inside


def line(draw: Draw, length: tuple[float, float], width: tuple[float, float], bow: float) -> Tensor:
    """A scratch: a thin bent line with smooth flanks, weight (n, H, W) in [0, 1].

    Args:
        draw: for centres and directions.
        length: range, as a fraction of the shorter side.
        width: range in pixels.
        bow: largest deviation from a straight line, as a fraction of the length.
    """
    along, across = turned(draw, *offsets(draw))
    half = draw.log_uniform(*(fraction * min(draw.shape) / 2 for fraction in length)).clamp_(min=2)[:, None, None]
    rise = draw.uniform(-bow, bow)[:, None, None] * 2 / half
    across += rise * along.square()
    reach = draw.uniform(*width)[:, None, None] / 2 + 0.5
    flank = (reach - across.abs_()).clamp_(0, 1)
    return flank.mul_((half - along.abs_()).clamp_(0, 1))
