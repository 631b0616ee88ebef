"""Many drawn test sets measured at once.

Measuring a thousand test sets anew would take minutes. Instead each image becomes a row of counts over two thousand
bins of score, and the counts of a drawn set are a product: how often each image was drawn, times these rows.
"""

import numpy as np

from adkit.metrics import operating_points as formulas
from adkit.metrics.components import collect_pixels
from adkit.metrics.operating_points import Steps

METRICS = ("auroc", "ap", "pro", "f1_max")
BINS = 2048
_CHUNK = 50  # draws measured at once: keeps the arrays inside the cache


def bootstrap_counts(masks: list[np.ndarray], n: int, seed: int) -> np.ndarray:
    """(n, N) how often each image is drawn, defective and normal images apart."""
    rng = np.random.default_rng(seed)
    defective = np.array([mask.any() for mask in masks])
    draws = np.zeros((n, len(masks)))
    for group in (defective, ~defective):
        size = np.count_nonzero(group)
        if size:
            draws[:, group] = rng.multinomial(size, np.full(size, 1 / size), size=n)
    return draws


def resampled_metrics(
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
