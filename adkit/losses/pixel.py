"""Losses that compare pixel with pixel, and the loss of a segmentation in which nearly every pixel is easily normal."""

from math import isfinite
from numbers import Real

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

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
        >>> mse(torch.zeros(2, 1, 4, 4), torch.full((2, 1, 4, 4), 0.5))
        tensor(0.2500)
    """
    x, y = as_pair(prediction, target)
    return reduce((x - y).square().mean(dim=(1, 2, 3)), reduction)


def psnr(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Peak signal-to-noise ratio of each image in decibels, 10 log10(1 / MSE).

    A measure of reconstructions, no loss: higher is better, 20 dB is an error of a tenth of the range, and equal images
    have infinity.

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least.
        target: images of the same shape.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ or are not (B, C, H, W).

    Example:
        >>> psnr(torch.zeros(2, 1, 4, 4), torch.full((2, 1, 4, 4), 0.1)).round(decimals=3)
        tensor(20.)
    """
    return reduce(-10 * mse(prediction, target, "none").log10(), reduction)


def l1(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error over channels and pixels.

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least.
        target: images of the same shape.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ or are not (B, C, H, W).

    Example:
        >>> l1(torch.zeros(2, 1, 4, 4), torch.full((2, 1, 4, 4), 0.5))
        tensor(0.5000)
    """
    x, y = as_pair(prediction, target)
    return reduce((x - y).abs().mean(dim=(1, 2, 3)), reduction)


def focal_loss(
    logits: Tensor, mask: Tensor, gamma: float = 2.0, alpha: float | None = None, reduction: str = "mean"
) -> Tensor:
    """Cross-entropy in which a pixel counts the less, the surer the network is of it: ``-(1 - p)**gamma · log p``.

    Here p is the probability of what is true of the pixel. A softmax over two channels, normal and defect, depends on
    their difference alone, so one logit says the same: ``p = sigmoid(logit)`` on a defect, else ``sigmoid(-logit)``.
    Computed by logarithms, it stays finite, with its gradient, for any logit.

    Args:
        logits: (B, …), any float type; computed in float32 at least. Positive: a defect.
        mask: bool of the same shape, True on defects.
        gamma: at least 0; 0 is plain cross-entropy; 2 in the paper and in DRAEM.
        alpha: weight in (0, 1) of the defects, with 1 - alpha for the rest; None: 1 for both, as in DRAEM.
        reduction: ``mean`` for the scalar, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ, or ``gamma`` or ``alpha`` is out of its range.
        TypeError: if the mask is not bool.

    Source:
        Lin et al.: Focal loss for dense object detection, ICCV 2017, eq. 5.

    Example:
        >>> unsure, sure = torch.zeros(1, 2, 2), torch.full((1, 2, 2), -4.0)
        >>> nothing = torch.zeros(1, 2, 2, dtype=torch.bool)
        >>> focal_loss(unsure, nothing), focal_loss(sure, nothing) < 1e-5
        (tensor(0.1733), tensor(True))
    """
    if logits.shape != mask.shape:
        raise ValueError(f"logits and mask must have one shape, got {tuple(logits.shape)} and {tuple(mask.shape)}")
    if mask.dtype != torch.bool:
        raise TypeError(f"mask must be bool, True on defects, got {mask.dtype}; compare it with 0")
    if not (isinstance(gamma, Real) and isfinite(gamma) and gamma >= 0):
        raise ValueError(f"gamma must be a number of at least 0, got {gamma!r}")
    if alpha is not None and not (isinstance(alpha, Real) and 0 < alpha < 1):
        raise ValueError(f"alpha must be None or lie in (0, 1), got {alpha!r}")
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    # torchvision.ops.sigmoid_focal_loss gives the same values to 2e-7, but takes 1 - p of a rounded p: for a sure pixel
    # that is 0, and its power, for gamma below 1, has an infinite slope there. The gradient is then NaN.
    of_truth = torch.where(mask, logits, -logits)
    losses = -logsigmoid(of_truth) * (gamma * logsigmoid(-of_truth)).exp()
    if alpha is not None:
        losses = torch.where(mask, alpha * losses, (1 - alpha) * losses)
    return reduce(losses.flatten(1).mean(dim=1), reduction)
