"""Exercises of notebook 03: skip connections."""

import numpy as np
import torch
from torch import Tensor

from adkit.course.answers import Exercise


def added_by_concat(width: int) -> int:
    """Weights and biases of the 1 × 1 convolutions that join three levels of width, 2 width and 4 width channels."""
    return sum(2 * channels * channels + channels for channels in (width, 2 * width, 4 * width))


def gated(decoded: Tensor, encoded: Tensor, gate: Tensor) -> Tensor:
    """Decoder features plus those of the encoder (n, C, H, W), each channel through a sigmoid gate (C,)."""
    return decoded + torch.sigmoid(gate)[:, None, None] * encoded


def let_through(change_in: np.ndarray, change_out: np.ndarray) -> float:
    """The slope, through the origin, of what comes out on what went in."""
    x, y = np.asarray(change_in, float), np.asarray(change_out, float)
    return float((x * y).sum() / np.square(x).sum())


DECODED, ENCODED = torch.ones(1, 2, 2, 3), torch.arange(12.0).reshape(1, 2, 2, 3)

EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        added_by_concat,
        "a 1 × 1 convolution from 2C to C channels has 2C · C weights, and a bias a channel",
        "my_count = sum(2 * C * C + C for C in (width, 2 * width, 4 * width))",
        given=["width"],
        why="About 4 % of the network: little, but a comparison that ignores it is not one of architectures alone.",
        wrong=[(10752, "the biases are missing"), (5488, "the convolution has 2C input channels, not C")],
    ),
    "2": Exercise(
        gated,
        "`torch.sigmoid(gate)` lies between 0 and 1; `[:, None, None]` lets one number a channel meet a picture",
        "def gated(decoded, encoded, gate):\n    return decoded + torch.sigmoid(gate)[:, None, None] * encoded",
        cases=[(DECODED, ENCODED, torch.zeros(2)), (DECODED, ENCODED, torch.tensor([-20.0, 2.0]))],
        why="At a gate of 0 the skip is half open: that is how the network starts.",
    ),
    "3": Exercise(
        let_through,
        "least squares with one unknown: the sum of products over the sum of squares",
        "def let_through(change_in, change_out):\n    return (change_in * change_out).sum() / (change_in**2).sum()",
        cases=[
            (np.array([0.2, -0.1, 0.4]), np.array([0.1, -0.05, 0.2])),
            (np.array([0.2, -0.1, 0.4]), np.zeros(3)),
            (np.array([[0.5, 0.25], [0.0, 1.0]]), np.array([[0.25, 0.25], [0.125, 0.5]])),
        ],
        why="Not the mean of the ratios: a pixel that hardly changed would count as much as one that changed a lot.",
    ),
}
