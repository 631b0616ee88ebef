"""Nine things that go wrong with a time series.

Each function takes a series, which it may change, and a generator that decides where and how much. It returns the
changed values (POINTS,), NaN where nothing was measured, and the points, bool (POINTS,), at which an observer would
say: here.
"""

from collections.abc import Callable

import numpy as np

from adkit.data.plots.series import POINTS, Series

Changed = tuple[np.ndarray, np.ndarray]
Anomaly = Callable[[Series, np.random.Generator], Changed]

JUMP_REACH = 4  # points on both sides of a jump of the phase that belong to it


def spike(series: Series, rng: np.random.Generator) -> Changed:
    """One to three points far off.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    values, points = series.values, _span(rng, 1, 4)
    values[points] += _away(values[points].mean()) * rng.uniform(1.2, 2.0)
    return values, points


def level_shift(series: Series, rng: np.random.Generator) -> Changed:
    """From some point on, everything lies higher or lower.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    points = _from(rng, 0.3, 0.7)
    series.baseline = series.baseline + points * _away(series.baseline.mean()) * rng.uniform(0.8, 1.3)
    return series.values, points


def trend_change(series: Series, rng: np.random.Generator) -> Changed:
    """From some point on, the trend is another, with a kink.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    points = _from(rng, 0.3, 0.6)
    rise = np.cumsum(points) / points.sum()
    series.baseline = series.baseline + rise * _away(series.baseline.mean()) * rng.uniform(1.3, 1.8)
    return series.values, points & (rise > 0.1)


def variance_change(series: Series, rng: np.random.Generator) -> Changed:
    """For a while the noise is much stronger.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    points = _span(rng, 0.2 * POINTS, 0.4 * POINTS)
    series.noise = np.where(points, series.noise * rng.uniform(0.3, 0.5) / series.sigma, series.noise)
    return series.values, points


def missing_span(series: Series, rng: np.random.Generator) -> Changed:
    """For a while nothing was measured: a gap in the line.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    points = _span(rng, 0.06 * POINTS, 0.15 * POINTS)
    return np.where(points, np.nan, series.values), points


def frequency_change(series: Series, rng: np.random.Generator) -> Changed:
    """For a while the season runs about twice as fast, by whole periods, so that it goes on as before.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    points = _span(rng, 0.3 * POINTS, 0.45 * POINTS)
    periods = points.mean() * (series.phase[-1] - series.phase[0]) / (2 * np.pi)
    extra = max(1, round(rng.uniform(0.9, 1.6) * periods))
    series.phase = series.phase + 2 * np.pi * extra * np.cumsum(points) / points.sum()
    return series.values, points


def saturation(series: Series, rng: np.random.Generator) -> Changed:
    """The sensor has a limit: tops, or bottoms, are cut flat.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    sign = rng.choice([-1, 1])
    signed = sign * series.values
    limit = np.quantile(signed, rng.uniform(0.6, 0.75))
    return sign * np.minimum(signed, limit), signed > limit + 0.05


def drift(series: Series, rng: np.random.Generator) -> Changed:
    """The level slowly wanders off, in half of the plot, and does not come back.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    start, width = rng.uniform(0.1, 0.35), rng.uniform(0.4, 0.6)
    progress = np.clip((np.linspace(0, 1, POINTS) - start) / width, 0, 1)
    wandered = (1 - np.cos(np.pi * progress)) / 2
    series.baseline = series.baseline + wandered * _away(series.baseline.mean()) * rng.uniform(1.1, 1.6)
    return series.values, wandered > 0.1


def phase_jump(series: Series, rng: np.random.Generator) -> Changed:
    """The season breaks off and goes on from another place; the break is where it shows most within one period.

    Args:
        series: normal; its parts may be changed in place.
        rng: decides where and how much.
    """
    before, phase = series.values, series.phase
    series.phase = phase + rng.uniform(0.6, 1.4) * np.pi
    after = series.values
    period = round(POINTS * 2 * np.pi / (phase[-1] - phase[0]))
    first = int(rng.uniform(0.2 * POINTS, 0.8 * POINTS - period))
    at = first + int(np.abs(after - before)[first : first + period].argmax())
    point = np.arange(POINTS)
    return np.where(point < at, before, after), np.abs(point - at + 0.5) < JUMP_REACH


ANOMALIES: dict[str, Anomaly] = {
    anomaly.__name__: anomaly
    for anomaly in (
        spike,
        level_shift,
        trend_change,
        variance_change,
        missing_span,
        frequency_change,
        saturation,
        drift,
        phase_jump,
    )
}


def _span(rng: np.random.Generator, shortest: float, longest: float) -> np.ndarray:
    """Some neighbouring points away from both ends, bool (POINTS,)."""
    length = int(rng.uniform(shortest, longest))
    first = rng.integers(POINTS // 8, POINTS * 7 // 8 - length)
    point = np.arange(POINTS)
    return (point >= first) & (point < first + length)


def _from(rng: np.random.Generator, earliest: float, latest: float) -> np.ndarray:
    """All points from some point on, bool (POINTS,)."""
    return np.arange(POINTS) >= rng.uniform(earliest, latest) * POINTS


def _away(value: float) -> int:
    """The direction with more room on the axis."""
    return -1 if value > 0 else 1
