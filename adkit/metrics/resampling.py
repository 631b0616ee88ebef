"""Many bootstrap test sets measured at once.

Measuring a thousand resampled test sets anew would take minutes. Instead each image becomes a row of counts over two
thousand bins of score, and the counts of a resampled set are a product: how often it holds each image, times these
rows.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993: chapter 6 (resampling), chapter 20 (a resample
as multinomial counts). Counting in bins is ours; it costs about 1e-4 of a metric.
"""

import numpy as np

from adkit.metrics import operating_points as formulas
from adkit.metrics.components import collect_pixels
from adkit.metrics.operating_points import OperatingPoints

PIXEL_METRICS = ("auroc", "ap", "pro", "f1_max")
BINS = 2048
_CHUNK = 50  # resamples measured at once: keeps the arrays inside the cache


def bootstrap_counts(masks: list[np.ndarray], n: int, seed: int) -> np.ndarray:
    """How often each image is in each resampled test set; defective and normal images are drawn apart.

    Args:
        masks: N masks, bool, of any shape; an image is defective where its mask has a True.
        n: number of resampled sets, at least 1.
        seed: integer; another seed draws other bootstrap samples.

    Returns:
        (n, N) float64 of whole numbers. Each row sums to N, and keeps the numbers of defective and of normal images.
    """
    rng = np.random.default_rng(seed)
    defective = np.array([mask.any() for mask in masks])
    counts = np.zeros((n, len(masks)))
    for group in (defective, ~defective):
        size = np.count_nonzero(group)
        if size:
            counts[:, group] = rng.multinomial(size, np.full(size, 1 / size), size=n)
    return counts


def resampled_metrics(
    masks: list[np.ndarray], maps: list[np.ndarray], counts: np.ndarray, fpr_limit: float
) -> dict[str, np.ndarray]:
    """Pixel metrics of each resampled test set, to about 1e-4.

    Args:
        masks: N masks (H, W), bool; at least one has a True.
        maps: N maps of the same shapes, float32 or float64, higher = more anomalous.
        counts: (n, N) of ``bootstrap_counts``.
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Returns:
        Each of ``PIXEL_METRICS`` → (n,) its values in [0, 1].
    """
    edges, mixed = _score_bins(masks, maps)
    histograms = [_image_histograms(mask, scores, edges) for mask, scores in zip(masks, maps, strict=True)]
    normal, defective, overlap = (np.stack(rows)[:, ::-1] for rows in zip(*histograms, strict=True))  # highest first
    rising = defective.any(axis=0)
    chunks = []
    for part in np.array_split(counts, -(-len(counts) // _CHUNK)):
        fp = (part @ normal).cumsum(axis=1)
        summed = (part @ overlap[:, rising]).cumsum(axis=1)
        points = OperatingPoints(
            threshold=edges[::-1][rising],
            fp_above=formulas.shifted(fp)[:, rising],
            fp=fp[:, rising],
            tp=(part @ defective[:, rising]).cumsum(axis=1),
            overlap=summed / summed[:, -1:],
            normals=fp[:, -1],
            mixed=mixed[::-1][rising],
        )
        chunks.append(_measure(points, fpr_limit))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in PIXEL_METRICS}


def _measure(points: OperatingPoints, fpr_limit: float) -> dict[str, np.ndarray]:
    return {
        "auroc": formulas.roc_area(points),
        "ap": formulas.mean_precision(points),
        "pro": formulas.pro_area(points, fpr_limit),
        "f1_max": formulas.f1_scores(points).max(axis=-1),
    }


def _score_bins(masks: list[np.ndarray], maps: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lower edges of bins that hold about equally many defective or equally many normal pixels, and which are mixed."""
    pixels = collect_pixels(masks, maps)
    pools = pixels.normal, np.sort(pixels.defective)
    # Quantiles of both classes: a metric moves with shares of either class, not with score, so equal counts in a bin
    # keep its error small whatever the distribution.
    quantiles = [pool[np.linspace(0, pool.size - 1, min(pool.size, BINS // 2)).astype(int)] for pool in pools]
    # A score that is two quantiles in a row fills a bin. An edge right above it leaves it alone in its bin: a tie,
    # which is exact, where a mixed bin would spread so many pixels as if they were shuffled.
    above_ties = [np.nextafter(q[1:], np.inf, dtype=q.dtype)[q[1:] == q[:-1]] for q in quantiles]
    edges = np.unique(np.concatenate([*quantiles, *above_ties]))
    # A bin is mixed where more than one score fell into it, of whichever class: its own lowest and highest score say.
    low, high = np.full(edges.size, np.inf), np.full(edges.size, -np.inf)
    for pool in pools:
        starts = np.searchsorted(pool, edges)
        ends = np.append(starts[1:], pool.size)
        used = ends > starts
        low[used] = np.minimum(low[used], pool[starts[used]])
        high[used] = np.maximum(high[used], pool[ends[used] - 1])
    return edges, low < high


def _image_histograms(
    mask: np.ndarray, scores: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one image, by bin: normal pixels, defective pixels, and the overlap summed over its regions."""
    pixels = collect_pixels([mask], [scores])
    below = np.searchsorted(pixels.normal, edges)
    bins = np.searchsorted(edges, pixels.defective, side="right") - 1
    return (
        np.diff(below, append=pixels.normal.size).astype(np.float64),
        np.bincount(bins, minlength=edges.size).astype(np.float64),
        np.bincount(bins, weights=pixels.weights, minlength=edges.size),
    )
