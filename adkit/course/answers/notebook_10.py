"""Exercises of notebook 10: blending, one range for both, the weight of an easy pixel, a defect of one's own."""

import torch
from torch import Tensor

from adkit.course.answers import Exercise


def blended(image: Tensor, texture: Tensor, mask: Tensor, opacity: float) -> Tensor:
    """The texture over the image, as dense as the opacity, where the mask is True: DRAEM's equation."""
    return torch.where(mask, (1 - opacity) * image + opacity * texture, image)


def slub(row: Tensor, column: Tensor, centre: Tensor, length: Tensor) -> Tensor:
    """A yarn that is too thick: 5 pixels high and ``length`` long around each centre, (n, H, W) bool."""
    down = (row - centre[:, 0, None, None]).abs()  # (n, H, 1)
    right = (column - centre[:, 1, None, None]).abs()  # (n, 1, W)
    return (down <= 2) & (right <= length[:, None, None] / 2)


def in_one_range(image: Tensor, texture: Tensor) -> tuple[Tensor, Tensor]:
    """Image and texture, both from [0, 1] to [-1, 1]."""
    return 2 * image - 1, 2 * texture - 1


ROW, COLUMN = torch.arange(12.0)[:, None], torch.arange(20.0)
RAMP = torch.linspace(0, 1, 16).reshape(1, 4, 4)

EXERCISES = {
    "1": Exercise(
        blended,
        hint="Outside the mask the image stays as it is. Inside, image and texture are mixed, with weights that add "
        "up to 1.",
        solution="""
def my_blend(image, texture, mask, opacity):
    mixed = (1 - opacity) * image + opacity * texture
    return torch.where(mask, mixed, image)
""",
        cases=[
            (RAMP, 1 - RAMP, RAMP[0] > 0.5, 0.25),
            (RAMP, torch.zeros_like(RAMP), RAMP[0] < 0.3, 1.0),
            (RAMP, torch.ones_like(RAMP), RAMP[0] < 2, 0.0),
        ],
        why="Outside the mask nothing changes, so the mask is the exact truth for the segmenter.",
    ),
    "2": Exercise(
        in_one_range,
        hint="What is done to one of two things that will be mixed must be done to the other.",
        solution="""
def my_prepare(image, texture):
    return 2 * image - 1, 2 * texture - 1
""",
        cases=[(RAMP, 1 - RAMP), (torch.full((1, 2, 2), 0.5), torch.zeros(1, 2, 2))],
        why="Now only the pattern tells texture from cloth, and no longer its range.",
    ),
    "3": Exercise(
        0.01,
        hint="The focal loss multiplies the cross-entropy of a pixel by $(1 - p)^2$.",
        solution="my_weight = (1 - 0.9) ** 2",
        why="A hundred pixels that are right with 0.9 count together as one does in the cross-entropy.",
        wrong=[
            (0.81, "this is p²; what counts is how far the network still is from sure"),
            (0.1, "this is 1 - p, without the exponent"),
            (0.00105, "this is the loss itself; asked is the weight beside the cross-entropy"),
        ],
    ),
    "4": Exercise(
        slub,
        hint="Measure how far each row lies from the row of the centre, and each column from its column. "
        "`centre[:, 0, None, None]` is (n, 1, 1), so the comparison with `row` gives (n, H, 1).",
        solution="""
def my_region(row, column, centre, length):
    down = (row - centre[:, 0, None, None]).abs()  # (n, H, 1)
    right = (column - centre[:, 1, None, None]).abs()  # (n, 1, W)
    return (down <= 2) & (right <= length[:, None, None] / 2)
""",
        cases=[
            (ROW, COLUMN, torch.tensor([[6.0, 10.0]]), torch.tensor([8.0])),
            (ROW, COLUMN, torch.tensor([[3.0, 4.0], [8.0, 15.0]]), torch.tensor([4.0, 12.0])),
            (ROW, COLUMN, torch.tensor([[0.0, 19.0]]), torch.tensor([6.0])),
        ],
        why="One region for each image, on the device of the images, without a loop over them.",
    ),
}
