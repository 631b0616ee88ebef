"""Losses between a reconstruction and its target, images (B, C, H, W) in [0, 1], and the divergence of a VAE.

Each is a function ``(prediction, target)``. ``ssim`` and ``ms_ssim`` return the similarity, 1 for equal images;
``SSIMLoss`` and ``MSSSIMLoss`` are modules that return 1 - similarity. ``LOSSES`` holds by name what
``CompositeLoss`` and ``build_loss`` add up: every one is 0 for equal images. ``focal_loss`` is that of a segmentation.
"""

from adkit.losses.composite import LOSSES, CompositeLoss, build_loss
from adkit.losses.divergence import kl_divergence
from adkit.losses.edges import sobel, sobel_gradients
from adkit.losses.images import check_images
from adkit.losses.multiscale import MSSSIMLoss, MultiScale, ms_ssim
from adkit.losses.pixel import focal_loss, l1, mse, psnr
from adkit.losses.spectral import focal_frequency
from adkit.losses.structural import SSIMLoss, ssim, ssim_map

__all__ = [
    "LOSSES",
    "CompositeLoss",
    "MSSSIMLoss",
    "MultiScale",
    "SSIMLoss",
    "build_loss",
    "check_images",
    "focal_frequency",
    "focal_loss",
    "kl_divergence",
    "l1",
    "ms_ssim",
    "mse",
    "psnr",
    "sobel",
    "sobel_gradients",
    "ssim",
    "ssim_map",
]
