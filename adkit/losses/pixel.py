"""Losses that compare pixel with pixel."""

from torch import Tensor, nn

from adkit.losses.images import as_pair, reduce


def mse(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean squared error over channels and pixels.

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least.
        target: images of the same shape.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ or are not (B, C, H, W).

    Example:
        >>> import torch
        >>> mse(torch.zeros(2, 1, 4, 4), torch.full((2, 1, 4, 4), 0.5))
        tensor(0.2500)
    """
    x, y = as_pair(prediction, target)
    return reduce((x - y).square().mean(dim=(1, 2, 3)), reduction)


def l1(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error over channels and pixels.

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least.
        target: images of the same shape.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ or are not (B, C, H, W).

    Example:
        >>> import torch
        >>> l1(torch.zeros(2, 1, 4, 4), torch.full((2, 1, 4, 4), 0.5))
        tensor(0.5000)
    """
    x, y = as_pair(prediction, target)
    return reduce((x - y).abs().mean(dim=(1, 2, 3)), reduction)


class MSELoss(nn.Module):
    """``mse`` as a module."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss of a batch, a scalar."""
        return mse(prediction, target)


class L1Loss(nn.Module):
    """``l1`` as a module."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss of a batch, a scalar."""
        return l1(prediction, target)
