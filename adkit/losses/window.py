"""Gaussian windows, and blurring with them as a product with a banded matrix, tile by tile."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

TILE = 32  # outputs a product gives along the blurred axis: a full band matrix would be nearly all zeros


@lru_cache(maxsize=128)
def gaussian_window(size: int, sigma: float, dtype: torch.dtype = torch.float64) -> tuple[float, ...]:
    """Weights of a centred Gaussian that sum to 1.

    Args:
        size: number of weights, at least 1.
        sigma: width of the Gaussian in pixels, above 0.
        dtype: the precision at which they are worked out.

    Example:
        >>> [round(weight, 4) for weight in gaussian_window(3, 1.0)]
        [0.2741, 0.4519, 0.2741]
    """
    x = torch.arange(size, dtype=dtype, device="cpu") - (size - 1) / 2
    weights = torch.exp(-(x**2) / (2 * sigma**2))
    return tuple((weights / weights.sum()).tolist())


@lru_cache(maxsize=128)
def _band(window: tuple[float, ...], outputs: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix (outputs + size - 1, outputs) whose column i holds the window from row i on."""
    band = torch.zeros(outputs + len(window) - 1, outputs, dtype=dtype, device="cpu")
    for i in range(outputs):
        band[i : i + len(window), i] = torch.tensor(window, dtype=dtype, device="cpu")
    return band.to(device)


def _blur(maps: Tensor, window: tuple[float, ...]) -> Tensor:
    """``blur`` of maps (N, H, W), not differentiable; under autocast too the products keep their type."""
    count, height, width = maps.shape
    size = len(window)
    tile = max(TILE, size)
    rows = maps.new_empty(count * height, width - size + 1)
    blurred = maps.new_empty(count, height - size + 1, width - size + 1)
    with torch.autocast(maps.device.type, enabled=False):
        flat = maps.reshape(count * height, width)
        for start in range(0, rows.shape[1], tile):
            out = rows[:, start : start + tile]
            band = _band(window, out.shape[1], maps.dtype, maps.device)
            torch.mm(flat[:, start : start + len(band)], band, out=out)
        rows = rows.view(count, height, -1)
        for start in range(0, blurred.shape[1], tile):
            out = blurred[:, start : start + tile]
            band = _band(window, out.shape[1], maps.dtype, maps.device)
            torch.bmm(band.T.expand(count, -1, -1), rows[:, start : start + len(band)], out=out)
    return blurred


class _Blur(torch.autograd.Function):
    """A linear map: its gradient is the same blur of the zero-padded gradient, since the window is symmetric."""

    @staticmethod
    def forward(ctx, maps: Tensor, window: tuple[float, ...]) -> Tensor:
        ctx.window = window
        return _blur(maps, window)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return _Blur.apply(F.pad(gradient, [len(ctx.window) - 1] * 4), ctx.window), None


def blur(maps: Tensor, window: tuple[float, ...]) -> Tensor:
    """Blur both axes with a symmetric window, only where it lies wholly inside.

    Two products with banded matrices do it, ``A @ maps @ B``: processors are built for products, and take a fraction of
    the time that a convolution with one channel needs. They follow ``torch.set_float32_matmul_precision``, whose lower
    settings (TF32, bfloat16) cost SSIM up to 0.04: leave it at ``highest``.

    Args:
        maps: (..., H, W), float32 or float64.
        window: weights, at most as many as H and W, such as ``gaussian_window(11, 1.5)``.

    Returns:
        (..., H - size + 1, W - size + 1).

    Example:
        >>> blur(torch.ones(2, 3, 20, 30), gaussian_window(11, 1.5)).shape
        torch.Size([2, 3, 10, 20])
    """
    blurred = _Blur.apply(maps.reshape(-1, *maps.shape[-2:]), window)
    return blurred.view(*maps.shape[:-2], *blurred.shape[-2:])


def _reflected(length: int, before: int, after: int, device: torch.device) -> Tensor:
    """Indices that continue an axis by its mirror image, the edge itself repeated: d c b a | a b c d | d c b a."""
    index = torch.arange(-before, length + after, device=device) % (2 * length)
    return torch.minimum(index, 2 * length - 1 - index)


def reflect_pad(maps: Tensor, before: int, after: tuple[int, int] | None = None) -> Tensor:
    """Pad the last two axes by mirror images, as often as needed (``reflect`` in SciPy, ``symmetric`` in NumPy).

    Args:
        maps: (..., H, W) of any type; its sides may be smaller than the padding.
        before: pixels above and to the left, at least 0.
        after: pixels below and to the right; None: as many as before.

    Example:
        >>> reflect_pad(torch.tensor([[1.0, 2.0]]), 1)
        tensor([[1., 1., 2., 2.],
                [1., 1., 2., 2.],
                [1., 1., 2., 2.]])
    """
    below, right = after or (before, before)
    height, width = maps.shape[-2:]
    rows = _reflected(height, before, below, maps.device)
    columns = _reflected(width, before, right, maps.device)
    return maps.index_select(-2, rows).index_select(-1, columns)
