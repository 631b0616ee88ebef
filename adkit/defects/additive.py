"""Defect types that bring something new: masks, noise, stains, scratches, shifts of brightness, foreign texture.

A defect type is called with images (n, C, H, W), float32 in [0, 1], and a :class:`adkit.defects.Sampler` of random
numbers. It puts one defect on each image, and returns the changed images and the regions (n, H, W) bool.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.data.padding import mirrored
from adkit.defects import shapes
from adkit.defects.pixel_ops import perlin_noise, pixel_rows, tint
from adkit.defects.sampler import Corruption, Sampler
from adkit.defects.validation import check_between, check_interval, check_option

REGIONS = {
    "rectangle": shapes.rectangle,
    "cells": shapes.cells,
    "irregular": lambda sampler: shapes.blob(sampler, roughness=0.4) > 0,
}
NOISES = {
    "gaussian": lambda images, sampler, amount: images + sampler.normal(*images.shape[1:]) * amount / 2,
    "speckle": lambda images, sampler, amount: images * (1 + sampler.normal(*images.shape[1:]) * amount),
    "salt_pepper": lambda images, sampler, amount: _salt_pepper(images, sampler, amount / 2),
}


@dataclass(frozen=True)
class Mask:
    """Pixels taken away: the network has to invent what was there.

    Args:
        shape: ``rectangle``, ``cells`` (some cells of a small grid), ``irregular``, or ``any`` of them.
        fill: grey value in [0, 1] of the hole, or ``random``: another one for each.

    Raises:
        ValueError: if a setting is none of these.
    """

    shape: str = "any"
    fill: float | str = "random"

    def __post_init__(self):
        check_option("shape", self.shape, ("any", *REGIONS))
        if self.fill != "random":
            check_between("fill", self.fill, 0, 1)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        names = tuple(REGIONS) if self.shape == "any" else (self.shape,)
        region = torch.cat([REGIONS[name](part) for name, part in sampler.split(names)])
        fill = sampler.uniform(0, 1, 1, 1, 1) if self.fill == "random" else self.fill
        return torch.where(region[:, None], fill, images), region


@dataclass(frozen=True)
class Noise:
    """Grain that does not belong there; the contrast is twice its standard deviation, or twice the share of salt.

    Args:
        noise: ``gaussian`` (added), ``speckle`` (multiplied), ``salt_pepper``, or ``any`` of them.
        where: ``region``, or ``everywhere``: the whole image is corrupted, with nothing to find and an empty mask.

    Raises:
        ValueError: if a setting is none of these.
    """

    noise: str = "any"
    where: str = "region"

    def __post_init__(self):
        check_option("noise", self.noise, ("any", *NOISES))
        check_option("where", self.where, ("region", "everywhere"))

    @property
    def whole_image(self) -> bool:
        """True where one call is all that an image can take."""
        return self.where == "everywhere"

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        parts = sampler.split(tuple(NOISES) if self.noise == "any" else (self.noise,))
        pieces = images.split([part.n for _, part in parts])
        noisy = [
            NOISES[name](piece, part, part.contrasts()[:, None, None, None])
            for piece, (name, part) in zip(pieces, parts, strict=True)
        ]
        return torch.cat(noisy), None if self.whole_image else shapes.blob(sampler) > 0


def _salt_pepper(images: Tensor, sampler: Sampler, share: Tensor) -> Tensor:
    """White and black pixels, together a share (n, 1, 1, 1) of each image."""
    chance = sampler.uniform(0, 1, 1, *sampler.shape)
    return torch.where(chance < share, (chance < share / 2).float(), images)


@dataclass(frozen=True)
class Stain:
    """A dark or pale spot inside a smooth random closed curve, through which the texture still shows.

    Args:
        edge: share in [0.01, 1] of the area that is soft rim.
        roughness: how far the outline leaves an ellipse, in [0, 0.4], see :func:`adkit.defects.shapes.blob`.

    Raises:
        ValueError: if a setting is out of its range.
    """

    edge: float = 0.6
    roughness: float = 0.2

    def __post_init__(self):
        check_between("edge", self.edge, 0.01, 1)
        check_between("roughness", self.roughness, 0, 0.4)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        weight = shapes.blob(sampler, self.edge, self.roughness)
        return _over(images, tint(sampler), weight, sampler), weight > 0


@dataclass(frozen=True)
class Line:
    """A scratch or a foreign thread: thin, long, a little bent, dark or light.

    Args:
        length: smallest and largest length, as a fraction in [0.001, 10] of the shorter side of the image.
        width: smallest and largest width in pixels, in [0.5, 100].
        bow: largest deviation from a straight line, as a fraction in [0, 1] of the length.

    Raises:
        ValueError: if a setting is out of its range.
    """

    length: tuple[float, float] = (0.1, 0.8)
    width: tuple[float, float] = (1.0, 3.0)
    bow: float = 0.15

    def __post_init__(self):
        check_interval("length", self.length, 1e-3, 10)
        check_interval("width", self.width, 0.5, 100)
        check_between("bow", self.bow, 0, 1)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        weight = shapes.line(sampler, self.length, self.width, self.bow)
        return _over(images, tint(sampler), weight, sampler), weight > 0


@dataclass(frozen=True)
class Brightness:
    """A patch with a soft edge, lighter or darker by a factor of 1 ± contrast / 2: uneven dye or light.

    Args:
        edge: share in [0.01, 1] of the area that is soft rim.
        scale: how many times larger than other defects, in [0.1, 10]; small steps of brightness need area to be seen.

    Raises:
        ValueError: if a setting is out of its range.
    """

    edge: float = 0.8
    scale: float = 2.0

    def __post_init__(self):
        check_between("edge", self.edge, 0.01, 1)
        check_between("scale", self.scale, 0.1, 10)

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        weight = shapes.blob(sampler.larger(self.scale), self.edge, roughness=0.1)
        gain = (sampler.sign() * sampler.contrasts() / 2)[:, None, None]
        return images * (1 + weight * gain)[:, None], weight > 0


@dataclass(frozen=True, eq=False)
class Perlin:
    """Foreign texture blended into the blotches of thresholded Perlin noise.

    Source: DRAEM, Zavrtanik et al., "DRAEM: a discriminatively trained reconstruction embedding for surface anomaly
    detection", ICCV 2021, section 3.3. The lattice of the noise has a spacing of twice the defect's size.
    Unlike in DRAEM it is not rotated, which on woven fabric gives blotches along the yarns, and the threshold falls
    where a coarse lattice would leave none at all.

    Args:
        opacity: smallest and largest weight of the texture, in [0, 1].
        threshold: level of the noise, in [0, 1], above which a pixel belongs to the defect; higher leaves less.
        texture: where foreign texture comes from: None: another image of the batch, its rows moved and mirrored, with
            another contrast, which may be negative; images (N, C, h, w) in [0, 1]; or a callable
            ``(images, sampler) -> (n, C, H, W)``.

    Raises:
        ValueError: if a setting is out of its range, or, on use, the texture's channels do not fit the images.

    Example:
        >>> bank = torch.rand(5, 1, 100, 100)
        >>> images = torch.rand(2, 1, 64, 64)
        >>> corrupted, region = Perlin(texture=bank)(images, Sampler(images))
        >>> corrupted.shape, region.dtype
        (torch.Size([2, 1, 64, 64]), torch.bool)
    """

    opacity: tuple[float, float] = (0.2, 1.0)
    threshold: float = 0.5
    texture: Tensor | Callable[[Tensor, Sampler], Tensor] | None = None

    whole_image = True

    def __post_init__(self):
        check_interval("opacity", self.opacity, 0, 1)
        check_between("threshold", self.threshold, 0, 1)
        if isinstance(self.texture, Tensor) and self.texture.ndim != 4:
            raise ValueError(f"texture must be images (N, C, h, w), got the shape {tuple(self.texture.shape)}")

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Put one defect on each image.

        Args:
            images: (n, C, H, W) float32 in [0, 1]; they stay as they are.
            sampler: random numbers for the n defects.
        """
        cell = tuple(2 * max(fraction * min(sampler.shape), 2) for fraction in sampler.size)
        noise = perlin_noise(sampler, cell)
        threshold = (noise.amax((1, 2), keepdim=True) * 0.7).clamp_(max=self.threshold)
        region = noise > threshold
        image_weight = region.float().mul_(-sampler.uniform(*self.opacity, 1, 1)).add_(1)
        return self._texture(images, sampler).lerp_(images, image_weight[:, None]), region

    def _texture(self, images: Tensor, sampler: Sampler) -> Tensor:
        if callable(self.texture):
            return self.texture(images, sampler).clone()
        return _from_bank(self.texture, sampler) if self.texture is not None else _from_batch(sampler)


def _from_batch(sampler: Sampler) -> Tensor:
    """Texture (n, C, H, W) from other images of the batch."""
    rows = _any_rows(sampler, sampler.shape[0])
    gain = (sampler.sign() * sampler.uniform(0.5, 1.5))[:, None, None, None]
    offset = sampler.uniform(0.3, 0.7, sampler.channels, 1, 1) - gain / 2
    return pixel_rows(sampler.batch, sampler.others(), rows).mul_(gain).add_(offset)


def _from_bank(bank: Tensor, sampler: Sampler) -> Tensor:
    """Texture (n, C, H, W) from a bank (N, C or 1, h, w)."""
    if bank.shape[1] not in (1, sampler.channels):
        raise ValueError(f"texture must have 1 or {sampler.channels} channels as the images do, got {bank.shape[1]}")
    which = (sampler.uniform(0, 1) * len(bank)).long().clamp_(max=len(bank) - 1)
    columns = mirrored(torch.arange(sampler.shape[1], device=sampler.device), bank.shape[3])
    texture = pixel_rows(bank, which, _any_rows(sampler, bank.shape[2]))[..., columns]
    return texture.repeat(1, sampler.channels // bank.shape[1], 1, 1)


def _any_rows(sampler: Sampler, length: int) -> Tensor:
    """Rows (n, H) of a source of that height: from a random start up or down, mirrored at the borders."""
    start, direction = sampler.uniform(0, length, 1).long(), sampler.sign().long()[:, None]
    return mirrored(start + direction * torch.arange(sampler.shape[0], device=sampler.device), length)


def _over(images: Tensor, colour: Tensor, weight: Tensor, sampler: Sampler) -> Tensor:
    """The images under a veil of a colour (n, C, 1, 1), as dense as the contrast times the weight (n, H, W)."""
    return torch.lerp(images, colour, (weight * sampler.contrasts()[:, None, None])[:, None])
