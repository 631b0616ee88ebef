"""Which pixels of an image may score: a network sees half of a neighbourhood at a border, and mirrors the rest."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

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


def inner(foreground: Tensor, border: int) -> Tensor:
    """The foreground away from its border: further than ``border`` pixels from the edge of the image, and from what is
    no foreground, whose neighbourhood a network or filter sees as well.

    Args:
        foreground: bool (H, W), of a whole image.
        border: width of the border in pixels, at least 0.

    Returns:
        bool (H, W); all of the foreground where the border would leave nothing of it.

    Example:
        >>> strip = torch.tensor([[0, 1, 1, 1, 1, 1]] * 3, dtype=torch.bool)
        >>> inner(strip, 1).int().tolist()
        [[0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]]
    """
    size = tuple(foreground.shape)
    within = foreground & interior(size, border, (0, 0), size)
    if border and not foreground.all():
        width = 2 * border + 1
        off = (~foreground).float()[None, None]
        near = max_pool2d(max_pool2d(off, (width, 1), 1, (border, 0)), (1, width), 1, (0, border))[0, 0] > 0
        within = within & ~near
    return within if within.any() else foreground


def interiors(dataset: AnomalyDataset, items: Iterable[int], size: tuple[int, int], border: int) -> Tensor:
    """As :func:`inner`, for items of a dataset: what of each is away from the whole image's border; bool (B, h, w).

    Args:
        dataset: whole images, or tiles of them.
        items: numbers of B items.
        size: (h, w) of each.
        border: width of the border in pixels, at least 0.
    """
    within = torch.zeros(0, *size, dtype=torch.bool)
    for i in items:
        (top, left), one = dataset.corners[i], torch.zeros(size, dtype=torch.bool)
        cut = inner(dataset.frame_foreground(i), border)[top : top + size[0], left : left + size[1]]
        one[: cut.shape[0], : cut.shape[1]] = cut
        within = torch.cat([within, one[None]])
    return within
