"""Exercises of notebook 04."""

import numpy as np

from adkit.course.answers import Exercise


def one_window_similarity(x: np.ndarray, y: np.ndarray) -> float:
    """SSIM of two patches, all of each as one window without weights.

    Args:
        x: any shape, in [0, 1].
        y: of the same shape.
    """
    c1, c2 = 0.01**2, 0.03**2
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    above = (2 * x.mean() * y.mean() + c1) * (2 * covariance + c2)
    return float(above / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (x.var() + y.var() + c2)))


def huber(prediction: np.ndarray, target: np.ndarray, delta: float = 0.1) -> float:
    """Squared error up to ``delta``, absolute error beyond, joined without a kink.

    Args:
        prediction: any shape.
        target: of the same shape.
        delta: where the one goes over into the other, positive.
    """
    off = np.abs(np.asarray(prediction) - np.asarray(target))
    return float(np.where(off < delta, off**2 / (2 * delta), off - delta / 2).mean())


_DRAWN = np.random.default_rng(4).random((3, 6, 6))
_FLAT = np.full((6, 6), 0.5)

EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        one_window_similarity,
        "x.mean(), x.var(), and for the covariance the mean of (x - x.mean()) * (y - y.mean())",
        """
def my_ssim(x, y):
    c1, c2 = 0.01**2, 0.03**2
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    above = (2 * x.mean() * y.mean() + c1) * (2 * covariance + c2)
    below = (x.mean() ** 2 + y.mean() ** 2 + c1) * (x.var() + y.var() + c2)
    return above / below
""",
        tolerance=1e-4,
        cases=[(_DRAWN[0], _DRAWN[0]), (_DRAWN[0], _DRAWN[1]), (_DRAWN[0], 1 - _DRAWN[0]), (_FLAT, _FLAT + 0.1)],
        why="For a patch and its negative it is below 0; for two flat patches only the means are left to compare.",
    ),
    "2": Exercise(
        lambda scales: scales["ssim"] / scales["mse"] if {"ssim", "mse"} <= set(scales) else 1.0,
        "1 / scales[name] is the value of a part; the weight must bring the one to the other",
        'my_weight = scales["ssim"] / scales["mse"]',
        given=["scales"],
        why="The weight 1 gives SSIM far more than half of such a sum.",
        wrong=[(1.0, "with equal weights the larger part decides; look at the table of values")],
    ),
    "3": Exercise(
        [0.003, 0.0009],
        "both are means over all pixels, and 99 of 100 of these contribute 0",
        "my_losses = [0.01 * 0.3, 0.01 * 0.3**2]",
        why="For the MSE these few pixels count 0.3 times as much as for L1: squaring makes errors below 1 smaller.",
        wrong=[
            ([0.3, 0.09], "that is the loss inside the wrong pixels; a loss is a mean over all pixels"),
            ([0.003, 0.09], "the second is not a mean over all pixels yet"),
            ([0.003, 0.000009], "square the error of each pixel, then take the mean: not the other way round"),
        ],
    ),
    "4": Exercise(
        huber,
        "np.where(off < 0.1, …, …) with off = np.abs(prediction - target), and then the mean",
        """
def my_huber(prediction, target):
    off = np.abs(prediction - target)
    return np.where(off < 0.1, off**2 / 0.2, off - 0.05).mean()
""",
        cases=[(np.zeros(4), np.array([0.0, 0.05, 0.1, 0.5])), (_DRAWN[1], _DRAWN[2]), (np.ones(3), np.zeros(3))],
        why="Small errors cost as by the MSE, large ones as by L1, and the slope never jumps.",
    ),
}
