"""A time series taken apart: what is regular in it, what is noise. Anomalies change one part, and the rest stays."""

from dataclasses import dataclass

import numpy as np

POINTS = 192  # of a series: one for each column of the plot
LIMIT = 3.2  # the vertical axis goes from -LIMIT to LIMIT, in every plot


@dataclass
class Series:
    """values = baseline + amplitude · (sin φ + harmonic · sin 2φ) + noise.

    Attributes:
        baseline: (POINTS,), level and trend.
        phase: φ in radians, (POINTS,).
        noise: (POINTS,).
        amplitude: of the season.
        harmonic: height of the second wave beside the first.
        sigma: standard deviation of the noise.
    """

    baseline: np.ndarray
    phase: np.ndarray
    noise: np.ndarray
    amplitude: float
    harmonic: float
    sigma: float

    @property
    def values(self) -> np.ndarray:
        """The series, (POINTS,)."""
        season = np.sin(self.phase) + self.harmonic * np.sin(2 * self.phase)
        return self.baseline + self.amplitude * season + self.noise


def random_series(rng: np.random.Generator) -> Series:
    """A normal series: a season of 2.5 to 5 periods, a little trend, a little noise.

    Args:
        rng: decides all of it.
    """
    time = np.linspace(0, 1, POINTS)
    sigma = rng.uniform(0.04, 0.1)
    return Series(
        baseline=rng.normal(0, 0.2) + rng.uniform(-0.6, 0.6) * (time - 0.5),
        phase=2 * np.pi * (rng.uniform(2.5, 5) * time + rng.random()),
        noise=rng.normal(0, sigma, POINTS),
        amplitude=rng.uniform(0.7, 1.2),
        harmonic=rng.uniform(0, 0.35),
        sigma=sigma,
    )
