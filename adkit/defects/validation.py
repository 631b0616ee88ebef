"""Checks of settings, of images that come in, and of what a defect type returns; each says what came and what may."""

from collections.abc import Iterable, Sequence
from numbers import Real

import torch
from torch import Tensor

from adkit.losses import check_images


def check_between(name: str, value: float, low: float, high: float) -> None:
    """Refuse a setting that is no number in [low, high].

    Args:
        name: of the setting, for the message.
        value: what was given.
        low: smallest number allowed.
        high: largest number allowed.

    Raises:
        ValueError: if it is no number, or outside.
    """
    if not (isinstance(value, Real) and low <= value <= high):
        raise ValueError(f"{name} must be a number in [{low:g}, {high:g}], got {value!r}")


def check_interval(name: str, value: Sequence[float], low: float, high: float) -> None:
    """Refuse a setting that is not two numbers with low <= smallest <= largest <= high.

    Args:
        name: of the setting, for the message.
        value: what was given, as (smallest, largest).
        low: smallest number allowed.
        high: largest number allowed.

    Raises:
        ValueError: if it is no pair of numbers, not in order, or outside.
    """
    numbers = isinstance(value, Sequence) and len(value) == 2 and all(isinstance(number, Real) for number in value)
    if not (numbers and low <= value[0] <= value[1] <= high):
        raise ValueError(f"{name} must be (smallest, largest) within [{low:g}, {high:g}], got {value!r}")


def check_option(name: str, value: object, options: Iterable[str]) -> None:
    """Refuse a setting that is none of its options.

    Args:
        name: of the setting, for the message.
        value: what was given.
        options: what may be given; the message lists them.

    Raises:
        ValueError: if the value is none of them.
    """
    if value not in tuple(options):
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}")


def check_batch(images: Tensor, foreground: Tensor | None, generator: torch.Generator | None) -> None:
    """Refuse what cannot be corrupted, without a look at any value.

    Args:
        images: must be float32 (B, C, H, W).
        foreground: must be bool (B, H, W) on the device of the images, or None.
        generator: must be on the device of the images, or None.

    Raises:
        TypeError: if the images are not float32.
        ValueError: if a shape or a device does not fit.
    """
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
    """Refuse images that leave [0, 1] or hold a NaN; this reads from the device, so that a GPU's host waits.

    Args:
        images: float, of any shape.

    Raises:
        ValueError: if a value lies outside.
    """
    check_images(images, advice="divide by 255 or by 65535")


def check_corruption(name: str, shape: tuple[int, ...], corrupted: Tensor, region: Tensor | None) -> None:
    """Refuse what a defect type returned where it does not fit the images it got.

    Args:
        name: of the defect type, for the message.
        shape: (n, C, H, W) of the images it got.
        corrupted: must be float32 of that shape.
        region: must be bool (n, H, W), or None.

    Raises:
        ValueError: if one of them is of another shape or type.
    """
    if tuple(corrupted.shape) != shape or corrupted.dtype != torch.float32:
        raise ValueError(
            f"defect type {name!r} must return float32 images {shape}, got {corrupted.dtype} {tuple(corrupted.shape)}"
        )
    expected = (shape[0], *shape[2:])
    if region is not None and (tuple(region.shape) != expected or region.dtype != torch.bool):
        raise ValueError(
            f"defect type {name!r} must return a bool region {expected} or None, "
            f"got {region.dtype} {tuple(region.shape)}"
        )
