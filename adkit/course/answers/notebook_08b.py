"""Exercises of notebook 08b: distances to an image's own median, and what a lamp changes."""

import math

import torch
from torch import Tensor

from adkit.course.answers import Exercise


def own_distances(places: Tensor, covariance: Tensor) -> Tensor:
    """Mahalanobis distances (N,) of the places of one image (N, D) from their own median, with a given covariance."""
    off = places - places.median(dim=0).values
    return torch.einsum("nd,de,ne->n", off, torch.linalg.inv(covariance), off).clamp(min=0).sqrt()


EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        own_distances,
        hint="First the median of each column, `places.median(dim=0).values`. Then the formula, place by place: "
        "`off @ precision` has the shape (N, D); multiply it by `off` and add up each row.",
        solution="""
def my_distances(places, covariance):
    off = places - places.median(dim=0).values  # (N, D)
    precision = torch.linalg.inv(covariance)
    return ((off @ precision) * off).sum(dim=1).sqrt()
""",
        tolerance=1e-4,
        cases=[
            (torch.tensor([[0.0], [1.0], [2.0], [3.0], [100.0]]), torch.tensor([[4.0]])),
            (torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 9.0]]), torch.diag(torch.tensor([1.0, 9.0]))),
            (torch.tensor([[1.0, 1.0], [0.0, 0.0], [3.0, -3.0]]), torch.tensor([[2.0, 1.0], [1.0, 2.0]])),
        ],
        why="With the mean in place of the median, the defect would pull the centre towards itself.",
    ),
    "2": Exercise(
        [1.0, 5.0],
        hint="How far is the place from the centre, and how many standard deviations is that? Each reference has a "
        "centre and a spread of its own.",
        solution="my_two = [abs(0.30 - 0.50) / 0.20, abs(0.30 - 0.40) / 0.02]",
        why="One place, two verdicts: usual for the set, far out for its own image.",
        wrong=[
            ([5.0, 1.0], "the two are exchanged: the first is that of `train`"),
            ([10.0, 5.0], "all spreads are those within an image; `train` has the spread over all images"),
            ([1.0, 10.0], "the second centre is the median of the image, not the mean of the set"),
        ],
    ),
    "3": Exercise(
        [math.log(1.2), 0.0],
        hint="The logarithm turns times into plus. And how does a median move when a number is added to all values?",
        solution="my_growth = [np.log(1.2), 0.0]",
        tolerance=1e-3,
        why="All places move by the same number, and their median moves along.",
        wrong=[
            ([1.2, 0.0], "this is the factor; by how much does its logarithm grow?"),
            ([math.log(1.2), math.log(1.2)], "the median of the image grows, too; how far is a place from it now?"),
        ],
    ),
}
