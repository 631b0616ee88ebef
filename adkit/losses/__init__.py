"""Losses between a reconstruction and its target, images (B, C, H, W) in [0, 1], and the divergence of a VAE.

Each is a function ``(prediction, target)`` and a module. ``ssim`` and ``ms_ssim`` return the similarity; their modules,
as every module, return a loss that is 0 for equal images. ``focal_loss`` is that of a segmentation, a function alone.
"""

from adkit.losses.composite import LOSSES, CompositeLoss, build_loss
from adkit.losses.divergence import kl_divergence
from adkit.losses.edges import SobelLoss, sobel, sobel_gradients
from adkit.losses.images import check_images
from adkit.losses.multiscale import MSSSIMLoss, MultiScale, ms_ssim
from adkit.losses.pixel import L1Loss, MSELoss, focal_loss, l1, mse
from adkit.losses.spectral import FocalFrequencyLoss, focal_frequency
from adkit.losses.structural import SSIMLoss, ssim, ssim_map

__all__ = [
    "LOSSES",
    "CompositeLoss",
    "FocalFrequencyLoss",
    "L1Loss",
    "MSELoss",
    "MSSSIMLoss",
    "MultiScale",
    "SSIMLoss",
    "SobelLoss",
    "build_loss",
    "check_images",
    "focal_frequency",
    "focal_loss",
    "kl_divergence",
    "l1",
    "ms_ssim",
    "mse",
    "sobel",
    "sobel_gradients",
    "ssim",
    "ssim_map",
]
