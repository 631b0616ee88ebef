"""Losses on gradients: edges must lie where the target has them, whatever the grey level."""

import torch
from torch import Tensor

from adkit.losses.images import as_pair, reduce


def sobel_gradients(images: Tensor) -> Tensor:
    """Sobel gradients down the rows and along the columns, only where the 3 x 3 kernel lies inside.

    The kernels are (1, 2, 1) / 4 across and (-1, 0, 1) along, so a ramp that rises by g a pixel gives 2 g. On the
    interior they equal ``skimage.filters.sobel_h`` and ``sobel_v``.

    Args:
        images: (B, C, H, W), float; sides of at least 3 pixels.

    Returns:
        (B, 2, C, H - 2, W - 2): the gradient from row to row, then from column to column.

    Source:
        Sobel and Feldman: An isotropic 3 x 3 image gradient operator, Stanford AI project, 1968.

    Example:
        >>> ramp = torch.arange(5.0).expand(1, 1, 5, 5)
        >>> sobel_gradients(ramp).amax(dim=(0, 2, 3, 4))
        tensor([0., 2.])
    """
    along = (images[..., :-2] + 2 * images[..., 1:-1] + images[..., 2:]) / 4
    down = (images[..., :-2, :] + 2 * images[..., 1:-1, :] + images[..., 2:, :]) / 4
    return torch.stack((along[..., 2:, :] - along[..., :-2, :], down[..., 2:] - down[..., :-2]), dim=1)


def sobel(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute difference of the Sobel gradients of two images, both directions together.

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least.
        target: images of the same shape.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ, or a side is below 3 pixels.

    Example:
        >>> ramp = torch.arange(5.0).expand(1, 1, 5, 5) / 10
        >>> sobel(ramp, torch.zeros(1, 1, 5, 5))  # 0.2 along the columns, 0 along the rows
        tensor(0.1000)
    """
    x, y = as_pair(prediction, target)
    if min(x.shape[-2:]) < 3:
        raise ValueError(f"sobel needs sides of at least 3 pixels, got {x.shape[-2]} x {x.shape[-1]}")
    # the gradient is linear: that of the residual is the difference of the two
    difference = sobel_gradients(x - y)
    return reduce(difference.abs().mean(dim=(1, 2, 3, 4)), reduction)
