"""Many bootstrap test sets measured at once.

Measuring a thousand resampled test sets anew would take minutes. Instead each image becomes a row of counts over two
thousand bins of score, and the counts of a resampled set are a product: how often it holds each image, times these
rows. Labels and scores of whole images are few enough for a bin each, and exact.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993: chapter 6 (resampling), chapter 20 (a resample
as multinomial counts). Counting in bins is ours; it costs about 1e-4 of a metric.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

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
    return counts_of_groups([bool(mask.any()) for mask in masks], (True, False), n, seed)


def counts_of_groups(group_of: Sequence, groups: Sequence[Hashable], n: int, seed: int) -> np.ndarray:
    """How often each image is in each resampled test set; every group is drawn for itself, and keeps its number.

    Args:
        group_of: (N,) the group of each image.
        groups: all of them, in the order in which they are drawn.
        n: number of resampled sets, at least 1.
        seed: integer; another seed draws other bootstrap samples.

    Returns:
        (n, N) float64 of whole numbers.

    Example:
        >>> counts = counts_of_groups(["good", "good", "torn"], ["torn", "good"], n=50, seed=0)
        >>> counts[:, :2].sum(axis=1).tolist() == [2.0] * 50, counts[:, 2].tolist() == [1.0] * 50
        (True, True)
    """
    rng = np.random.default_rng(seed)
    counts = np.zeros((n, len(group_of)))
    for group in groups:
        inside = np.array([each == group for each in group_of], dtype=bool)
        if size := np.count_nonzero(inside):
            counts[:, inside] = rng.multinomial(size, np.full(size, 1 / size), size=n)
    return counts


@dataclass(frozen=True)
class ScoreTable:
    """A test set as counts: a row an image, a column a bin of score, the highest bin first.

    Attributes:
        normal: (N, K) normal pixels of each image, or 1 for a normal image.
        defective: (N, K) defective pixels, or 1 for a defective image.
        overlap: (N, K) shares of regions, summed.
        threshold: (K,) lowest score of each bin.
        mixed: bool (K,), where a bin holds more than one score, so that their order is not known.
    """

    normal: np.ndarray
    defective: np.ndarray
    overlap: np.ndarray
    threshold: np.ndarray
    mixed: np.ndarray

    @classmethod
    def of_maps(cls, masks: list[np.ndarray], maps: list[np.ndarray]) -> "ScoreTable":
        """The pixels of images.

        Args:
            masks: N masks (H, W), bool; at least one has a True.
            maps: N maps of the same shapes, float32 or float64, higher = more anomalous.
        """
        return cls.of_bins(masks, maps, *_score_bins(masks, maps))

    @classmethod
    def of_bins(
        cls, masks: Iterable[np.ndarray], maps: Iterable[np.ndarray], edges: np.ndarray, mixed: np.ndarray
    ) -> "ScoreTable":
        """The pixels of images, in bins that are known; the images may come one after another.

        Args:
            masks: N masks (H, W), bool.
            maps: N maps of the same shapes.
            edges: (K,) lower edges of the bins, rising; the first is the lowest score.
            mixed: bool (K,), where a bin holds more than one score.
        """
        histograms = [_image_histograms(mask, scores, edges) for mask, scores in zip(masks, maps, strict=True)]
        normal, defective, overlap = (np.stack(rows)[:, ::-1] for rows in zip(*histograms, strict=True))
        return cls(normal, defective, overlap, edges[::-1], mixed[::-1])

    @classmethod
    def of_labels(cls, labels: np.ndarray, scores: np.ndarray) -> "ScoreTable":
        """Whole images, each a score; exact.

        Args:
            labels: (N,) bool or 0 and 1, 1 = anomalous.
            scores: (N,) float, higher = more anomalous.
        """
        values, bins = np.unique(scores, return_inverse=True)
        rows = np.eye(values.size)[bins][:, ::-1]
        defective = rows * np.asarray(labels, dtype=bool)[:, None]
        return cls(rows - defective, defective, defective, values[::-1], np.zeros(values.size, dtype=bool))

    def measure(
        self,
        counts: np.ndarray,
        fpr_limit: float = 0.3,
        rows: Sequence[int] | None = None,
        names: Sequence[str] = PIXEL_METRICS,
    ) -> dict[str, np.ndarray]:
        """Metrics of resampled test sets.

        Args:
            counts: (n, N), how often each image is in each of them.
            fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].
            rows: numbers of the images that count, such as those of one defect type and the normal ones; None: all.
            names: of ``PIXEL_METRICS``.

        Returns:
            Each name → (n,) values in [0, 1], NaN where a set holds no normal or no defective image of these.
        """
        rows = np.arange(len(self.normal)) if rows is None else np.asarray(rows)
        rising = self.defective[rows].any(axis=0)
        parts = self.normal[rows], self.defective[np.ix_(rows, rising)], self.overlap[np.ix_(rows, rising)]
        chosen, chunks = counts[:, rows], []
        for part in np.array_split(chosen, -(-len(chosen) // _CHUNK)):
            fp, tp, overlap = (part @ each for each in parts)
            chunks.append(self._measure(fp.cumsum(axis=1), tp, overlap, rising, fpr_limit, names))
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in names}

    def _measure(
        self,
        fp: np.ndarray,
        tp: np.ndarray,
        overlap: np.ndarray,
        rising: np.ndarray,
        fpr_limit: float,
        names: Sequence[str],
    ) -> dict[str, np.ndarray]:
        tp, overlap = tp.cumsum(axis=1), overlap.cumsum(axis=1)
        known = (fp[:, -1] > 0) & (tp[:, -1] > 0)
        fp, tp, overlap = fp[known], tp[known], overlap[known]
        points = OperatingPoints(
            threshold=self.threshold[rising],
            fp_above=formulas.shifted(fp)[:, rising],
            fp=fp[:, rising],
            tp=tp,
            overlap=overlap / overlap[:, -1:],
            normals=fp[:, -1],
            mixed=self.mixed[rising],
        )
        found = {name: np.full(known.shape, np.nan) for name in names}
        for name, values in found.items():
            values[known] = _FORMULAS[name](points, fpr_limit)
        return found


_FORMULAS = {
    "auroc": lambda points, fpr_limit: formulas.roc_area(points),
    "ap": lambda points, fpr_limit: formulas.mean_precision(points),
    "pro": formulas.pro_area,
    "f1_max": lambda points, fpr_limit: formulas.f1_scores(points).max(axis=-1),
}


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
    return ScoreTable.of_maps(masks, maps).measure(counts, fpr_limit)


def centred(resampled: np.ndarray, counted: float, exact: float) -> np.ndarray:
    """Resampled values without the error of the bins, as far as the test set itself shows it.

    Without it the interval of a perfect map, all of whose draws are counted as 0.9999, would miss its own value, 1.

    Args:
        resampled: (n,) values in [0, 1], from bins.
        counted: the value of the test set itself, from the same bins.
        exact: the value of the test set itself.
    """
    return np.clip(resampled + (exact - counted), 0.0, 1.0)


def streamed_bins(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bins as of images in memory, from the fine bins that streaming them has left.

    Args:
        rows: of :meth:`adkit.metrics.StreamingPixelMetrics.rows`.

    Returns:
        Lower edges (K,) of bins that hold about equally many defective or equally many normal pixels, and which of them
        hold more than one score.
    """
    chosen = [np.zeros(1, dtype=np.int64)]
    for kind in ("normal", "defective"):
        ends = rows[kind].cumsum()
        if ends[-1]:
            wanted = np.linspace(0, ends[-1] - 1, min(int(ends[-1]), BINS // 2)).astype(np.int64)
            chosen.append(np.searchsorted(ends, wanted, side="right"))
    # a bin of one score that is two quantiles in a row stands alone, as of images in memory
    places = np.concatenate(chosen)
    often, times = np.unique(places, return_counts=True)
    alone = often[(times > 2) & (rows["low"][often] == rows["high"][often])]
    starts = np.unique(np.concatenate([places, alone + 1]))
    starts = starts[starts < len(rows)]
    lasts = np.append(starts[1:], len(rows)) - 1
    return rows["low"][starts], rows["low"][starts] < rows["high"][lasts]


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
