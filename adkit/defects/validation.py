"""What holds for every kind of defect, one's own too: changes only inside the region, and no invisible region.

What the settings of every defect share: checks that name the setting, what came and what may come.
"""

from collections.abc import Iterable, Sequence
from numbers import Real

import torch
from torch import Tensor

VISIBLE = 1 / 255  # a region whose mean change is smaller is no defect


def check_batch(images: Tensor, foreground: Tensor | None, generator: torch.Generator | None) -> None:
    """Refuse what cannot be corrupted, without a look at any value."""
    if images.dtype != torch.float32:
        raise TypeError(
            f"images must be float32 in [0, 1], got {images.dtype}; convert with .float(), integers also / 255"
        )
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(f"images must have the shape (B, C, H, W), none of them 0, got {tuple(images.shape)}")
    if foreground is not None and (foreground.dtype != torch.bool or foreground.shape != images[:, 0].shape):
        raise ValueError(
            f"foreground must be bool of the shape {tuple(images[:, 0].shape)}, "
            f"got {foreground.dtype} of the shape {tuple(foreground.shape)}"
        )
    for name, device in (("foreground", foreground), ("generator", generator)):
        if device is not None and device.device != images.device:
            raise ValueError(f"{name} must be on {images.device} as the images are, got {device.device}")


def check_values(images: Tensor) -> None:
    """Refuse images that leave [0, 1] or hold a NaN; this reads from the device."""
    low, high = images.min().item(), images.max().item()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"images must lie in [0, 1], got values from {low:g} to {high:g}; divide by 255 or by 65535")


def check_defect(name: str, shape: tuple[int, ...], corrupted: Tensor, region: Tensor | None) -> None:
    """Refuse what a kind returned where it does not fit the images it got."""
    if tuple(corrupted.shape) != shape or corrupted.dtype != torch.float32:
        raise ValueError(
            f"kind {name!r} must return float32 images {shape}, got {corrupted.dtype} {tuple(corrupted.shape)}"
        )
    expected = (shape[0], *shape[2:])
    if region is not None and (tuple(region.shape) != expected or region.dtype != torch.bool):
        raise ValueError(
            f"kind {name!r} must return a bool region {expected} or None, got {region.dtype} {tuple(region.shape)}"
        )


def visible_changes(images: Tensor, corrupted: Tensor, region: Tensor) -> tuple[Tensor, Tensor]:
    """Changes (n, C, H, W) that are zero outside the regions, and which regions (n,) bool are to be seen.

    A region (n, H, W) of zeros and ones whose mean change over its pixels and channels is below 1/255 is not seen, and
    its changes become zero. ``corrupted`` is overwritten. On a CPU a product with 0 and 1 is several times faster than
    a choice by a bool, and new memory costs more than the arithmetic.
    """
    change = corrupted.clamp_(0, 1).sub_(images).mul_(region[:, None])
    area = region.sum((1, 2)) * images.shape[1]
    seen = torch.linalg.vector_norm(change, 1, dim=(1, 2, 3)) >= VISIBLE * area.clamp(min=1)
    return change.mul_(seen.float()[:, None, None, None]), seen


def overlay(images: Tensor, change: Tensor, rounds: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Lay the changes of all defects over their images; where two overlap, the stronger one shows.

    Args:
        images: (B, C, H, W).
        change: (n, C, H, W), overwritten.
        rounds: for the first defect of each image, the second, …: the places of these defects, and their images;
            none where there is one defect for each image, in order.
    """
    if not rounds:
        return change.add_(images).clamp_(0, 1)
    (which, owner), *later = rounds
    total = torch.zeros_like(images).index_copy_(0, owner, change.index_select(0, which))
    for which, owner in later:
        before, after = total.index_select(0, owner), change.index_select(0, which)
        total.index_copy_(0, owner, torch.where(after.abs() > before.abs(), after, before))
    return total.add_(images).clamp_(0, 1)


def check_between(name: str, value: float, low: float, high: float) -> None:
    """Raise a ValueError where ``value`` is no number in [low, high]."""
    if not (isinstance(value, Real) and low <= value <= high):
        raise ValueError(f"{name} must be a number in [{low:g}, {high:g}], got {value!r}")


def check_range(name: str, value: Sequence[float], low: float, high: float) -> None:
    """Raise a ValueError where ``value`` is not two numbers, low <= smallest <= largest <= high."""
    numbers = isinstance(value, Sequence) and len(value) == 2 and all(isinstance(number, Real) for number in value)
    if not (numbers and low <= value[0] <= value[1] <= high):
        raise ValueError(f"{name} must be (smallest, largest) within [{low:g}, {high:g}], got {value!r}")


def check_option(name: str, value: object, options: Iterable[str]) -> None:
    """Raise a ValueError that lists the options where ``value`` is none of them."""
    if value not in tuple(options):
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}")
