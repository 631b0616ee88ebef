"""Exercises of notebook 01."""

import numpy as np
import torch

from adkit import scoring
from adkit.course.answers import Exercise


def compression(model) -> float:
    """Input pixels for each number of the bottleneck."""
    return model.compression


def smoothed_peak(image, reconstruction) -> float:
    """The image score of a squared residual under a Gaussian of 4 pixels."""
    return float(scoring.anomaly_map(image[None], reconstruction[None], "l2", sigma=4.0).max())


def score_inside(a_map, border) -> float:
    """The highest value of a map (H, W) that lies at least ``border`` pixels from every edge."""
    height, width = a_map.shape
    return float(a_map[border : height - border, border : width - border].max())


def share_let_through(change_in, change_out) -> float:
    """The slope through 0 of what a defect changes in the reconstruction on what it changes in the image."""
    change_in, change_out = torch.as_tensor(change_in), torch.as_tensor(change_out)
    return float((change_in * change_out).sum() / change_in.square().sum())


_MAP = np.array([[9.0, 8, 7, 6], [5, 1, 2, 5], [4, 3, 0, 5], [7, 7, 7, 7]])
_WIDE = np.arange(30.0).reshape(5, 6)
EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        compression,
        "each level halves both sides: 2 ** depth pixels by 2 ** depth pixels share `latent` numbers",
        "model = detector.model\nmy_compression = 4**model.depth / model.latent",
        given=["model"],
        why="A grey patch goes in with 256 numbers and must pass through 32.",
        wrong=[(256.0, "that is how many pixels share the bottleneck's numbers; it has more than one number")],
    ),
    "2": Exercise(
        smoothed_peak,
        "`scoring.anomaly_map` wants batches, (1, C, H, W), and gives (1, H, W); the peak is its maximum",
        'a = scoring.anomaly_map(image[None], rebuilt[None], "l2", sigma=4.0)\nmy_peak = a.max()',
        tolerance=1e-5,
        given=["image", "rebuilt"],
        why="Smoothing keeps the mean of a map and lowers its peaks, most of all the narrow ones.",
    ),
    "3": Exercise(
        score_inside,
        "cut the map to [border : height - border, border : width - border]; a border of 0 must cut nothing",
        "def my_score(a_map, border):\n    height, width = a_map.shape\n"
        "    return a_map[border : height - border, border : width - border].max()",
        cases=[(_MAP, 1), (_MAP, 0), (_WIDE, 2), (-_WIDE, 1)],
        why="The detectors have it as a setting, `border`.",
    ),
    "4": Exercise(
        share_let_through,
        "the slope through 0 that fits y best to x is sum(x * y) / sum(x * x)",
        "def my_share(change_in, change_out):\n    return (change_in * change_out).sum() / (change_in**2).sum()",
        cases=[
            (np.array([0.2, -0.1, 0.4]), np.array([0.1, -0.05, 0.2])),
            (np.array([0.2, -0.1, 0.4]), np.array([0.0, 0.3, 0.1])),
            (np.array([[0.5, 0.5]]), np.array([[0.0, 0.0]])),
        ],
        why="0 repairs the defect, 1 copies it. A ratio of means would divide by next to 0 where a defect is both "
        "lighter and darker than the cloth.",
    ),
}
