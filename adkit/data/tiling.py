"""Cutting an image into overlapping tiles, and putting the tiles back together."""

from collections.abc import Sequence

from torch import Tensor

from adkit.data.resize import Size


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
    tiles: Tensor | Sequence[Tensor], positions: Sequence[Size], size: Size, needed: Tensor | None = None
) -> Tensor:
    """Put tiles back together; where they overlap the result is their mean.

    The mean is updated tile by tile, ``mean += (tile - mean) / count``: equal values stay equal to the last bit, so
    that tiles cut from an image give the image back exactly.

    Args:
        tiles: (N, ..., h, w), floating point, or a list of (..., h, w).
        positions: N corners (top, left), as of :func:`tile_positions`.
        size: height and width of the result in pixels; what a padded tile has beyond it is cut off.
        needed: bool (H, W), pixels that some tile must cover: others may be left out and stay 0. None: all.

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
    count = tiles[0].new_zeros(size)
    for tile, (top, left) in zip(tiles, positions, strict=True):
        window = (..., slice(top, top + tile.shape[-2]), slice(left, left + tile.shape[-1]))
        count[window] += 1
        height, width = count[window].shape
        mean[window] += (tile[..., :height, :width] - mean[window]) / count[window]
    uncovered = count == 0 if needed is None else (count == 0) & needed.to(count.device)
    if (empty := int(uncovered.sum())) > 0:
        raise ValueError(
            f"the tiles leave {empty} of {size[0]} x {size[1]} pixels uncovered; pass all tiles of the image"
        )
    return mean


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    return [*range(0, length - side, side - overlap), length - side]
