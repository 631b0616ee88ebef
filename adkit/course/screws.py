"""A toy object with a place for everything: a plate with three round, grooved screws."""

import torch
from torch import Tensor

from adkit.runtime import generator

HEIGHT, WIDTH = 96, 288
SCREWS = (60.0, 144.0, 228.0)  # columns of their middles
RADIUS = 24.0


def plate(seed: int, missing: int | None = None) -> tuple[Tensor, Tensor]:
    """A plate, photographed with a little noise.

    Args:
        seed: whole number; another one makes other noise, all else stays.
        missing: which of the three screws is missing, 0 to 2; None: none.

    Returns:
        The image (1, 96, 288) in [0, 1], and where a screw is missing, bool (96, 288).

    Raises:
        ValueError: if there is no such screw.

    Example:
        >>> image, mask = plate(0, missing=2)
        >>> tuple(image.shape), bool(mask[48, 228]), bool(mask[48, 60])
        ((1, 96, 288), True, False)
    """
    if missing not in (None, *range(len(SCREWS))):
        raise ValueError(f"missing must be None or a screw from 0 to {len(SCREWS) - 1}, got {missing!r}")
    down, along = torch.meshgrid(torch.arange(float(HEIGHT)), torch.arange(float(WIDTH)), indexing="ij")
    image = 0.5 + 0.02 * torch.randn(HEIGHT, WIDTH, generator=generator(seed))
    mask = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    for number, column in enumerate(SCREWS):
        away = ((down - HEIGHT / 2) ** 2 + (along - column) ** 2).sqrt()
        if number == missing:
            mask = away < RADIUS
        else:
            image = image + (away < RADIUS) * 0.2 * torch.cos(away)  # a groove every 6 pixels or so
    return image[None].clamp(0, 1), mask
