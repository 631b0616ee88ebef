"""A bank of Gabor filters: how much texture of each scale and direction lies around every place of an image.

A Gabor filter is a wave under a Gaussian window (Daugman 1985). Two of them a quarter of a wave apart give an *energy*
that does not depend on where the wave begins, as complex cells in the visual cortex do (Adelson & Bergen 1985), and a
few scales and directions of such energies describe a texture (Jain & Farrokhnia 1991; Varma & Zisserman 2005 compare
banks). Nothing is trained.

With a round window the filter is a product, ``g(x) exp(i k_x x) · g(y) exp(i k_y y)``: two passes with a row and a
column of weights do what a square of weights would, for a tenth of the work.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.losses.window import reflect_pad

WAVELENGTHS = (3.0, 6.0, 12.0, 20.0)  # pixels: from two threads to a stripe
ORIENTATIONS = 6  # every 30 degrees
OCTAVE = math.sqrt(math.log(2) / 2) / math.pi * 3  # window's sigma over the wavelength, for a bandwidth of one octave
FLOOR = 1e-3  # of an amplitude, a quarter of a grey level: what is fainter is noise, and its logarithm would be loud
BAND = 2**22  # pixels of padded image that are filtered at a time: about 200 MB with a dozen directions


def texture_features(
    images: Tensor,
    wavelengths: tuple[float, ...] = WAVELENGTHS,
    orientations: int = ORIENTATIONS,
    stride: int = 2,
    pool: int = 5,
) -> Tensor:
    """Logarithms of Gabor energies, and the local mean of each channel, on a grid of cells.

    Args:
        images: float (B, C, H, W) in [0, 1]; energies are those of the mean over the channels.
        wavelengths: of the waves, in pixels, each above 2.
        orientations: how many directions, evenly over half a turn.
        stride: pixels from one cell to the next.
        pool: side, in cells, of the square over which logarithms are averaged; odd.

    Returns:
        (B, len(wavelengths) * orientations + C, ceil(H / stride), ceil(W / stride)).

    Example:
        >>> texture_features(torch.rand(2, 3, 30, 41)).shape
        torch.Size([2, 27, 15, 21])
    """
    grey = images.mean(dim=1, keepdim=True)
    logs = [gabor_amplitudes(grey, length, orientations, stride).clamp_(min=FLOOR).log_() for length in wavelengths]
    means = box_mean(images, 15)[..., ::stride, ::stride]
    return torch.cat([*(box_mean(log, pool) for log in logs), means], dim=1)


def gabor_amplitudes(grey: Tensor, wavelength: float, orientations: int = ORIENTATIONS, stride: int = 1) -> Tensor:
    """Amplitudes of the texture of one wavelength in each direction: 0.5 for a wave from 0 to 1 that fits exactly.

    The image is continued by its mirror image. Large frames go band by band, so that memory stays bounded.

    Args:
        grey: float (B, 1, H, W).
        wavelength: in pixels, above 2.
        orientations: how many directions: number j runs along ``j * 180 / orientations`` degrees, 0 along the rows.
        stride: pixels from one place to the next.

    Returns:
        (B, orientations, ceil(H / stride), ceil(W / stride)).

    Raises:
        ValueError: if the wavelength is not above 2 pixels: finer waves cannot be told apart on a grid of pixels.

    Example:
        >>> wave = (0.5 + 0.5 * torch.cos(2 * math.pi * torch.arange(64.0) / 8)).expand(1, 1, 40, 64)
        >>> [round(value, 2) for value in gabor_amplitudes(wave, 8.0, orientations=4)[0, :, 20, 32].tolist()]
        [0.5, 0.02, 0.0, 0.02]
    """
    if not wavelength > 2:
        raise ValueError(f"wavelength must be above 2 pixels, got {wavelength}")
    rows, columns = _waves(float(wavelength), orientations)
    rows, columns = rows.to(grey), columns.to(grey)
    margin = rows.shape[-1] // 2
    padded = reflect_pad(grey, margin)
    height = grey.shape[-2]
    step = max(stride, BAND // padded[..., :1, :].numel() // stride * stride)
    bands = []
    for top in range(0, height, step):
        part = padded[..., top : min(top + step, height) + 2 * margin, :]
        along = F.conv2d(part, rows, stride=(1, stride))  # real and imaginary parts in turn
        bands.append(F.conv2d(along, columns, stride=(stride, 1), groups=orientations))
    real, imaginary = torch.cat(bands, dim=-2).unflatten(1, (orientations, 2)).unbind(2)
    # a norm over an axis of two, apart in memory, would take ten times as long
    return 2 * (real.square() + imaginary.square()).sqrt_()


@lru_cache(maxsize=32)
def _waves(wavelength: float, orientations: int) -> tuple[Tensor, Tensor]:
    """Weights along the rows (2 * orientations, 1, 1, k) and down the columns (2 * orientations, 2, k, 1)."""
    sigma = OCTAVE * wavelength
    reach = math.ceil(3 * sigma)
    x = torch.arange(-reach, reach + 1, dtype=torch.float64)
    window = torch.exp(-(x**2) / (2 * sigma**2))
    window = window / window.sum()
    angles = torch.arange(orientations, dtype=torch.float64) * math.pi / orientations
    phase_x, phase_y = (2 * math.pi / wavelength * f(angles)[:, None] * x for f in (torch.cos, torch.sin))
    rows = torch.stack([window * phase_x.cos(), window * phase_x.sin()], dim=1)  # (orientations, 2, k)
    real, imaginary = window * phase_y.cos(), window * phase_y.sin()
    # (a + ib) (c + id) = (ac - bd) + i (ad + bc), with a + ib from the rows and c + id of the columns
    columns = torch.stack([torch.stack([real, -imaginary], 1), torch.stack([imaginary, real], 1)], dim=1)
    return rows.flatten(0, 1)[:, None, None], columns.flatten(0, 1)[..., None]


def box_mean(maps: Tensor, side: int) -> Tensor:
    """Mean over a square around each place, (B, C, H, W) to the same shape; at a border over what lies inside.

    Args:
        maps: float (B, C, H, W).
        side: of the square, odd.
    """
    along = F.avg_pool2d(maps, (1, side), 1, (0, side // 2), count_include_pad=False)
    return F.avg_pool2d(along, (side, 1), 1, (side // 2, 0), count_include_pad=False)
