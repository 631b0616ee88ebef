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
        bool (H, W), on the device of the foreground; all of the foreground where the border would leave nothing of it.

    Example:
        >>> strip = torch.tensor([[0, 1, 1, 1, 1, 1]] * 3, dtype=torch.bool)
        >>> inner(strip, 1).int().tolist()
        [[0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]]
    """
    within = _inner_window(foreground, tuple(foreground.shape), border, (0, 0))
    return within if within.any() else foreground


def interiors(dataset: AnomalyDataset, items: Iterable[int], size: tuple[int, int], border: int) -> Tensor:
    """As :func:`inner`, for items of a dataset: what of each is away from the whole image's border; bool (B, h, w).

    Args:
        dataset: whole images, or tiles of them.
        items: numbers of B items.
        size: (h, w) of each.
        border: width of the border in pixels, at least 0.
    """
    if dataset.all_foreground:
        return torch.stack([interior(size, border, dataset.corners[i], dataset.frame_size(i)) for i in items])
    return torch.stack([_inner_window(dataset.frame_foreground(i), size, border, dataset.corners[i]) for i in items])


def _inner_window(foreground: Tensor, size: tuple[int, int], border: int, corner: tuple[int, int]) -> Tensor:
    """The same in a window (h, w) of a whole image, which may reach beyond it; only what is near the window is read."""
    (top, left), (height, width) = corner, size
    within = interior(size, border, corner, tuple(foreground.shape)).to(foreground.device)
    near = foreground[max(top - border, 0) : top + height + border, max(left - border, 0) : left + width + border]
    # what lies beyond the image is judged by its edge, above
    off = torch.zeros(height + 2 * border, width + 2 * border, device=foreground.device)
    y, x = max(border - top, 0), max(border - left, 0)
    off[y : y + near.shape[0], x : x + near.shape[1]] = (~near).float()
    if off.any():
        side = 2 * border + 1
        within &= max_pool2d(max_pool2d(off[None, None], (side, 1), 1), (1, side), 1)[0, 0] == 0
    within[max(foreground.shape[0] - top, 0) :] = False
    within[:, max(foreground.shape[1] - left, 0) :] = False
    return within
