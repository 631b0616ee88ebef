"""Which pixels of an image may score: a network sees half of a neighbourhood at a border, and mirrors the rest."""

from collections.abc import Iterable

import torch
from torch import Tensor

from adkit.data import AnomalyDataset


def interior(size: tuple[int, int], border: int, corner: tuple[int, int], frame: tuple[int, int]) -> Tensor:
    """Pixels of a window that are not in the border of the whole image.

    Args:
        size: (h, w) of the window, a tile of the image or all of it.
        border: width of the border in pixels, at least 0. Where it would leave nothing, all pixels count.
        corner: (top, left) of the window in the image.
        frame: (H, W) of the image.

    Returns:
        bool (h, w).

    Example:
        >>> interior((3, 4), 1, corner=(0, 2), frame=(3, 6)).int().tolist()
        [[0, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    """
    if 2 * border >= min(frame):
        return torch.ones(size, dtype=torch.bool)
    rows, columns = (
        (place >= border) & (place < length - border)
        for place, length in (
            (torch.arange(side) + start, length) for side, start, length in zip(size, corner, frame, strict=True)
        )
    )
    return rows[:, None] & columns


def interiors(dataset: AnomalyDataset, items: Iterable[int], size: tuple[int, int], border: int) -> Tensor:
    """As :func:`interior`, for items of a dataset: bool (B, h, w).

    Args:
        dataset: whole images, or tiles of them.
        items: numbers of B items.
        size: (h, w) of each.
        border: width of the border in pixels, at least 0.
    """
    return torch.stack([interior(size, border, dataset.corners[i], dataset.frame_size(i)) for i in items])
