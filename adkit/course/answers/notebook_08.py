"""Exercises of notebook 08: Otsu's threshold, and when a shade is inverted."""

import numpy as np

from adkit.course.answers import Exercise


def otsu(values: np.ndarray) -> float:
    """The cut with the largest variance between the two classes, in the middle between two neighbouring values (n,)."""
    x = np.sort(np.asarray(values, float).ravel())
    above = np.arange(x.size - 1, 0, -1) / x.size
    mean_below = x.cumsum()[:-1] / np.arange(1, x.size)
    mean_above = (x.sum() - x.cumsum()[:-1]) / np.arange(x.size - 1, 0, -1)
    best = int((above * (1 - above) * (mean_above - mean_below) ** 2).argmax())
    return float((x[best] + x[best + 1]) / 2)


def residual_ratio(shift: float, share: float, gain: float, variance: float) -> float:
    """The squared residual of a shaded place that is expected, over that of the same place without the shade."""
    return ((1 - share) * shift) ** 2 / variance + gain**2


def needed_distance(share: float) -> float:
    """In standard deviations of normal values: where a defect of this share begins to move Otsu's cut."""
    return float(np.sqrt(2 / np.pi / (share * (1 - share))))


SKEWED = np.random.default_rng(0).exponential(size=101)

EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        otsu,
        "sort the values; for each place between two neighbours take the share and the mean on either side (`cumsum` "
        "gives the sums of all of them), and return the middle of the place where w₀ w₁ (μ₀ − μ₁)² is largest",
        "def otsu(values):\n"
        "    x = np.sort(values)\n"
        "    n = np.arange(1, len(x))  # values below each cut\n"
        "    below = x.cumsum()[:-1] / n\n"
        "    above = (x.sum() - x.cumsum()[:-1]) / (len(x) - n)\n"
        "    w = n / len(x)\n"
        "    best = (w * (1 - w) * (above - below) ** 2).argmax()\n"
        "    return (x[best] + x[best + 1]) / 2",
        cases=[
            (np.array([0.0, 0.25, 1.0, 0.5, 8.0]),),
            (np.array([5.0, 0.0, 4.0, 0.5]),),
            (SKEWED,),
            (np.append(SKEWED, 30.0),),
        ],
        tolerance=1e-9,
        why="One sort and one running sum give all cuts. Nothing in it asks whether there are two classes.",
    ),
    "2": Exercise(
        residual_ratio,
        "two parts: what is left of the shift, squared, in units of the grain's variance; and the grain itself, which "
        "the gain multiplies",
        "def residual_ratio(shift, share, gain, variance):\n    return ((1 - share) * shift) ** 2 / variance + gain**2",
        cases=[(-0.1, 1.0, 0.8, 0.002), (-0.1, 0.5, 0.8, 0.002), (0.1, 0.9, 1.2, 0.001), (0.0, 0.3, 1.0, 0.01)],
        why="Below 1 the place is quieter than the same place without the shade.",
    ),
    "3": Exercise(
        needed_distance,
        "p (1 − p) d² must exceed 2/π, with p the share of the pixels: 2 · 60 of 176 · 976",
        "p = 2 * 60 / (176 * 976)\nmy_distance = np.sqrt(2 / np.pi / (p * (1 - p)))",
        tolerance=0.02,
        given=["share"],
        why="A normal map hardly has such values, so Otsu splits the cloth instead.",
        wrong=[(911.7, "this is the square of the distance: 2/π over p (1 − p)")],
    ),
}
