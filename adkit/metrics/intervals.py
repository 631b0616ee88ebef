"""Bootstrap intervals: how much a number would move with other test images of the same kind.

Those of pixel metrics resample whole images, since the pixels of one image are not independent. The value is exact; the
ends of the interval carry the error of ``adkit.metrics.resampling``, less than 1e-4.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from adkit.metrics.inputs import Images, as_images, to_numpy
from adkit.metrics.pixel import PixelMetrics, pixel_metrics
from adkit.metrics.resampling import PIXEL_METRICS, ScoreTable, bootstrap_counts, centred


@dataclass(frozen=True)
class Interval:
    """A value, and the range in which a bootstrap puts it.

    Attributes:
        value: measured on the test set itself.
        low: lower end of the interval, in the unit of the value.
        high: upper end.

    Example:
        >>> print(Interval(0.91, 0.88, 0.94))
        0.910 [0.880, 0.940]
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(
    statistic: Callable[..., float], *arrays: Images, n: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Percentile interval of ``statistic(*arrays)`` by drawing samples with replacement.

    All arrays are resampled by the same rows, so truth and scores stay together. A resample that the statistic refuses
    with a ValueError (one without a class), or for which it returns NaN, is left out: the interval is that of the
    resamples with both classes.

    Args:
        statistic: takes the arrays, returns a number.
        *arrays: equal in length along the first axis; one row is one independent sample (an image, not a tile).
        n: number of resamples, at least 2.
        seed: integer; another seed draws other bootstrap samples.
        level: share of the resamples inside the interval, in (0, 1).

    Raises:
        ValueError: if arrays are empty or unequal in length, ``n`` or ``level`` is out of range, the statistic
            refuses the arrays themselves, or it refuses more than half of the resamples.

    Example:
        >>> from adkit.metrics import auroc
        >>> interval = bootstrap(auroc, [0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.8, 0.9])
        >>> round(interval.value, 3), interval.low < interval.value < interval.high
        (0.889, True)
    """
    check_draws(n, level)
    arrays = _equally_long(arrays)
    rng, size = np.random.default_rng(seed), len(arrays[0])
    resamples = (rng.integers(size, size=size) for _ in range(n))
    values = [_value_or_nan(statistic, [array[rows] for array in arrays]) for rows in resamples]
    return interval_of(float(statistic(*arrays)), np.array(values), level)


def paired_bootstrap(
    statistic: Callable[..., float],
    truth: Images,
    a: Images,
    b: Images,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of ``statistic(truth, a) - statistic(truth, b)`` when both are measured on the same resamples.

    Two methods rise and fall together with the images, so this interval is narrower than two separate ones would
    suggest; the difference counts as shown where it excludes 0.

    Args:
        statistic: takes truth and scores, returns a number.
        truth: (N, ...) one row a sample, as the statistic takes it.
        a: (N, ...) scores of the first method.
        b: (N, ...) scores of the second method.
        n: number of resamples, at least 2.
        seed: integer; another seed draws other bootstrap samples.
        level: share of the resamples inside the interval, in (0, 1).

    Raises:
        ValueError: as ``bootstrap``.

    Example:
        >>> from adkit.metrics import auroc
        >>> paired_bootstrap(auroc, [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], [0.1, 0.2, 0.8, 0.9])
        Interval(value=0.0, low=0.0, high=0.0)
    """

    def difference(truth: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
        return statistic(truth, a) - statistic(truth, b)

    return bootstrap(difference, truth, a, b, n=n, seed=seed, level=level)


def pixel_bootstrap(
    masks: Images, maps: Images, n: int = 1000, seed: int = 0, level: float = 0.95, fpr_limit: float = 0.3
) -> dict[str, Interval]:
    """Percentile intervals of pixel AUROC, AP, PRO and F1-max.

    Images are drawn with replacement, defective and normal ones apart, so that every resample has as many of each as
    the test set: their proportion is the designer's choice, not chance, and no resample is without a region.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes, higher = more anomalous.
        n: number of resamples, at least 2.
        seed: integer; another seed draws other bootstrap samples.
        level: share of the resamples inside the interval, in (0, 1).
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Returns:
        ``auroc``, ``ap``, ``pro`` and ``f1_max`` → interval. With one defective image it only shows the spread that
        the normal images add.

    Raises:
        ValueError: as ``pixel_metrics``, or if ``n`` or ``level`` is out of range.

    Example:
        >>> import numpy as np
        >>> masks = np.zeros((4, 8, 8), dtype=bool)
        >>> masks[:2, 2:4, 2:4] = True
        >>> maps = masks + np.random.default_rng(0).normal(size=masks.shape)
        >>> pro = pixel_bootstrap(masks, maps, n=50)["pro"]
        >>> pro.low <= pro.value <= pro.high
        True
    """
    check_draws(n, level)
    masks, maps = as_images(masks, maps)
    exact = pixel_metrics(masks, maps, fpr_limit)
    resampled = _resampled(masks, maps, exact, n, seed)
    return {name: interval_of(getattr(exact, name), resampled[name], level) for name in PIXEL_METRICS}


def paired_pixel_bootstrap(
    masks: Images,
    maps_a: Images,
    maps_b: Images,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    fpr_limit: float = 0.3,
) -> dict[str, Interval]:
    """Intervals of the differences a - b of pixel metrics, both measured on the same resampled images.

    A difference counts as shown where its interval excludes 0.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps_a: scores of the first method, of the same shapes.
        maps_b: scores of the second method, of the same shapes.
        n: number of resamples, at least 2.
        seed: integer; another seed draws other bootstrap samples.
        level: share of the resamples inside the interval, in (0, 1).
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Returns:
        ``auroc``, ``ap``, ``pro`` and ``f1_max`` → interval of the difference, in [-1, 1].

    Raises:
        ValueError: as ``pixel_bootstrap``.

    Example:
        >>> import numpy as np
        >>> masks = np.zeros((4, 8, 8), dtype=bool)
        >>> masks[:2, 2:4, 2:4] = True
        >>> noise = np.random.default_rng(0).normal(size=masks.shape)
        >>> paired_pixel_bootstrap(masks, 4 * masks + noise, noise, n=50)["auroc"].low > 0
        True
    """
    check_draws(n, level)
    exact, resampled = [], []
    for maps in (maps_a, maps_b):
        checked, maps = as_images(masks, maps)
        exact.append(pixel_metrics(checked, maps, fpr_limit))
        # the same seed draws the same images for both
        resampled.append(_resampled(checked, maps, exact[-1], n, seed))
    return {
        name: interval_of(
            getattr(exact[0], name) - getattr(exact[1], name), resampled[0][name] - resampled[1][name], level
        )
        for name in PIXEL_METRICS
    }


def check_draws(n: int, level: float) -> None:
    """Refuse a bootstrap that cannot give an interval.

    Args:
        n: number of resamples.
        level: share of the resamples inside the interval.

    Raises:
        ValueError: if ``n`` is below 2 or ``level`` outside (0, 1).
    """
    if n < 2:
        raise ValueError(f"n must be at least 2 draws, got {n}; 1000 is usual")
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}; 0.95 is usual")


def interval_of(value: float, resampled: np.ndarray, level: float) -> Interval:
    """The middle part of the resampled values, NaN left out.

    Args:
        value: measured on the test set itself.
        resampled: (n,) the value of each resample, NaN where it could not be measured.
        level: share of the resamples inside the interval, in (0, 1).

    Raises:
        ValueError: if more than half of the resampled values are NaN.
    """
    measured = resampled[~np.isnan(resampled)]
    if 2 * measured.size < resampled.size:
        raise ValueError(
            f"only {measured.size} of {resampled.size} draws could be measured: a class is too rare for a bootstrap; "
            "add images of it, or report the value without an interval"
        )
    low, high = np.quantile(measured, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def _resampled(
    masks: list[np.ndarray], maps: list[np.ndarray], exact: PixelMetrics, n: int, seed: int
) -> dict[str, np.ndarray]:
    """Pixel metrics of n resampled sets, (n,) each by name."""
    table = ScoreTable.of_maps(masks, maps)
    itself = table.measure(np.ones((1, len(masks))), exact.fpr_limit)
    drawn = table.measure(bootstrap_counts(masks, n, seed), exact.fpr_limit)
    return {name: centred(drawn[name], itself[name][0], getattr(exact, name)) for name in PIXEL_METRICS}


def _equally_long(arrays: tuple[Images, ...]) -> list[np.ndarray]:
    arrays = [to_numpy(array) for array in arrays]
    lengths = [array.shape[0] if array.ndim else 0 for array in arrays]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(f"arrays must be equal in length and not empty, got lengths {lengths}")
    return arrays


def _value_or_nan(statistic: Callable[..., float], arrays: list[np.ndarray]) -> float:
    try:
        return float(statistic(*arrays))
    except ValueError:
        return np.nan
