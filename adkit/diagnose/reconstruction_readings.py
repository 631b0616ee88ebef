"""How normal images are reconstructed: how differently from one another, and how much better than guessed."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.defects import build_defects
from adkit.detectors.base import Detector
from adkit.experiments.defect_retention import retention
from adkit.runtime import generator
from adkit.scoring import gaussian_smooth

BLUR = 2.0  # sigma of the local mean that a reconstruction should beat, in pixels


@dataclass(frozen=True)
class NormalReconstructions:
    """What a network makes of normal images.

    Attributes:
        images, reconstructed: a few of them, (C, H, W) each.
        variance_ratio: variance over the images at a pixel, of the reconstructions by that of the inputs; 0: all alike.
        gain_over_mean: 1 - error / error of the mean image instead; 0: no better than it, 1: perfect.
        gain_over_blur: the same against a blur of 2 pixels, which knows each image but no detail.
        retention: how much of a synthetic defect is reconstructed, 0: it is repaired, 1: it is copied.
    """

    images: list[Tensor]
    reconstructed: list[Tensor]
    variance_ratio: float
    gain_over_mean: float
    gain_over_blur: float
    retention: float


def read_reconstructions(detector: Detector, dataset: AnomalyDataset, frames: int = 12) -> NormalReconstructions | None:
    """The reconstructions of some normal images; None for a detector that reconstructs nothing.

    Args:
        detector: a fitted detector.
        dataset: normal images.
        frames: how many of them at most, evenly spaced.
    """
    if not hasattr(detector, "reconstruct"):
        return None
    chosen = np.unique(np.linspace(0, len(dataset) - 1, frames).round().astype(int)).tolist()
    images = [dataset[i]["image"] for i in chosen]
    reconstructed = [detector.reconstruct(image[None])[0] for image in images]
    inputs, outputs = common_window(images), common_window(reconstructed)
    error, blurred = (inputs - outputs).square().mean(), local_means(inputs)
    # the mean image of the others is n / (n - 1) worse than that of all
    n = len(inputs)
    mean_error = (inputs - inputs.mean(dim=0)).square().mean() * n / max(n - 1, 1)
    return NormalReconstructions(
        images, reconstructed,
        variance_ratio=_ratio(outputs.var(dim=0).mean(), inputs.var(dim=0).mean()),
        gain_over_mean=1 - _ratio(error, mean_error),
        gain_over_blur=1 - _ratio(error, (inputs - blurred).square().mean()),
        retention=synthetic_retention(detector, dataset, chosen, reconstructed),
    )  # fmt: skip


def common_window(images: list[Tensor]) -> Tensor:
    """The top-left corner that all images have: (N, C, h, w).

    Args:
        images: N images (C, H, W), of any sizes.

    Example:
        >>> common_window([torch.zeros(1, 4, 9), torch.zeros(1, 6, 5)]).shape
        torch.Size([2, 1, 4, 5])
    """
    height, width = (min(image.shape[axis] for image in images) for axis in (1, 2))
    return torch.stack([image[:, :height, :width] for image in images])


def local_means(images: Tensor) -> Tensor:
    """Images as their local means.

    Args:
        images: (N, C, H, W).
    """
    return gaussian_smooth(images.flatten(0, 1), BLUR).unflatten(0, images.shape[:2])


def synthetic_retention(
    detector: Detector, dataset: AnomalyDataset, chosen: list[int], reconstructed: list[Tensor]
) -> float:
    """Share of synthetic defects that is reconstructed, see :func:`adkit.experiments.defect_retention.retention`.

    Args:
        detector: a fitted detector that reconstructs.
        dataset: normal images.
        chosen: indices of those that get a defect.
        reconstructed: what the detector makes of them without it, (C, H, W) each.

    Returns:
        The share over the pixels of all defects; 0 where no defect found room.
    """
    defects, changes_in, changes_out = build_defects({"clean": 0.0}), [], []
    for i, normal in zip(chosen, reconstructed, strict=True):
        image, foreground = dataset[i]["image"][None], dataset[i]["foreground"][None]
        corrupted, mask, _ = defects(image, foreground, generator(0, i))
        changes_in.append((corrupted - image)[0, :, mask[0]].flatten())
        changes_out.append((detector.reconstruct(corrupted) - normal[None])[0, :, mask[0]].flatten())
    return retention(torch.cat(changes_in).double(), torch.cat(changes_out).double())


def _ratio(above: Tensor, below: Tensor) -> float:
    """A quotient; 0 where both are 0, as of images that are all the same."""
    return float(above / below.clamp(min=1e-12))
