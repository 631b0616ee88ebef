"""Exercises of notebook 05."""

import numpy as np

from adkit.course.answers import Exercise


def mahalanobis(features: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Distances in standard deviations, along the directions in which normal vectors vary; no shrinkage.

    Args:
        features: (M, C).
        normal: (N, C), with N well above C.

    Returns:
        (M,)
    """
    centre = normal.mean(axis=0)
    covariance = (normal - centre).T @ (normal - centre) / len(normal)
    off = features - centre
    return np.sqrt(((off @ np.linalg.inv(covariance)) * off).sum(axis=1))


def standardised_sum(terms: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Terms in standard deviations of normal pixels, added.

    Args:
        terms: (K, H, W).
        normal: (K, n), values of normal pixels in the same units.

    Returns:
        (H, W)
    """
    mean, deviation = normal.mean(axis=1)[:, None, None], normal.std(axis=1)[:, None, None]
    return ((terms - mean) / deviation).sum(axis=0)


_RNG = np.random.default_rng(5)
_NORMAL = _RNG.normal(size=(60, 3)) * [1.0, 4.0, 0.2] + [0.0, 2.0, 1.0]
_PIXELS = _RNG.random((2, 50)) * [[0.01], [30.0]]

EXERCISES: dict[str, Exercise] = {
    "1": Exercise(
        mahalanobis,
        "subtract the mean of the normal vectors; times np.linalg.inv(covariance); times the difference again",
        """
def my_mahalanobis(features, normal):
    centre = normal.mean(axis=0)
    covariance = (normal - centre).T @ (normal - centre) / len(normal)
    off = features - centre
    return np.sqrt(((off @ np.linalg.inv(covariance)) * off).sum(axis=1))
""",
        cases=[(_NORMAL[:4] + 1.0, _NORMAL), (_NORMAL[:2], _NORMAL[10:])],
        why="A step along a direction in which normal vectors hardly vary counts most.",
    ),
    "2": Exercise(
        2.5,
        "(value - mean) / deviation, for each of the two; then add",
        "my_sum = (0.02 - 0.01) / 0.005 + (3 - 2) / 2",
        why="The residual is the more unusual one, although its number is 150 times smaller.",
        wrong=[(3.02, "these are the raw values; bring each to standard deviations first")],
    ),
    "3": Exercise(
        [2.0, 4.0, 8.0, 16.0],
        "level 0 has half the sides of the image, and each level has half those of the one before",
        "my_steps = [2, 4, 8, 16]",
        why="So level 3 and the bottleneck speak of cells of 16 × 16 pixels.",
        wrong=[([1, 2, 4, 8], "level 0 is no longer the image: each level halves the sides, the first one too")],
    ),
    "4": Exercise(
        standardised_sum,
        "normal.mean(axis=1)[:, None, None] has the shape that subtracts from (K, H, W)",
        """
def my_fusion(terms, normal):
    mean = normal.mean(axis=1)[:, None, None]
    deviation = normal.std(axis=1)[:, None, None]
    return ((terms - mean) / deviation).sum(axis=0)
""",
        cases=[(_PIXELS[:, :12].reshape(2, 3, 4), _PIXELS), (2 * _PIXELS[:, 12:18].reshape(2, 2, 3), _PIXELS)],
        why="Both terms now have the same say, whatever their units were.",
    ),
}
