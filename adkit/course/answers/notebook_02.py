"""Exercises of notebook 02: synthetic defects."""

import torch
from torch import Tensor

from adkit.course.answers import Exercise


def repair_loss(error: Tensor, mask: Tensor, weight: float) -> Tensor:
    """The mean error of all pixels, plus the mean error of the defective ones times a weight.

    Args:
        error: (n, C, H, W), squared differences.
        mask: (n, H, W) bool.
        weight: at least 0.
    """
    inside = (error * mask[:, None]).sum() / (mask.sum() * error.shape[1]).clamp(min=1)
    return error.mean() + weight * inside


def with_band(images: Tensor) -> Tensor:
    """Rows 8 to 15 of images (n, C, H, W) half as bright, all else as it was."""
    changed = images.clone()
    changed[:, :, 8:16] /= 2
    return changed


ERROR = torch.arange(16.0).reshape(1, 1, 4, 4) / 16
CORNER = torch.zeros(1, 4, 4, dtype=torch.bool)
CORNER[0, :2, :2] = True

EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        lambda mask: float(mask.float().mean()),
        "a bool is 0 or 1, and the mean of zeros and ones is a share",
        "my_share = float(mask.float().mean())",
        given=["mask"],
        why="So little of a batch is defective: in the mean over all pixels, its repair hardly counts.",
    ),
    "2": Exercise(
        with_band,
        "`images[:, :, 8:16]` are the rows, and `region[:, 8:16] = True` says where; what changes elsewhere is undone",
        "def dropped_band(images, sampler):\n"
        "    changed = images.clone()\n"
        "    changed[:, :, 8:16] *= 0.5\n"
        "    region = torch.zeros_like(images[:, 0], dtype=torch.bool)\n"
        "    region[:, 8:16] = True\n"
        "    return changed, region",
        given=["batch"],
        why="A kind of your own trains and judges like the ten that are there: `SyntheticDefects([dropped_band])`.",
    ),
    "3": Exercise(
        repair_loss,
        "two means: one over all pixels, one over those where the mask is true; an empty mask adds nothing",
        "def repair_loss(error, mask, weight):\n"
        "    inside = error[:, 0][mask]\n"
        "    extra = inside.mean() if len(inside) else 0.0\n"
        "    return error.mean() + weight * extra",
        cases=[(ERROR, CORNER, 1.0), (ERROR, CORNER, 4.0), (ERROR, torch.zeros_like(CORNER), 1.0)],
        why="This is the term that `repair` weighs: without it, copying a small defect costs next to nothing.",
    ),
}
