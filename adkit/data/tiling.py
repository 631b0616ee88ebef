"""Cutting an image into overlapping tiles, and putting the tiles back together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adkit.data.resize import Size

if TYPE_CHECKING:  # torch is slow to import, and a small inspection box has none
    from torch import Tensor


def tile_positions(size: Size, tile: Size, overlap: int = 0) -> list[Size]:
    """Top-left corners (top, left) of tiles that cover an image, row by row.

    Neighbours share at least ``overlap`` pixels; the last row and column are moved inwards, so that no tile reaches
    over the border. An image smaller than the tile has one, at (0, 0), and is padded by whoever cuts it.

    Args:
        size: height and width of the image in pixels.
        tile: height and width of a tile in pixels.
        overlap: pixels, at least 0 and below the tile's shorter side.

    Returns:
        (top, left) of each tile, in pixels.

    Raises:
        ValueError: if a side is not positive or the overlap not below the tile's sides.

    Example:
        >>> tile_positions((64, 150), tile=(64, 64), overlap=16)
        [(0, 0), (0, 48), (0, 86)]
    """
    if min(*size, *tile) < 1:
        raise ValueError(f"size and tile must be positive, got {size} and {tile}")
    if not 0 <= overlap < min(tile):
        raise ValueError(f"overlap must be at least 0 and below the tile's sides {tile}, got {overlap}")
    rows, columns = (_starts(length, side, overlap) for length, side in zip(size, tile, strict=True))
    return [(top, left) for top in rows for left in columns]


def stitch(
    tiles: "Tensor | Sequence[Tensor]",
    positions: Sequence[Size],
    size: Size,
    needed: "Tensor | None" = None,
    blend: bool = False,
) -> "Tensor":
    """Put tiles back together; where they overlap the result is their mean.

    The mean is updated tile by tile, ``mean += (tile - mean) * (weight / sum of weights)``: equal values stay equal to
    the last bit, so that tiles cut from an image give the image back exactly.

    Args:
        tiles: (N, ..., h, w), floating point, or a list of (..., h, w).
        positions: N corners (top, left), as of :func:`tile_positions`.
        size: height and width of the result in pixels; what a padded tile has beyond it is cut off.
        needed: bool (H, W), pixels that some tile must cover: others may be left out and stay 0. None: all.
        blend: weigh each tile by the distance to its border, so that one fades into the next where they overlap; else
            all weigh the same, and the mean jumps where a tile ends.

    Returns:
        (..., H, W) on the device of the tiles.

    Raises:
        ValueError: if the numbers differ, the tiles are not floating point or do not cover what they must.

    Example:
        >>> import torch
        >>> image = torch.rand(3, 50, 70)
        >>> corners = tile_positions((50, 70), (32, 32), overlap=8)
        >>> tiles = [image[:, y : y + 32, x : x + 32] for y, x in corners]
        >>> bool((stitch(tiles, corners, (50, 70)) == image).all())
        True
    """
    if len(tiles) != len(positions) or len(tiles) == 0:
        raise ValueError(
            f"stitch needs one position for each tile, got {len(tiles)} tiles and {len(positions)} positions"
        )
    if not tiles[0].is_floating_point():
        raise ValueError(f"tiles must be floating point, so that overlaps can be averaged, got {tiles[0].dtype}")
    mean = tiles[0].new_zeros(*tiles[0].shape[:-2], *size)
    total = tiles[0].new_zeros(size)
    for tile, (top, left) in zip(tiles, positions, strict=True):
        window = (..., slice(top, top + tile.shape[-2]), slice(left, left + tile.shape[-1]))
        height, width = total[window].shape
        weight = _hat(tile)[:height, :width] if blend else 1
        total[window] += weight
        change = tile[..., :height, :width] - mean[window]
        mean[window] += change * (weight / total[window]) if blend else change / total[window]
    uncovered = total == 0 if needed is None else (total == 0) & needed.to(total.device)
    if (empty := int(uncovered.sum())) > 0:
        raise ValueError(
            f"the tiles leave {empty} of {size[0]} x {size[1]} pixels uncovered; pass all tiles of the image"
        )
    return mean


def seam_jump(anomaly_map: "Tensor", positions: Sequence[Size], tile: Size) -> float:
    """How much a map jumps where tiles begin and end, beside the usual step between neighbouring pixels.

    Args:
        anomaly_map: (H, W) float, put together of tiles.
        positions: corners (top, left) of the tiles.
        tile: height and width of a tile in pixels.

    Returns:
        Mean absolute step across the borders of tiles, divided by the mean step elsewhere: about 1 where no seam shows.

    Raises:
        ValueError: if no tile ends inside of the map.

    Example:
        >>> import torch
        >>> ramp = torch.arange(8.0).repeat(4, 1)
        >>> seam_jump(ramp, [(0, 0), (0, 4)], (4, 4))
        1.0
        >>> seam_jump(ramp + 9 * (ramp > 3), [(0, 0), (0, 4)], (4, 4))
        10.0
    """
    import torch

    across, elsewhere = [], []
    for axis in (0, 1):
        steps = anomaly_map.diff(dim=axis).abs().movedim(axis, 0)
        borders = {corner[axis] + side for corner in positions for side in (0, tile[axis])}
        seams = [k for k in range(len(steps)) if k + 1 in borders]
        if seams:
            across.append(steps[seams].flatten())
            elsewhere.append(steps[[k for k in range(len(steps)) if k not in seams]].flatten())
    if not across:
        raise ValueError(f"no tile of {tile} ends inside of the map {tuple(anomaly_map.shape)}")
    return float(torch.cat(across).mean() / torch.cat(elsewhere).mean())


def _hat(tile: "Tensor") -> "Tensor":
    """Weights (h, w) of a tile's pixels: their distance to its border, 1 at the border itself."""
    height, width = tile.shape[-2:]
    rows, columns = (_distance(side, tile) for side in (height, width))
    return rows[:, None] * columns


def _distance(side: int, like: "Tensor") -> "Tensor":
    import torch

    ahead = torch.arange(1, side + 1, device=like.device, dtype=like.dtype)
    return torch.minimum(ahead, ahead.flip(0))


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    return [*range(0, length - side, side - overlap), length - side]
