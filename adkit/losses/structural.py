"""Structural similarity (SSIM): one value an image, or a map.

With s = x + y and d = x - y, SSIM needs four blurred maps instead of five. Writing m for a local mean, v for a local
variance, and c1 and c2 for the constants of the paper:

    SSIM = (1 - 2 a) (1 - 2 b)      a = m_d^2 / (m_s^2 + m_d^2 + 2 c1)      b = v_d / (v_s + v_d + 2 c2)

The factors are the paper's luminance and contrast-structure terms. The form also keeps float32 exact where images
agree: there d is small, so nothing large cancels. In the loss, the gradient is computed along with the value, a few
images at a time: all maps stay in the processor's cache, and the backward pass only scales what was kept.

Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE TIP 2004, eq. 13.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from adkit.losses.images import as_pair, reduce
from adkit.losses.window import blur, gaussian_window, reflect_pad

C1, C2 = 0.01**2, 0.03**2  # (K L)^2 for images with the range L = 1
CACHED_PIXELS = 2**18  # pixels taken at once on a CPU; a GPU takes the whole batch

Window = tuple[float, ...]


def _statistics(s: Tensor, d: Tensor, window: Window) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Local means of s and d, then their local variances."""
    mean_s, mean_d, square_s, square_d = blur(torch.stack((s, d, s * s, d * d)), window)
    return mean_s, mean_d, square_s - mean_s * mean_s, square_d - mean_d * mean_d


def _similarity(
    s: Tensor, d: Tensor, window: Window, c1: float, gradient: bool
) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
    """Mean similarity (N,) of maps s = x + y and d = x - y (N, H, W), and its gradients by s and d."""
    mean_s, mean_d, var_s, var_d = _statistics(s, d, window)
    scale_a = 1 / (mean_s * mean_s + mean_d * mean_d + 2 * c1)
    scale_b = 1 / (var_s + var_d + 2 * C2)
    a, b = mean_d * mean_d * scale_a, var_d * scale_b
    luminance, structure = 1 - 2 * a, 1 - 2 * b
    values = (luminance * structure).mean(dim=(-2, -1))
    if not gradient:
        return values, None

    by_var = 2 * luminance * scale_b
    by_var_s, by_var_d = by_var * b, by_var * (b - 1)
    by_mean = 4 * structure * scale_a
    by_mean_s = by_mean * a * mean_s - 2 * mean_s * by_var_s
    by_mean_d = by_mean * (a - 1) * mean_d - 2 * mean_d * by_var_d
    padded = F.pad(torch.stack((by_mean_s, by_mean_d, by_var_s, by_var_d)), [len(window) - 1] * 4)
    mean_s, mean_d, var_s, var_d = blur(padded, window) / by_mean_s[0].numel()
    return values, (mean_s + 2 * s * var_s, mean_d + 2 * d * var_d)


class _MeanSimilarity(torch.autograd.Function):
    """Mean similarity (N,) of maps x and y (N, H, W); c1 = inf leaves the luminance out."""

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor, window: Window, c1: float) -> Tensor:
        needs_x, needs_y = ctx.needs_input_grad[:2]
        step = max(1, CACHED_PIXELS // x[0].numel()) if x.device.type == "cpu" else len(x)
        values, by_x, by_y = [], [], []
        for x_part, y_part in zip(x.split(step), y.split(step), strict=True):
            value, gradients = _similarity(x_part + y_part, x_part - y_part, window, c1, needs_x or needs_y)
            values.append(value)
            if needs_x:
                by_x.append(gradients[0] + gradients[1])
            if needs_y:
                by_y.append(gradients[0] - gradients[1])
        ctx.save_for_backward(torch.cat(by_x) if needs_x else None, torch.cat(by_y) if needs_y else None)
        return torch.cat(values)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        scaled = (None if by is None else gradient[:, None, None] * by for by in ctx.saved_tensors)
        return *scaled, None, None


def similarity_per_channel(x: Tensor, y: Tensor, size: int, sigma: float, c1: float = C1) -> Tensor:
    """Similarity of every channel of every image.

    Args:
        x: images (B, C, H, W) in [0, 1], float32 or float64.
        y: images of the same shape and type.
        size: side of the window in pixels, odd, at most H and W.
        sigma: width of its Gaussian in pixels.
        c1: the constant of the luminance term; infinity leaves the contrast-structure term alone.

    Returns:
        (B, C) in [-1, 1].
    """
    # rounded as in pytorch-msssim, to agree with it in float64 too
    window = gaussian_window(size, sigma, torch.float32)
    return _MeanSimilarity.apply(x.flatten(0, 1), y.flatten(0, 1), window, c1).view(x.shape[:2])


def check_window(image: Tensor, size: int) -> None:
    """Refuse a window that has no centre, or that does not fit into the image.

    Args:
        image: (B, C, H, W).
        size: side of the window in pixels.

    Raises:
        ValueError: if the size is even, below 3, or larger than a side of the image.
    """
    if size % 2 == 0 or size < 3:
        raise ValueError(f"window_size must be odd and at least 3, got {size}")
    if min(image.shape[-2:]) < size:
        raise ValueError(
            f"SSIM with window_size={size} needs sides of at least {size} pixels, "
            f"got {image.shape[-2]} x {image.shape[-1]}; use larger images or a smaller window_size"
        )


def ssim(
    prediction: Tensor, target: Tensor, window_size: int = 11, sigma: float = 1.5, reduction: str = "mean"
) -> Tensor:
    """Structural similarity, a *similarity*: 1 for equal images, lower (down to -1) for different ones.

    Gaussian window, K = (0.01, 0.03), range 1; only windows that lie wholly inside the image; the mean over channels.

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least, under autocast too.
        target: images of the same shape.
        window_size: side of the window in pixels.
        sigma: width of its Gaussian in pixels.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ, or a side is smaller than the window.

    Source:
        Wang et al.: Image quality assessment: from error visibility to structural similarity, IEEE TIP 2004, eq. 13.

    Example:
        >>> image = torch.rand(2, 1, 32, 32)
        >>> ssim(image, image)
        tensor(1.)
    """
    x, y = as_pair(prediction, target)
    check_window(x, window_size)
    return reduce(similarity_per_channel(x, y, window_size, sigma).mean(dim=1), reduction)


def ssim_map(prediction: Tensor, target: Tensor, window_size: int = 11, sigma: float = 1.5) -> Tensor:
    """Structural similarity around every pixel, at the full size of the images.

    At the border both images are continued by their mirror image (edge pixel repeated), as scikit-image
    does; so the mean of this map differs a little from ``ssim``, which leaves the border out.

    Args:
        prediction: images (B, C, H, W) in [0, 1].
        target: images of the same shape.
        window_size: side of the window in pixels.
        sigma: width of its Gaussian in pixels.

    Returns:
        (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: if the shapes differ, or a side is smaller than the window.

    Example:
        >>> ssim_map(torch.rand(2, 3, 32, 40), torch.rand(2, 3, 32, 40)).shape
        torch.Size([2, 3, 32, 40])
    """
    x, y = as_pair(prediction, target)
    check_window(x, window_size)
    x, y = (reflect_pad(image, window_size // 2) for image in (x, y))
    mean_s, mean_d, var_s, var_d = _statistics(x + y, x - y, gaussian_window(window_size, sigma))
    luminance = 1 - 2 * mean_d**2 / (mean_s**2 + mean_d**2 + 2 * C1)
    return luminance * (1 - 2 * var_d / (var_s + var_d + 2 * C2))


class SSIMLoss(nn.Module):
    """1 - ``ssim``: 0 for equal images.

    Args:
        window_size: side of the window in pixels.
        sigma: width of its Gaussian in pixels.
    """

    def __init__(self, window_size: int = 11, sigma: float = 1.5):
        super().__init__()
        self.window_size, self.sigma = window_size, sigma

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            prediction: images (B, C, H, W) in [0, 1].
            target: images of the same shape.

        Returns:
            A scalar in [0, 2].
        """
        return 1 - ssim(prediction, target, self.window_size, self.sigma)
