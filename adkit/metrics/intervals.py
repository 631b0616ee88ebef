"""Bootstrap intervals: how much a number would move with other test images of the same kind.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals).

Bootstrap intervals of pixel metrics, by drawing whole images: pixels of one image are not independent.

The value is exact; the ends of the interval carry the error of ``adkit.metrics.resampling``, about 1e-4.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from adkit.metrics.inputs import Images, as_images, to_numpy
from adkit.metrics.pixel import PixelMetrics, pixel_metrics
from adkit.metrics.resampling import METRICS, bootstrap_counts, resampled_metrics


@dataclass(frozen=True)
class Interval:
    """A value, and the range in which a bootstrap puts it.

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

    All arrays are drawn by the same rows, so truth and scores stay together. A draw that the statistic refuses with a
    ValueError (one that has left a class empty), or for which it returns NaN, is left out: the interval is that of
    the draws with both classes.

    Args:
        statistic: takes the arrays, returns a number.
        *arrays: equal in length along the first axis; one row is one independent sample (an image, not a tile).
        n: number of draws.
        seed: of the draws.
        level: share of draws inside the interval, in (0, 1).

    Raises:
        ValueError: if arrays are empty or unequal in length, ``n`` or ``level`` is out of range, the statistic
            refuses the arrays themselves, or it refuses more than half of the draws.

    Example:
        >>> from adkit.metrics import auroc
        >>> interval = bootstrap(auroc, [0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.8, 0.9])
        >>> round(interval.value, 3), interval.low < interval.value < interval.high
        (0.889, True)
    """
    check_draws(n, level)
    arrays = _checked(arrays)
    draws = [_value_or_nan(statistic, [array[rows] for array in arrays]) for rows in _rows(len(arrays[0]), n, seed)]
    return interval_of(float(statistic(*arrays)), np.array(draws), level)


def paired_bootstrap(
    statistic: Callable[..., float],
    truth: Images,
    a: Images,
    b: Images,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of ``statistic(truth, a) - statistic(truth, b)`` when both are measured on the same drawn samples.

    Two methods rise and fall together with the images, so this interval is narrower than two separate ones would
    suggest; the difference counts as shown where it excludes 0. Args and Raises are those of ``bootstrap``.

    Example:
        >>> from adkit.metrics import auroc
        >>> paired_bootstrap(auroc, [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], [0.1, 0.2, 0.8, 0.9])
        Interval(value=0.0, low=0.0, high=0.0)
    """

    def difference(truth: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
        return statistic(truth, a) - statistic(truth, b)

    return bootstrap(difference, truth, a, b, n=n, seed=seed, level=level)


def check_draws(n: int, level: float) -> None:
    """Refuse a bootstrap that cannot give an interval.

    Raises:
        ValueError: if ``n`` is below 2 or ``level`` outside (0, 1).
    """
    if n < 2:
        raise ValueError(f"n must be at least 2 draws, got {n}; 1000 is usual")
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}; 0.95 is usual")


def interval_of(value: float, draws: np.ndarray, level: float) -> Interval:
    """The middle ``level`` of the draws, NaN left out.

    Raises:
        ValueError: if more than half of the draws are NaN.
    """
    kept = draws[~np.isnan(draws)]
    if 2 * kept.size < draws.size:
        raise ValueError(
            f"only {kept.size} of {draws.size} draws could be measured: a class is too rare for a bootstrap; "
            "add images of it, or report the value without an interval"
        )
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def _checked(arrays: tuple[Images, ...]) -> list[np.ndarray]:
    arrays = [to_numpy(array) for array in arrays]
    lengths = [array.shape[0] if array.ndim else 0 for array in arrays]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(f"arrays must be equal in length and not empty, got lengths {lengths}")
    return arrays


def _rows(size: int, n: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    return (rng.integers(size, size=size) for _ in range(n))


def _value_or_nan(statistic: Callable[..., float], arrays: list[np.ndarray]) -> float:
    try:
        return float(statistic(*arrays))
    except ValueError:
        return np.nan


def pixel_bootstrap(
    masks: Images, maps: Images, n: int = 1000, seed: int = 0, level: float = 0.95, fpr_limit: float = 0.3
) -> dict[str, Interval]:
    """Percentile intervals of pixel AUROC, AP, PRO and F1-max.

    Images are drawn with replacement, defective and normal ones apart, so that every drawn set has as many of each as
    the test set: their proportion is the designer's choice, not chance, and no draw is without a region.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes.
        n: number of draws.
        seed: of the draws.
        level: share of draws inside the interval, in (0, 1).
        fpr_limit: in (0, 1].

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
    drawn = resampled_metrics(masks, maps, bootstrap_counts(masks, n, seed), fpr_limit)
    return {name: interval_of(getattr(exact, name), drawn[name], level) for name in METRICS}


def paired_pixel_bootstrap(
    masks: Images,
    maps_a: Images,
    maps_b: Images,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    fpr_limit: float = 0.3,
) -> dict[str, Interval]:
    """Intervals of the differences a - b, both measured on the same drawn images.

    A difference counts as shown where its interval excludes 0. Args and Raises are those of ``pixel_bootstrap``.

    Example:
        >>> import numpy as np
        >>> masks = np.zeros((4, 8, 8), dtype=bool)
        >>> masks[:2, 2:4, 2:4] = True
        >>> noise = np.random.default_rng(0).normal(size=masks.shape)
        >>> paired_pixel_bootstrap(masks, 4 * masks + noise, noise, n=50)["auroc"].low > 0
        True
    """
    check_draws(n, level)
    draws, exact, drawn = None, [], []
    for maps in (maps_a, maps_b):
        checked, maps = as_images(masks, maps)
        draws = bootstrap_counts(checked, n, seed) if draws is None else draws
        exact.append(pixel_metrics(checked, maps, fpr_limit))
        drawn.append(resampled_metrics(checked, maps, draws, fpr_limit))
    return {name: interval_of(_difference(*exact, name), drawn[0][name] - drawn[1][name], level) for name in METRICS}


def _difference(a: PixelMetrics, b: PixelMetrics, name: str) -> float:
    return getattr(a, name) - getattr(b, name)
