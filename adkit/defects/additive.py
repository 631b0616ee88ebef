"""Kinds of defect that bring something new: masks, noise, stains, scratches, shifts of brightness, foreign texture.

A kind is called with images (n, C, H, W) and a :class:`Draw`, and puts one defect on each image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.defects import shapes
from adkit.defects.pixel_ops import lines_of, perlin_noise, reflected, tint
from adkit.defects.sampler import Draw
from adkit.defects.validation import check_between, check_option, check_range

Defect = tuple[Tensor, Tensor | None]  # corrupted (n, C, H, W) and region (n, H, W) bool; None: everywhere, no region

REGIONS = {
    "rectangle": shapes.rectangle,
    "cells": shapes.cells,
    "irregular": lambda draw: shapes.blob(draw, roughness=0.4) > 0,
}
NOISES = {
    "gaussian": lambda images, draw, amount: images + draw.normal(*images.shape[1:]) * amount / 2,
    "speckle": lambda images, draw, amount: images * (1 + draw.normal(*images.shape[1:]) * amount),
    "salt_pepper": lambda images, draw, amount: _salt_pepper(images, draw, amount / 2),
}


@dataclass(frozen=True)
class Mask:
    """Pixels taken away: the network has to invent what was there.

    Args:
        shape: ``rectangle``, ``cells`` (some cells of a small grid), ``irregular``, or ``any`` of them.
        fill: grey value in [0, 1] of the hole, or ``random``: another one for each.
    """

    shape: str = "any"
    fill: float | str = "random"

    def __post_init__(self):
        check_option("shape", self.shape, ("any", *REGIONS))
        if self.fill != "random":
            check_between("fill", self.fill, 0, 1)

    def __call__(self, images: Tensor, draw: Draw) -> Defect:
        """Put one defect on each image."""
        names = tuple(REGIONS) if self.shape == "any" else (self.shape,)
        region = torch.cat([REGIONS[name](part) for name, part in draw.split(names)])
        fill = draw.uniform(0, 1, 1, 1, 1) if self.fill == "random" else self.fill
        return torch.where(region[:, None], fill, images), region


@dataclass(frozen=True)
class Noise:
    """Grain that does not belong there; the contrast is twice its standard deviation, or twice the share of salt.

    Args:
        noise: ``gaussian`` (added), ``speckle`` (multiplied), ``salt_pepper``, or ``any`` of them.
        where: ``region``, or ``everywhere``: the whole image is corrupted, with nothing to find and an empty mask.
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

    def __call__(self, images: Tensor, draw: Draw) -> Defect:
        """Put one defect on each image."""
        parts = draw.split(tuple(NOISES) if self.noise == "any" else (self.noise,))
        pieces = images.split([part.n for _, part in parts])
        noisy = [
            NOISES[name](piece, part, part.contrasts()[:, None, None, None])
            for piece, (name, part) in zip(pieces, parts, strict=True)
        ]
        return torch.cat(noisy), None if self.whole_image else shapes.blob(draw) > 0


def _salt_pepper(images: Tensor, draw: Draw, share: Tensor) -> Tensor:
    chance = draw.uniform(0, 1, 1, *draw.shape)
    return torch.where(chance < share, (chance < share / 2).float(), images)


@dataclass(frozen=True)
class Stain:
    """A dark or pale spot inside a smooth random closed curve, through which the texture still shows.

    Args:
        edge: share of the area that is soft rim.
        roughness: how far the outline leaves an ellipse, see :func:`adkit.defects.shapes.blob`.
    """

    edge: float = 0.6
    roughness: float = 0.2

    def __post_init__(self):
        check_between("edge", self.edge, 0.01, 1)
        check_between("roughness", self.roughness, 0, 0.4)

    def __call__(self, images: Tensor, draw: Draw) -> Defect:
        """Put one defect on each image."""
        weight = shapes.blob(draw, self.edge, self.roughness)
        return _over(images, tint(draw), weight, draw), weight > 0


@dataclass(frozen=True)
class Line:
    """A scratch or a foreign thread: thin, long, a little bent, dark or light.

    Args:
        length: range, as a fraction of the shorter side of the image.
        width: range in pixels.
        bow: largest deviation from a straight line, as a fraction of the length.
    """

    length: tuple[float, float] = (0.1, 0.8)
    width: tuple[float, float] = (1.0, 3.0)
    bow: float = 0.15

    def __post_init__(self):
        check_range("length", self.length, 1e-3, 10)
        check_range("width", self.width, 0.5, 100)
        check_between("bow", self.bow, 0, 1)

    def __call__(self, images: Tensor, draw: Draw) -> Defect:
        """Put one defect on each image."""
        weight = shapes.line(draw, self.length, self.width, self.bow)
        return _over(images, tint(draw), weight, draw), weight > 0


@dataclass(frozen=True)
class Brightness:
    """A patch with a soft edge, lighter or darker by a factor of 1 ± contrast / 2: uneven dye or light.

    Args:
        edge: share of the area that is soft rim.
        scale: how many times larger than other defects; small steps of brightness need area to be seen.
    """

    edge: float = 0.8
    scale: float = 2.0

    def __post_init__(self):
        check_between("edge", self.edge, 0.01, 1)
        check_between("scale", self.scale, 0.1, 10)

    def __call__(self, images: Tensor, draw: Draw) -> Defect:
        """Put one defect on each image."""
        weight = shapes.blob(draw.larger(self.scale), self.edge, roughness=0.1)
        gain = (draw.sign() * draw.contrasts() / 2)[:, None, None]
        return images * (1 + weight * gain)[:, None], weight > 0


@dataclass(frozen=True, eq=False)
class Perlin:
    """Foreign texture blended into the blotches of thresholded Perlin noise (DRAEM, Zavrtanik et al., ICCV 2021).

    The lattice of the noise has a spacing of twice the drawn size. Unlike in DRAEM it is not rotated, which on woven
    fabric gives blotches along the yarns, and the threshold falls where a coarse lattice would leave none at all.

    Args:
        opacity: range of the weight of the texture.
        threshold: of the noise; higher leaves less.
        texture: where foreign texture comes from: None: another image of the batch, its rows moved and mirrored, with
            another contrast, which may be negative; images (N, C, h, w) in [0, 1]; or a callable
            ``(images, draw) -> (n, C, H, W)``.

    Example:
        >>> bank = torch.rand(5, 1, 100, 100)
        >>> images = torch.rand(2, 1, 64, 64)
        >>> corrupted, region = Perlin(texture=bank)(images, Draw(images))
        >>> corrupted.shape, region.dtype
        (torch.Size([2, 1, 64, 64]), torch.bool)
    """

    opacity: tuple[float, float] = (0.2, 1.0)
    threshold: float = 0.5
    texture: Tensor | Callable[[Tensor, Draw], Tensor] | None = None

    whole_image = True

    def __post_init__(self):
        check_range("opacity", self.opacity, 0, 1)
        check_between("threshold", self.threshold, 0, 1)
        if isinstance(self.texture, Tensor) and self.texture.ndim != 4:
            raise ValueError(f"texture must be images (N, C, h, w), got the shape {tuple(self.texture.shape)}")

    def __call__(self, images: Tensor, draw: Draw) -> Defect:
        """Put one defect on each image."""
        cell = tuple(2 * max(fraction * min(draw.shape), 2) for fraction in draw.size)
        noise = perlin_noise(draw, cell)
        threshold = (noise.amax((1, 2), keepdim=True) * 0.7).clamp_(max=self.threshold)
        region = noise > threshold
        keep = region.float().mul_(-draw.uniform(*self.opacity, 1, 1)).add_(1)
        return self._texture(images, draw).lerp_(images, keep[:, None]), region

    def _texture(self, images: Tensor, draw: Draw) -> Tensor:
        if callable(self.texture):
            return self.texture(images, draw).clone()
        return _from_bank(self.texture, draw) if self.texture is not None else _from_batch(draw)


def _from_batch(draw: Draw) -> Tensor:
    rows = _any_rows(draw, draw.shape[0])
    gain = (draw.sign() * draw.uniform(0.5, 1.5))[:, None, None, None]
    offset = draw.uniform(0.3, 0.7, draw.channels, 1, 1) - gain / 2
    return lines_of(draw.batch, draw.others(), rows).mul_(gain).add_(offset)


def _from_bank(bank: Tensor, draw: Draw) -> Tensor:
    if bank.shape[1] not in (1, draw.channels):
        raise ValueError(f"texture must have 1 or {draw.channels} channels as the images do, got {bank.shape[1]}")
    which = (draw.uniform(0, 1) * len(bank)).long().clamp_(max=len(bank) - 1)
    columns = reflected(torch.arange(draw.shape[1], device=draw.device), bank.shape[3])
    return lines_of(bank, which, _any_rows(draw, bank.shape[2]))[..., columns].repeat(
        1, draw.channels // bank.shape[1], 1, 1
    )


def _any_rows(draw: Draw, length: int) -> Tensor:
    """Rows (n, H) of a source of that height: from a random start up or down, mirrored at the borders."""
    start, direction = draw.uniform(0, length, 1).long(), draw.sign().long()[:, None]
    return reflected(start + direction * torch.arange(draw.shape[0], device=draw.device), length)


def _over(images: Tensor, colour: Tensor, weight: Tensor, draw: Draw) -> Tensor:
    """The images under a veil of a colour (n, C, 1, 1), as dense as the contrast times the weight (n, H, W)."""
    return torch.lerp(images, colour, (weight * draw.contrasts()[:, None, None])[:, None])
