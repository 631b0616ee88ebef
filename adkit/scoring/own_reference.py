"""The rest of an image as the reference of each of its places.

Normal images differ from each other more than a small defect differs from its surroundings: another roll, another
lamp, another focus. A threshold on the map itself then finds the odd image; a map in units of its own level finds the
odd place. What fills an image has no surroundings, and is lost.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.scoring.anomaly_maps import check_maps, gaussian_smooth

FLOOR = (
    0.3  # of the image's mean level, added to that of the surroundings: where nothing is unusual, noise is not either
)
COARSE = 4  # the level of surroundings is computed on cells of their sigma over this


def own_level(values: Tensor) -> tuple[Tensor, Tensor]:
    """Median and robust standard deviation of the pixels of one map; a small defect hardly moves them.

    Args:
        values: (P,), at least one.

    Returns:
        The median, and 1.4826 times the median absolute deviation, which is the standard deviation where values are
        normally distributed. Where half of the values are the same, 1.2533 times the mean absolute deviation.

    Example:
        >>> [round(float(value), 2) for value in own_level(torch.tensor([1.0, 2.0, 3.0, 4.0, 100.0]))]
        [3.0, 1.48]
    """
    median = values.median()
    distances = (values - median).abs()
    spread = 1.4826 * distances.median()
    return median, torch.where(spread > 0, spread, 1.2533 * distances.mean())


def relative_to_surroundings(maps: Tensor, foreground: Tensor, sigma: float) -> Tensor:
    """Maps in units of the level around each place: 1 is what is usual there.

    The level is the mean over the foreground under a Gaussian, and some of the image's own mean, so that a place where
    hardly anything is unusual does not divide by next to nothing.

    Args:
        maps: (B, H, W), not negative.
        foreground: bool (B, H, W).
        sigma: standard deviation of the Gaussian in pixels, above 0: several times that of the defects, which
            otherwise raise the level that they are held against.

    Returns:
        (B, H, W), not negative, without unit; 0 off the foreground, and everywhere in an image whose map is 0.

    Example:
        >>> maps = torch.ones(1, 64, 64)
        >>> maps[:, 30:34, 30:34] = 5.0
        >>> brighter = relative_to_surroundings(7 * maps, maps > 0, 16.0)
        >>> torch.allclose(brighter, relative_to_surroundings(maps, maps > 0, 16.0))
        True
    """
    check_maps(maps)
    cell, (height, width) = max(1, int(sigma / COARSE)), maps.shape[-2:]
    padding = (0, -width % cell, 0, -height % cell)
    inside = foreground.to(maps.dtype)
    level, share = (
        gaussian_smooth(F.avg_pool2d(F.pad(part, padding), cell), sigma / cell) for part in (maps * inside, inside)
    )
    level = level / share.clamp(min=torch.finfo(maps.dtype).tiny)
    level = F.interpolate(level[:, None], scale_factor=cell, mode="bilinear", align_corners=False)[
        :, 0, :height, :width
    ]
    whole = (maps * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2)).clamp(min=1)
    level = level + FLOOR * whole[:, None, None]
    return torch.where(level > 0, maps * inside / level.clamp(min=torch.finfo(maps.dtype).tiny), 0.0)
