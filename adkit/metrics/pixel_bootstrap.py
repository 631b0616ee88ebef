"""Bootstrap intervals of pixel metrics, by drawing whole images.

Pixels of one image are not independent, so images are drawn. Measuring a thousand test sets anew would take minutes;
instead each image becomes a row of counts over a few thousand bins of score, and a drawn test set is a product of
draw counts with these rows. The intervals' ends carry the bins' error, about 1e-4; the value is exact.
"""

import numpy as np

from adkit.metrics import steps as formulas
from adkit.metrics.bootstrap import Interval, check_draws, interval_of
from adkit.metrics.inputs import Images, as_images
from adkit.metrics.pixel import PixelMetrics, pixel_metrics
from adkit.metrics.regions import collect_pixels
from adkit.metrics.steps import Steps

METRICS = ("auroc", "ap", "pro", "f1_max")
BINS = 2048
_CHUNK = 50  # draws measured at once: keeps the arrays inside the cache


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
    drawn = _drawn_metrics(masks, maps, _draws(masks, n, seed), fpr_limit)
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
        draws = _draws(checked, n, seed) if draws is None else draws
        exact.append(pixel_metrics(checked, maps, fpr_limit))
        drawn.append(_drawn_metrics(checked, maps, draws, fpr_limit))
    return {name: interval_of(_difference(*exact, name), drawn[0][name] - drawn[1][name], level) for name in METRICS}


def _difference(a: PixelMetrics, b: PixelMetrics, name: str) -> float:
    return getattr(a, name) - getattr(b, name)


def _draws(masks: list[np.ndarray], n: int, seed: int) -> np.ndarray:
    """(n, N) how often each image is drawn, defective and normal images apart."""
    rng = np.random.default_rng(seed)
    defective = np.array([mask.any() for mask in masks])
    draws = np.zeros((n, len(masks)))
    for group in (defective, ~defective):
        size = np.count_nonzero(group)
        if size:
            draws[:, group] = rng.multinomial(size, np.full(size, 1 / size), size=n)
    return draws


def _drawn_metrics(
    masks: list[np.ndarray], maps: list[np.ndarray], draws: np.ndarray, fpr_limit: float
) -> dict[str, np.ndarray]:
    """Metric → (n,) its value on each drawn set."""
    edges, mixed = _bins(masks, maps)
    counts = [_histograms(mask, scores, edges) for mask, scores in zip(masks, maps, strict=True)]
    normal, defective, overlap = (np.stack(rows)[:, ::-1] for rows in zip(*counts, strict=True))  # highest first
    rising = defective.any(axis=0)
    chunks = []
    for part in np.array_split(draws, -(-len(draws) // _CHUNK)):
        fp = (part @ normal).cumsum(axis=1)
        summed = (part @ overlap[:, rising]).cumsum(axis=1)
        steps = Steps(
            threshold=edges[::-1][rising],
            fp_above=formulas.shifted(fp)[:, rising],
            fp=fp[:, rising],
            tp=(part @ defective[:, rising]).cumsum(axis=1),
            overlap=summed / summed[:, -1:],
            normals=fp[:, -1],
            mixed=mixed[::-1][rising],
        )
        chunks.append(_measure(steps, fpr_limit))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in METRICS}


def _measure(steps: Steps, fpr_limit: float) -> dict[str, np.ndarray]:
    return {
        "auroc": formulas.auroc(steps),
        "ap": formulas.average_precision(steps),
        "pro": formulas.pro(steps, fpr_limit),
        "f1_max": formulas.f1_scores(steps).max(axis=-1),
    }


def _bins(masks: list[np.ndarray], maps: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lower edges of bins that hold about equally many defective or equally many normal pixels, and which are mixed.

    A score so frequent that it fills a bin gets one of its own, which is then a tie and not mixed.
    """
    pixels = collect_pixels(masks, maps)
    pools = pixels.normal, np.sort(pixels.defective)
    picks = [pool[np.linspace(0, pool.size - 1, min(pool.size, BINS // 2)).astype(int)] for pool in pools]
    frequent = [np.nextafter(pick[1:], np.inf, dtype=pick.dtype)[pick[1:] == pick[:-1]] for pick in picks]
    edges = np.unique(np.concatenate([*picks, *frequent]))
    low, high = np.full(edges.size, np.inf), np.full(edges.size, -np.inf)
    for pool in pools:
        starts = np.searchsorted(pool, edges)
        ends = np.append(starts[1:], pool.size)
        some = ends > starts
        low[some] = np.minimum(low[some], pool[starts[some]])
        high[some] = np.maximum(high[some], pool[ends[some] - 1])
    return edges, low < high


def _histograms(mask: np.ndarray, scores: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one image, by bin: normal pixels, defective pixels, and the overlap summed over its regions."""
    pixels = collect_pixels([mask], [scores])
    below = np.searchsorted(pixels.normal, edges)
    bins = np.searchsorted(edges, pixels.defective, side="right") - 1
    return (
        np.diff(below, append=pixels.normal.size).astype(np.float64),
        np.bincount(bins, minlength=edges.size).astype(np.float64),
        np.bincount(bins, weights=pixels.weights, minlength=edges.size),
    )
