"""Focal frequency loss: the spectrum, with most weight on the frequencies that are reconstructed worst."""

import torch
from torch import Tensor

from adkit.losses.images import as_pair, reduce


def _patches(images: Tensor, factor: int) -> Tensor:
    """Cut (B, C, H, W) into factor x factor patches: (B, C, factor, factor, H / factor, W / factor)."""
    batch, channels, height, width = images.shape
    if factor < 1 or height % factor or width % factor:
        raise ValueError(f"patch_factor must divide both sides, got {factor} for {height} x {width} pixels")
    return images.reshape(batch, channels, factor, height // factor, factor, width // factor).transpose(3, 4)


def _focus(power: Tensor, alpha: float, log_matrix: bool, batch_matrix: bool) -> Tensor:
    """Weights in [0, 1] of the frequencies from their squared errors; no gradient flows through them (eq. 9)."""
    weight = power.detach() ** (alpha / 2)
    if log_matrix:
        weight = weight.log1p()
    peak = weight.max() if batch_matrix else weight.amax(dim=(-2, -1), keepdim=True)
    return weight / peak.clamp_min(torch.finfo(weight.dtype).tiny)


def focal_frequency(
    prediction: Tensor,
    target: Tensor,
    alpha: float = 1.0,
    patch_factor: int = 1,
    ave_spectrum: bool = False,
    log_matrix: bool = False,
    batch_matrix: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Mean squared error of the orthonormal spectra, each frequency weighted by its own error.

    Equal weights would give the MSE (Parseval); the focus is what makes it another loss. The spectrum of real images is
    symmetric, so half of it is computed and counted twice.

    Args:
        prediction: images (B, C, H, W) in [0, 1], any float type; computed in float32 at least.
        target: images of the same shape.
        alpha: sharpness of the focus, at least 0; 0 gives all frequencies the weight 1.
        patch_factor: cut each side into so many pieces, at least 1, and compare the spectra of the patches.
        ave_spectrum: compare the mean spectra of the batch (then ``none`` gives a single value).
        log_matrix: take the logarithm of the weights, for a softer focus.
        batch_matrix: divide the weights by their maximum over the batch, not over each spectrum.
        reduction: ``mean`` over the batch, or ``none`` for one value an image (B,).

    Raises:
        ValueError: if the shapes differ, or ``patch_factor`` does not divide the sides.

    Source:
        Jiang et al.: Focal frequency loss for image reconstruction and synthesis, ICCV 2021, eq. 8 to 10.

    Example:
        >>> image = torch.rand(2, 1, 16, 16)
        >>> focal_frequency(image, image)
        tensor(0.)
    """
    x, y = as_pair(prediction, target)
    residual = _patches(x - y, patch_factor)
    if ave_spectrum:
        residual = residual.mean(dim=0, keepdim=True)
    spectrum = torch.view_as_real(torch.fft.rfft2(residual, norm="ortho"))
    power = spectrum.square().sum(dim=-1)  # (B, C, p, p, h, w // 2 + 1)
    twice = power.new_full(power.shape[-1:], 2.0)
    # the constant column has no mirror image, nor has the last one where the width is even
    twice[0] = 1.0
    if residual.shape[-1] % 2 == 0:
        twice[-1] = 1.0
    weighted = _focus(power, alpha, log_matrix, batch_matrix) * power * twice
    return reduce(weighted.flatten(1).sum(dim=1) / residual[0].numel(), reduction)
