"""Conservative augmentation: normal images turned, scaled and mirrored so little that they stay normal.

Off by default everywhere: where the camera is fixed, a turned weave is a defect and no variant of the normal. It also
smooths: bilinear sampling takes away some of the finest grain, which the network then finds in every test image.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Augment:
    """Rotation, scale and flips of a batch on its device; what comes in from outside is mirrored at the border.

    Args:
        rotation: largest angle in degrees, to either side, in [0, 180]; 0: none.
        scale: smallest and largest factor, positive; (1, 1): none. Above 1 enlarges.
        flip_horizontal: mirror half of the images left–right.
        flip_vertical: mirror half of the images top–bottom.

    Raises:
        ValueError: if a setting is out of its range.

    Example:
        >>> images = torch.rand(4, 1, 48, 64)
        >>> Augment()(images, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([4, 1, 48, 64])
        >>> still = Augment(rotation=0, scale=(1, 1), flip_horizontal=False, flip_vertical=False)
        >>> bool((still(images) == images).all())
        True
    """

    rotation: float = 5.0
    scale: tuple[float, float] = (0.95, 1.05)
    flip_horizontal: bool = True
    flip_vertical: bool = True

    def __post_init__(self):
        if not 0 <= self.rotation <= 180:
            raise ValueError(f"rotation must lie in [0, 180] degrees, got {self.rotation!r}")
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale must be (smallest, largest), both positive, got {self.scale!r}")

    @torch.no_grad()
    def __call__(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Augment images; each gets an angle, a scale and flips of its own.

        Args:
            images: (B, C, H, W) float in [0, 1], on any device.
            generator: on the device of the images; default: torch's global random state.

        Returns:
            (B, C, H, W) in [0, 1].

        Raises:
            ValueError: if the images are not float or of another shape.
        """
        check_batch(images)
        chances = torch.rand(4, len(images), device=images.device, generator=generator)
        flipped = _flipped(images, 3, self.flip_horizontal, chances[0])
        flipped = _flipped(flipped, 2, self.flip_vertical, chances[1])
        if self.rotation == 0 and tuple(self.scale) == (1, 1):
            return flipped
        angle = (2 * chances[2] - 1) * math.radians(self.rotation)
        factor = self.scale[0] + chances[3] * (self.scale[1] - self.scale[0])
        return _turned(flipped, angle, factor)


def check_batch(images: Tensor) -> None:
    """Refuse what is no batch of images.

    Args:
        images: must be float (B, C, H, W).

    Raises:
        ValueError: saying what came, and what to do.
    """
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(
            f"images must be float of the shape (B, C, H, W), got {images.dtype} {tuple(images.shape)}; "
            "convert with .float() / 255, add missing axes with [None]"
        )


def _flipped(images: Tensor, axis: int, wanted: bool, chance: Tensor) -> Tensor:
    return torch.where((chance < 0.5)[:, None, None, None], images.flip(axis), images) if wanted else images


def _turned(images: Tensor, angle: Tensor, factor: Tensor) -> Tensor:
    """Rotate by angles (B,) in radians and enlarge by factors (B,); a grid runs from -1 to 1 along both sides."""
    height, width = images.shape[-2:]
    cosine, sine, zero = angle.cos() / factor, angle.sin() / factor, torch.zeros_like(angle)
    rows = [[cosine, -sine * (height / width), zero], [sine * (width / height), cosine, zero]]
    matrix = torch.stack([torch.stack(row, 1) for row in rows], 1)  # (B, 2, 3)
    grid = F.affine_grid(matrix.to(images.dtype), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False).clamp_(0, 1)
