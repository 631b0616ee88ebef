"""Losses over a pyramid of scales: MS-SSIM, and a wrapper that takes any loss to several scales."""

from collections.abc import Callable, Sequence
from math import inf, isfinite

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adkit.losses.images import as_pair, reduce
from adkit.losses.structural import check_window, similarity_per_channel

WANG = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of the five scales, finest first


def scale_weights(scales: int | Sequence[float] | None) -> tuple[float, ...]:
    """Weights of the scales of MS-SSIM, finest first.

    Args:
        scales: None for the five of Wang et al.; a number for the first so many of them, brought to the sum 1; or the
            weights themselves.

    Raises:
        ValueError: if the number is not between 1 and 5, or a weight is not a finite positive number.

    Example:
        >>> [round(weight, 3) for weight in scale_weights(3)]
        [0.071, 0.453, 0.476]
    """
    if scales is None:
        return WANG
    if isinstance(scales, int):
        if not 1 <= scales <= len(WANG):
            raise ValueError(f"scales must be a number from 1 to {len(WANG)} or a list of weights, got {scales}")
        return tuple(weight / sum(WANG[:scales]) for weight in WANG[:scales])
    if len(scales) == 0 or not all(isfinite(weight) and weight > 0 for weight in scales):
        raise ValueError(f"the weights in scales must be positive numbers, got {list(scales)}")
    return tuple(scales)


def _positive_power(values: Tensor, exponent: float) -> Tensor:
    """max(values, 0) ** exponent with the gradient 0, not infinite, where a value is not positive."""
    positive = values > 0
    return torch.where(positive, values, 1.0) ** exponent * positive


def ms_ssim(
    prediction: Tensor,
    target: Tensor,
    scales: int | Sequence[float] | None = None,
    window_size: int = 11,
    sigma: float = 1.5,
    reduction: str = "mean",
) -> Tensor:
    """Multi-scale structural similarity, a *similarity*: 1 for equal images, 0 for unrelated ones.

    Contrast and structure are compared at every scale of a pyramid of 2 x 2 means, luminance at the coarsest one only.
    Negative terms count as 0, and then give no gradient (a power of them would give NaN).

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least, under autocast too.
        target: images of the same shape.
        scales: number of scales (1 to 5), or a weight for each, finest first; None for the five of the paper.
        window_size: side of the window in pixels, at every scale.
        sigma: width of its Gaussian in pixels.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ, or the coarsest scale is smaller than the window: five scales need 161 pixels.

    Source:
        Wang, Simoncelli, Bovik: Multiscale structural similarity for image quality assessment, Asilomar 2003, eq. 7.

    Example:
        >>> image = torch.rand(2, 1, 64, 96)
        >>> ms_ssim(image, image, scales=3)
        tensor(1.)
    """
    x, y = as_pair(prediction, target)
    check_window(x, window_size)
    weights = scale_weights(scales)
    needed = (window_size - 1) * 2 ** (len(weights) - 1) + 1
    if min(x.shape[-2:]) < needed:
        fitting = ((min(x.shape[-2:]) - 1) // (window_size - 1)).bit_length()
        raise ValueError(
            f"ms_ssim with {len(weights)} scales needs sides of at least {needed} pixels, "
            f"got {x.shape[-2]} x {x.shape[-1]}; use scales={fitting}, or larger images"
        )
    product = 1.0
    for weight in weights[:-1]:
        product = product * _positive_power(similarity_per_channel(x, y, window_size, sigma, c1=inf), weight)
        odd = [side % 2 for side in x.shape[-2:]]  # a zero on either side of an odd axis, as the reference pads
        x, y = (F.avg_pool2d(image, 2, padding=odd) for image in (x, y))
    product = product * _positive_power(similarity_per_channel(x, y, window_size, sigma), weights[-1])
    return reduce(product.mean(dim=1), reduction)


class MSSSIMLoss(nn.Module):
    """1 - ``ms_ssim``: 0 for equal images.

    Args:
        scales: number of scales (1 to 5), or a weight for each; None for the five of the paper (161 pixels at least).
        window_size: side of the window in pixels.
        sigma: width of its Gaussian in pixels.
    """

    def __init__(self, scales: int | Sequence[float] | None = None, window_size: int = 11, sigma: float = 1.5):
        super().__init__()
        self.scales, self.window_size, self.sigma = scale_weights(scales), window_size, sigma

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            prediction: images (B, C, H, W) in [0, 1].
            target: images of the same shape.

        Returns:
            A scalar in [0, 1].
        """
        return 1 - ms_ssim(prediction, target, self.scales, self.window_size, self.sigma)


class MultiScale(nn.Module):
    """Any loss at several scales: the mean over a pyramid in which every level halves the sides by 2 x 2 means.

    A last row or column that is left over (odd sides) is dropped on the way down.

    Args:
        loss: a function or a module (prediction, target) that returns a scalar.
        scales: number of levels, at least 1, the full size included.

    Raises:
        ValueError: if ``scales`` is below 1, or (when called) the images are too small for so many levels.

    Example:
        >>> from adkit.losses import l1
        >>> MultiScale(l1, scales=2)(torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8))
        tensor(1.)
    """

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor], scales: int = 3):
        super().__init__()
        if scales < 1:
            raise ValueError(f"scales must be at least 1, got {scales}")
        self.loss, self.scales = loss, scales

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean of the loss over the levels.

        Args:
            prediction: images (B, C, H, W) in [0, 1].
            target: images of the same shape.

        Returns:
            A scalar, in the unit of the loss.
        """
        x, y = as_pair(prediction, target)
        if min(x.shape[-2:]) < 2 ** (self.scales - 1):
            raise ValueError(
                f"scales={self.scales} needs sides of at least {2 ** (self.scales - 1)} pixels, "
                f"got {x.shape[-2]} x {x.shape[-1]}; use fewer scales"
            )
        total = self.loss(x, y)
        for _ in range(self.scales - 1):
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
            total = total + self.loss(x, y)
        return total / self.scales
