"""What every loss shares: the checks on a pair of images, the precision, and the reduction to one number."""

import torch
from torch import Tensor

REDUCTIONS = ("mean", "none")


def check_images(
    *images: Tensor,
    tolerance: float = 0.0,
    advice: str = "divide by 255 or by 65535, or check the last activation of the network",
) -> None:
    """Refuse images that leave [0, 1] or hold a NaN.

    The losses themselves do not look at values, since on a GPU every look makes the host wait. Call this once, on a
    first batch: an output in [-1, 1] against targets in [0, 1] trains without a complaint, and to nothing good.

    Args:
        *images: any number of float tensors, of any shape but not empty.
        tolerance: how far outside [0, 1] a value may lie, at least 0; resizing overshoots by about 1e-7.
        advice: what the message tells the caller to do.

    Raises:
        ValueError: if a value lies outside [0, 1] by more than the tolerance, or is not a number.

    Example:
        >>> check_images(torch.rand(1, 1, 4, 4))
    """
    for image in images:
        low, high = (value.item() for value in image.aminmax())
        # written so that a NaN, which compares as neither, is refused too
        if not (low >= -tolerance and high <= 1 + tolerance):
            raise ValueError(f"images must lie in [0, 1], got values from {low:g} to {high:g}; {advice}")


def as_pair(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Check that two batches of images fit together, and bring both to float32 (or float64, where one is).

    Args:
        prediction: images (B, C, H, W) of any float type.
        target: images of the same shape.

    Returns:
        Both, in the same one of float32 and float64.

    Raises:
        ValueError: if the shapes differ or are not (B, C, H, W).
        TypeError: if either holds integers.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction and target must have one shape, got {tuple(prediction.shape)} and {tuple(target.shape)}; "
            "crop or resize one of them"
        )
    if prediction.ndim != 4:
        raise ValueError(
            f"images must have the shape (B, C, H, W), got {tuple(prediction.shape)}; add the missing axes with [None]"
        )
    for image in (prediction, target):
        if not image.is_floating_point():
            raise TypeError(f"images must be float in [0, 1], got {image.dtype}; convert with .float() / 255")
    dtype = torch.promote_types(torch.promote_types(prediction.dtype, target.dtype), torch.float32)
    return prediction.to(dtype), target.to(dtype)


def reduce(values: Tensor, reduction: str) -> Tensor:
    """The mean of per-image values (B,), or the values themselves.

    Args:
        values: (B,), float.
        reduction: ``mean`` for a scalar, ``none`` for the values.

    Raises:
        ValueError: if ``reduction`` is neither ``mean`` nor ``none``.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
    return values.mean() if reduction == "mean" else values
