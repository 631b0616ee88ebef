"""How normal images are drawn again: how differently from one another, how much better than by the simplest guesses."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.defects import build_defects
from adkit.detectors.base import Detector
from adkit.runtime import generator
from adkit.scoring import gaussian_smooth

BLUR = 2.0  # sigma of the local mean that a reconstruction should beat, in pixels


@dataclass(frozen=True)
class Reconstruction:
    """What a network makes of normal images.

    Attributes:
        images, reconstructed: a few of them, (C, H, W) each.
        variance_ratio: variance over the images at a pixel, of the reconstructions by that of the inputs; 0: all alike.
        gain_over_mean: 1 - error / error of drawing the mean image instead; 0: no better than it, 1: perfect.
        gain_over_blur: the same against a blur of 2 pixels, which knows each image but no detail.
        kept: how much of a synthetic defect comes through, 0: it is repaired, 1: it is copied.
    """

    images: list[Tensor]
    reconstructed: list[Tensor]
    variance_ratio: float
    gain_over_mean: float
    gain_over_blur: float
    kept: float


def read_redrawing(detector: Detector, dataset: AnomalyDataset, frames: int = 12) -> Reconstruction | None:
    """The reconstructions of some normal images; None for a detector that draws nothing."""
    if not hasattr(detector, "reconstruct"):
        return None
    chosen = np.unique(np.linspace(0, len(dataset) - 1, frames).round().astype(int)).tolist()
    images = [dataset[i]["image"] for i in chosen]
    reconstructed = [detector.reconstruct(image[None])[0] for image in images]
    seen, guess = common_window(images), common_window(reconstructed)
    error, blurred = (seen - guess).square().mean(), blur(seen)
    mean_error = (seen - seen.mean(dim=0)).square().mean() * len(seen) / max(len(seen) - 1, 1)  # of an image left out
    return Reconstruction(
        images, reconstructed,
        variance_ratio=_ratio(guess.var(dim=0).mean(), seen.var(dim=0).mean()),
        gain_over_mean=1 - _ratio(error, mean_error),
        gain_over_blur=1 - _ratio(error, (seen - blurred).square().mean()),
        kept=kept_of_defects(detector, dataset, chosen, reconstructed),
    )  # fmt: skip


def common_window(images: list[Tensor]) -> Tensor:
    """The top-left corner that all images (C, H, W) have: (N, C, h, w).

    Example:
        >>> common_window([torch.zeros(1, 4, 9), torch.zeros(1, 6, 5)]).shape
        torch.Size([2, 1, 4, 5])
    """
    height, width = (min(image.shape[axis] for image in images) for axis in (1, 2))
    return torch.stack([image[:, :height, :width] for image in images])


def blur(images: Tensor) -> Tensor:
    """Images (N, C, H, W) as their local means."""
    return gaussian_smooth(images.flatten(0, 1), BLUR).unflatten(0, images.shape[:2])


def kept_of_defects(
    detector: Detector, dataset: AnomalyDataset, chosen: list[int], reconstructed: list[Tensor]
) -> float:
    """Share of a synthetic defect that the reconstruction keeps: slope of the change that comes out on what goes in.

    As :func:`.defect_retention`, on normal images of any set; 0 where no defect found room.
    """
    defects, above, below = build_defects({"clean": 0.0}), 0.0, 0.0
    for i, normal in zip(chosen, reconstructed, strict=True):
        image, foreground = dataset[i]["image"][None], dataset[i]["foreground"][None]
        seen, mask, _ = defects(image, foreground, generator(0, i))
        x, y = ((a - b)[0, :, mask[0]] for a, b in ((seen, image), (detector.reconstruct(seen), normal[None])))
        above, below = above + float((x * y).sum()), below + float(x.square().sum())
    return above / below if below else 0.0


def _ratio(above: Tensor, below: Tensor) -> float:
    """A quotient; 0 where both are 0, as of images that are all the same."""
    return float(above / below.clamp(min=1e-12))
