"""Defect types made of what is there already: pasted, blurred, bent, or a yarn that is missing.

A defect type is called with images (n, C, H, W), float32 in [0, 1], and a :class:`adkit.defects.Sampler` of random
numbers. It puts one defect on each image, and returns the changed images and the regions (n, H, W) bool.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.defects import shapes
from adkit.defects.pixel_ops import bent, blurred, displaced
from adkit.defects.sampler import Corruption, Sampler
from adkit.defects.validation import check_between, check_interval, check_option

SOURCES = {"same": 1.0, "other": 0.0, "any": 0.5}  # how often a patch comes from the image itself


@dataclass(frozen=True)
class CutPaste:
    """A rectangle from elsewhere, a little lighter or darker.

    Source: Li et al., "CutPaste: self-supervised learning for anomaly detection and localization", CVPR 2021. There
    the patch comes from the same image, and its colours are jittered; here also from another one, and shifted in
    brightness alone.

    Args:
        source: ``same`` image, an ``other`` one of the batch, or ``any``.
        elongation: largest ratio of the sides, in [1, 100].
        jitter: largest change of brightness, in [0, 1].

    Raises:
        ValueError: if a setting is out of its range.
    """

    source: str = "any"
    elongation: float = 4.0
    jitter: float = 0.1

    def __post_init__(self):
        check_option("source", self.source, SOURCES)
        check_between("elongation", self.elongation, 1, 100)
        check_between("jitter", self.jitter, 0, 1)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        region = shapes.rectangle(sampler, self.elongation)
        own = sampler.uniform(0, 1) < SOURCES[self.source]
        shift = torch.stack([sampler.uniform(-side / 2, side / 2) for side in sampler.shape], 1).round_().long()
        patch = displaced(sampler, torch.where(own, sampler.image_index, sampler.others()), shift)
        patch += sampler.uniform(-self.jitter, self.jitter, 1, 1, 1)
        return torch.where(region[:, None], patch, images), region


@dataclass(frozen=True)
class Blur:
    """A place out of focus or worn.

    Args:
        sigma: smallest and largest standard deviation in pixels, in [0.1, 20].
        scale: how many times larger than other defects, in [0.1, 10].

    Raises:
        ValueError: if a setting is out of its range.
    """

    sigma: tuple[float, float] = (1.0, 3.0)
    scale: float = 1.5

    def __post_init__(self):
        check_interval("sigma", self.sigma, 0.1, 20)
        check_between("scale", self.scale, 0.1, 10)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        weight = shapes.blob(sampler.larger(self.scale), edge=0.5)
        smooth = blurred(images, sampler.uniform(*self.sigma), self.sigma[1])
        return torch.lerp(images, smooth, weight[:, None]), weight > 0


@dataclass(frozen=True)
class Warp:
    """Cloth pushed aside: smooth local displacement, strongest in the middle.

    Args:
        push: smallest and largest displacement in the middle, as a fraction in [0.01, 0.17] of the extent; more would
            fold the cloth.
        scale: how many times larger than other defects, in [0.1, 10].

    Raises:
        ValueError: if a setting is out of its range.
    """

    push: tuple[float, float] = (0.05, 0.15)
    scale: float = 2.0

    def __post_init__(self):
        check_interval("push", self.push, 0.01, 0.17)
        check_between("scale", self.scale, 0.1, 10)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        sampler = sampler.larger(self.scale)
        size = sampler.sizes()
        weight = shapes.blob(sampler, edge=1.0, roughness=0.05, elongation=1.2, size=size)
        angle = sampler.uniform(0, 6.2832)
        direction = torch.stack([angle.sin(), angle.cos()], 1)  # (n, 2)
        push = direction * (size * sampler.uniform(*self.push))[:, None]  # (n, 2) pixels
        return bent(images, weight[:, None] * push[:, :, None, None]), weight > 0


@dataclass(frozen=True)
class MissingYarn:
    """A stretch of a yarn is gone and its neighbour shows in its place: a band copies the cloth beside it.

    Args:
        length: smallest and largest length, as a fraction in [0.001, 10] of the shorter side of the image.
        width: smallest and largest width in pixels, in [1, 100].

    Raises:
        ValueError: if a setting is out of its range.
    """

    length: tuple[float, float] = (0.1, 1.0)
    width: tuple[float, float] = (2.0, 8.0)

    def __post_init__(self):
        check_interval("length", self.length, 1e-3, 10)
        check_interval("width", self.width, 1, 100)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        region, width, upright = shapes.yarn_stretch(sampler, self.length, self.width)
        step = (sampler.sign() * width).long()
        shift = torch.stack([step * ~upright, step * upright], 1)
        return torch.where(region[:, None], displaced(sampler, sampler.image_index, shift), images), region
