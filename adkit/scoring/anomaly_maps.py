"""From a reconstruction to an anomaly map. Higher is more anomalous.

No step looks at the range of a single image: stretching each map to [0, 1] would make the cleanest image look as bad as
the worst.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.losses.edges import sobel_gradients
from adkit.losses.images import as_pair
from adkit.losses.structural import ssim_map
from adkit.losses.window import blur, gaussian_window, reflect_pad

TRUNCATE = 4.0  # the smoothing kernel reaches so many sigmas, as SciPy's does
LOCAL = 2.0  # sigma of the window of local means, in pixels
PATCH, STRIDE = 16, 4  # local spectra: side of the window, and distance between two of them, in pixels


def l1_residual(image: Tensor, reconstruction: Tensor) -> Tensor:
    """Absolute difference, mean over channels: (B, H, W) in [0, 1].

    Args:
        image: images (B, C, H, W) in [0, 1].
        reconstruction: images of the same shape.
    """
    return (image - reconstruction).abs().mean(dim=1)


def l2_residual(image: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared difference, mean over channels: (B, H, W) in [0, 1].

    Args:
        image: images (B, C, H, W) in [0, 1].
        reconstruction: images of the same shape.
    """
    return (image - reconstruction).square().mean(dim=1)


def local_mean_residual(image: Tensor, reconstruction: Tensor) -> Tensor:
    """Square of the locally averaged difference, mean over channels: (B, H, W).

    Average first, square later: noise and grain, which change sign from pixel to pixel, cancel before they count, and
    what stays is a shift of the mean grey under a Gaussian window of 2 pixels. Blind to what keeps the mean.

    Args:
        image: images (B, C, H, W) in [0, 1].
        reconstruction: images of the same shape.
    """
    difference = (image - reconstruction).flatten(0, 1)  # (B * C, H, W)
    return gaussian_smooth(difference, LOCAL).unflatten(0, image.shape[:2]).square().mean(dim=1)


def ssim_residual(image: Tensor, reconstruction: Tensor) -> Tensor:
    """1 - ``ssim_map``, mean over channels: (B, H, W) in [0, 2].

    Args:
        image: images (B, C, H, W) in [0, 1].
        reconstruction: images of the same shape.

    Source:
        Bergmann et al.: Improving unsupervised defect segmentation by applying structural similarity to autoencoders,
        VISAPP 2019.
    """
    return (1 - ssim_map(image, reconstruction)).mean(dim=1)


def gradient_residual(image: Tensor, reconstruction: Tensor) -> Tensor:
    """Length of the difference of the two Sobel gradients, mean over channels: (B, H, W), not negative.

    Args:
        image: images (B, C, H, W) in [0, 1].
        reconstruction: images of the same shape.
    """
    gradients = sobel_gradients(reflect_pad(image - reconstruction, 1))
    return gradients.square().sum(dim=1).sqrt().mean(dim=1)


def _local_amplitudes(images: Tensor) -> Tensor:
    """Amplitude spectra (B, C, rows, columns, PATCH, PATCH // 2 + 1) of windows at every STRIDE pixels."""
    height, width = images.shape[-2:]
    # so that window i is centred on the pixels STRIDE * i to STRIDE * (i + 1)
    before = (PATCH - STRIDE) // 2
    padded = reflect_pad(images, before, (before + -height % STRIDE, before + -width % STRIDE))
    window = torch.hann_window(PATCH, periodic=False, dtype=images.dtype, device=images.device)
    # so that the result has the unit of the squared residual
    window = window / window.square().sum().sqrt()
    patches = padded.unfold(-2, PATCH, STRIDE).unfold(-2, PATCH, STRIDE)
    return torch.fft.rfft2(patches * window * window[:, None], norm="ortho").abs()


def fft_residual(image: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared difference of local amplitude spectra, mean over channels: (B, H, W).

    Windows of 16 x 16 pixels (Hann, every 4 pixels) are compared by how much of each frequency they hold, not by where
    in the window it lies. By Parseval's theorem the result is at most the squared residual under the same window; what
    it forgives is the phase, such as a yarn that is reconstructed half a pixel off. A disrupted texture loses its peak
    in the spectrum and shows, even where its mean grey is unchanged. Values between the windows are interpolated.

    Args:
        image: images (B, C, H, W) in [0, 1].
        reconstruction: images of the same shape.
    """
    difference = (_local_amplitudes(image) - _local_amplitudes(reconstruction)).square()
    twice = difference.new_full(difference.shape[-1:], 2.0)
    # the other frequencies stand for their mirror image too
    twice[0] = twice[-1] = 1.0
    grid = (difference * twice).mean(dim=1).sum(dim=(-2, -1))
    height, width = image.shape[-2:]
    maps = F.interpolate(grid[:, None], scale_factor=STRIDE, mode="bilinear", align_corners=False)
    return maps[:, 0, :height, :width]


MAP_METHODS = {
    "l1": l1_residual,
    "l2": l2_residual,
    "local_mean": local_mean_residual,
    "ssim": ssim_residual,
    "gradient": gradient_residual,
    "fft": fft_residual,
}


def anomaly_map(image: Tensor, reconstruction: Tensor, method: str = "l2", sigma: float = 4.0) -> Tensor:
    """How far each pixel is from its reconstruction, smoothed.

    Args:
        image: images (B, C, H, W) in [0, 1].
        reconstruction: images of the same shape.
        method: ``l1``, ``l2``, ``local_mean``, ``ssim``, ``gradient`` or ``fft``; see the functions of
            ``MAP_METHODS``.
        sigma: width of the Gaussian smoothing in pixels, at least 0; 0: none.

    Returns:
        (B, H, W), not negative; the scale depends on the method and is the same for all images.

    Raises:
        ValueError: if the method is unknown, the shapes differ, or ``sigma`` is negative.

    Example:
        >>> image = torch.zeros(1, 1, 32, 32)
        >>> defective = image.clone()
        >>> defective[..., 8:12, 20:24] = 1.0
        >>> anomaly_map(defective, image, sigma=1.0)[0].argmax().item() // 32 in range(8, 12)
        True
    """
    if method not in MAP_METHODS:
        raise ValueError(f"method must be one of {', '.join(MAP_METHODS)}, got {method!r}")
    image, reconstruction = as_pair(image, reconstruction)
    return gaussian_smooth(MAP_METHODS[method](image, reconstruction), sigma)


def gaussian_smooth(maps: Tensor, sigma: float) -> Tensor:
    """Gaussian smoothing that keeps the size; equal to ``scipy.ndimage.gaussian_filter`` with its defaults.

    The kernel reaches 4 sigma; beyond a border the map is continued by its mirror image, the edge pixel repeated, so
    the mean of a map stays the same and a map may be smaller than the kernel.

    Args:
        maps: (B, H, W), any float type; computed in float32 at least.
        sigma: width of the Gaussian in pixels, at least 0; 0 returns the maps as they are.

    Raises:
        ValueError: if ``sigma`` is negative or not finite, or the maps are not (B, H, W).

    Example:
        >>> gaussian_smooth(torch.ones(2, 5, 7), sigma=4.0).shape
        torch.Size([2, 5, 7])
    """
    check_maps(maps)
    if not 0 <= sigma < float("inf"):
        raise ValueError(f"sigma must be 0 or a positive number of pixels, got {sigma}")
    radius = int(TRUNCATE * sigma + 0.5)
    if radius == 0:
        return maps
    maps = maps.to(torch.promote_types(maps.dtype, torch.float32))
    return blur(reflect_pad(maps, radius), gaussian_window(2 * radius + 1, sigma))


def check_maps(maps: Tensor) -> None:
    """Refuse what has not the shape (B, H, W) of maps, with a ValueError."""
    if maps.ndim != 3:
        raise ValueError(f"anomaly maps must have the shape (B, H, W), got {tuple(maps.shape)}")
