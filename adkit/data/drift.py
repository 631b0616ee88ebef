"""What changes from one good image to the next: light, contrast, focus, grain. None of it is a defect.

Ten normal images show little of it, and a network that has seen nothing else calls the eleventh anomalous from border
to border. Training on images that drift teaches it not to; validating on them tells which methods already know.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.data.augment import check_batch
from adkit.losses.window import blur, gaussian_window, reflect_pad

# the largest changes, at strength 1
CONTRAST = 0.25  # of the logarithm: contrast times 0.78 to 1.28, about the image's own mean
BRIGHTNESS = 0.08  # of the range
SHARPNESS = (-0.6, 0.5)  # of what a blur by one pixel takes away: added where positive
GRAIN = 0.015  # standard deviation of noise, of the range
LIGHT = 0.06  # amplitude of a slow wave across the frame, of the range


@dataclass(frozen=True)
class Drift:
    """Changes of a batch that leave normal images normal, on its device; each image drifts by itself.

    Args:
        strength: at least 0; 1: contrast by a quarter, brightness by 0.08, sharpness by half, grain of 0.015, and light
            that is uneven by 0.06; 0: none.

    Raises:
        ValueError: if the strength is negative.

    Example:
        >>> images = torch.rand(4, 1, 48, 64)
        >>> Drift()(images, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([4, 1, 48, 64])
    """

    strength: float = 1.0

    def __post_init__(self):
        if not 0 <= self.strength < float("inf"):
            raise ValueError(f"strength must be a number of at least 0, got {self.strength!r}; 1 is usual")

    @torch.no_grad()
    def __call__(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Drifted images.

        Args:
            images: (B, C, H, W) float in [0, 1], on any device.
            generator: on the device of the images; default: torch's global random state.

        Returns:
            (B, C, H, W) in [0, 1]; the images themselves where the strength is 0.

        Raises:
            ValueError: if the images are not float or of another shape.
        """
        check_batch(images)
        if not self.strength:
            return images
        count, device = len(images), images.device
        drawn = torch.rand(8, count, 1, 1, 1, device=device, generator=generator)
        noise = torch.randn(images.shape, device=device, generator=generator)
        soft = blur(reflect_pad(images.flatten(0, 1), 3), gaussian_window(7, 1.0)).view_as(images)
        low, high = SHARPNESS
        changed = images + self.strength * (low + (high - low) * drawn[0]) * (images - soft)
        mean = changed.mean(dim=(1, 2, 3), keepdim=True)
        changed = mean + (changed - mean) * (self.strength * CONTRAST * (2 * drawn[1] - 1)).exp()
        changed = changed + self.strength * (BRIGHTNESS * (2 * drawn[2] - 1) + GRAIN * drawn[3] * noise)
        height, width = images.shape[-2:]
        rows, columns = (torch.linspace(0, 1, side, device=device) for side in (height, width))
        turns = 1.5 * drawn[4] * columns + 0.7 * drawn[5] * rows[:, None] + drawn[6]
        return (changed + self.strength * LIGHT * drawn[7] * torch.cos(2 * torch.pi * turns)).clamp_(0, 1)
