"""Kinds of defect made of what is there already: pasted, blurred, bent, or a yarn that is missing.

A kind is called with images (n, C, H, W) and a :class:`Draw`, and puts one defect on each image.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.defects import shapes
from adkit.defects.pixel_ops import bent, blurred, displaced
from adkit.defects.sampler import Draw
from adkit.defects.validation import check_between, check_option, check_range

SOURCES = {"same": 1.0, "other": 0.0, "any": 0.5}  # how often a patch comes from the image itself


@dataclass(frozen=True)
class CutPaste:
    """A rectangle from elsewhere, a little lighter or darker (CutPaste, Li et al., CVPR 2021).

    Args:
        source: ``same`` image, an ``other`` one of the batch, or ``any``.
        elongation: largest ratio of the sides.
        jitter: largest change of brightness.
    """

    source: str = "any"
    elongation: float = 4.0
    jitter: float = 0.1

    def __post_init__(self):
        check_option("source", self.source, SOURCES)
        check_between("elongation", self.elongation, 1, 100)
        check_between("jitter", self.jitter, 0, 1)

    def __call__(self, images: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Put one defect on each image."""
        region = shapes.rectangle(draw, self.elongation)
        own = draw.uniform(0, 1) < SOURCES[self.source]
        shift = torch.stack([draw.uniform(-side / 2, side / 2) for side in draw.shape], 1).round_().long()
        patch = displaced(draw, torch.where(own, draw.owner, draw.others()), shift)
        patch += draw.uniform(-self.jitter, self.jitter, 1, 1, 1)
        return torch.where(region[:, None], patch, images), region


@dataclass(frozen=True)
class Blur:
    """A place out of focus or worn.

    Args:
        sigma: range of the standard deviation in pixels.
        scale: how many times larger than other defects.
    """

    sigma: tuple[float, float] = (1.0, 3.0)
    scale: float = 1.5

    def __post_init__(self):
        check_range("sigma", self.sigma, 0.1, 20)
        check_between("scale", self.scale, 0.1, 10)

    def __call__(self, images: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Put one defect on each image."""
        weight = shapes.blob(draw.larger(self.scale), edge=0.5)
        smooth = blurred(images, draw.uniform(*self.sigma), self.sigma[1])
        return torch.lerp(images, smooth, weight[:, None]), weight > 0


@dataclass(frozen=True)
class Warp:
    """Cloth pushed aside: smooth local displacement, strongest in the middle.

    Args:
        push: range of the largest displacement, as a fraction of the extent; more would fold the cloth.
        scale: how many times larger than other defects.
    """

    push: tuple[float, float] = (0.05, 0.15)
    scale: float = 2.0

    def __post_init__(self):
        check_range("push", self.push, 0.01, 0.17)
        check_between("scale", self.scale, 0.1, 10)

    def __call__(self, images: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Put one defect on each image."""
        draw = draw.larger(self.scale)
        size = draw.sizes()
        weight = shapes.blob(draw, edge=1.0, roughness=0.05, elongation=1.2, size=size)
        angle = draw.uniform(0, 6.2832)
        way = torch.stack([angle.sin(), angle.cos()], 1) * (size * draw.uniform(*self.push))[:, None]  # (n, 2) pixels
        return bent(images, weight[:, None] * way[:, :, None, None]), weight > 0


@dataclass(frozen=True)
class MissingYarn:
    """A stretch of a yarn is gone and its neighbour shows in its place: a band copies the cloth beside it.

    Args:
        length: range, as a fraction of the shorter side of the image.
        width: range in pixels.
    """

    length: tuple[float, float] = (0.1, 1.0)
    width: tuple[float, float] = (2.0, 8.0)

    def __post_init__(self):
        check_range("length", self.length, 1e-3, 10)
        check_range("width", self.width, 1, 100)

    def __call__(self, images: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Put one defect on each image."""
        region, width, upright = shapes.band(draw, self.length, self.width)
        step = (draw.sign() * width).long()
        shift = torch.stack([step * ~upright, step * upright], 1)
        return torch.where(region[:, None], displaced(draw, draw.owner, shift), images), region
