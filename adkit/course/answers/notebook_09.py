"""Exercises of notebook 09: the greedy k-centre coreset, the size of a memory, the re-weighted score."""

import numpy as np
import torch
from torch import Tensor

from adkit.course.answers import Exercise


def k_centre(points: Tensor, count: int, first: int) -> list[int]:
    """Numbers of the points (N, D) that a greedy coreset keeps, in the order in which it takes them."""
    chosen, far = [first], (points - points[first]).norm(dim=1)
    while len(chosen) < count:
        chosen.append(int(far.argmax()))
        far = torch.minimum(far, (points - points[chosen[-1]]).norm(dim=1))
    return chosen


def memory_bytes(dimensions: int) -> int:
    """Bytes of 1,000 patches of float32."""
    return 1000 * dimensions * 4


def reweighted(distances: list[float]) -> float:
    """The first distance times one minus its share of the exponentials of all."""
    shares = np.exp(distances) / np.exp(distances).sum()
    return float(distances[0] * (1 - shares[0]))


LINE = torch.tensor([[0.0], [1.0], [2.0], [10.0], [6.5]])
PLANE = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 3.0], [5.0, 3.5], [2.0, 1.0], [9.0, 0.0]])

EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        k_centre,
        hint="Keep one number for each point: the distance to the nearest chosen one. The next centre is where it is "
        "largest (`argmax`); afterwards `torch.minimum` with the distances to the new centre brings it up to date.",
        solution="""
def my_k_centre(points, count, first):
    chosen = [first]
    far = (points - points[first]).norm(dim=1)  # to the nearest chosen one
    while len(chosen) < count:
        chosen.append(int(far.argmax()))
        far = torch.minimum(far, (points - points[chosen[-1]]).norm(dim=1))
    return chosen
""",
        cases=[(LINE, 1, 2), (LINE, 3, 0), (LINE, 4, 3), (PLANE, 4, 0)],
        why="One row of distances is all that it needs in memory, however many points there are.",
    ),
    "2": Exercise(
        memory_bytes,
        hint="How many numbers are there in a thousand patches, and how many bytes has a float of 32 bits?",
        solution="my_bytes = 1000 * dimensions * 4",
        given=["dimensions"],
        why="Less than many a photograph: memory is not what a coreset has to save, time is.",
        wrong=[(56_000, "this is the count of numbers"), (1_792_000, "these are bits")],
    ),
    "3": Exercise(
        reweighted([3.0, 3.5]),
        hint="The weight is one minus the share that the nearest one has in the sum of both exponentials.",
        solution="my_score = 3.0 * (1 - np.exp(3.0) / (np.exp(3.0) + np.exp(3.5)))",
        tolerance=1e-3,
        why="The nearer the other one, the smaller the weight: a crowded place of the memory is less surprising.",
        wrong=[
            (3.0 - reweighted([3.0, 3.5]), "this is the distance times the share; one minus the share is the weight"),
            (3.0, "this is the distance without a weight"),
        ],
    ),
}
