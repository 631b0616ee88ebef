"""Where to cut: a score or pixel is called anomalous where ``score >= threshold``.

An honest threshold comes from held-out normal images. Otsu looks only at the values it cuts and always finds two
classes, even where there is one. F1-max looks at the truth of the test set: an oracle, to compare with.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from adkit.metrics.components import EIGHT_NEIGHBOURS, regions
from adkit.metrics.image import labelled_points
from adkit.metrics.inputs import Images, as_scores, as_truth, check_finite, flatten
from adkit.metrics.operating_points import f1_scores

FEW_SCORES = 20
FEW_WARNING = "the threshold rests on"  # how the warning of few scores begins
# of a threshold, how far it lies above a tie: more than float32 loses, so that scores of the tie stay below it
ABOVE = 1e-6
# so many times the promised share may be called anomalous because of a tie: of a million pixels a few are always equal
TOLERATED = 1.1


@dataclass(frozen=True)
class Threshold:
    """A percentile of normal scores, with the 95 % interval in which a bootstrap puts it.

    Attributes:
        value: the threshold, in the unit of the scores.
        low: lower end of the interval, in the same unit.
        high: upper end.
        n: number of scores that it rests on.
        q: the percentile, in [0, 100].

    Raises:
        ValueError: if any of them is no finite number.
    """

    value: float
    low: float
    high: float
    n: int
    q: float

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
                raise ValueError(f"{field.name} of a threshold must be a finite number, got {value!r}")

    @property
    def description(self) -> str:
        """How the threshold was made, in words."""
        return (
            f"percentile {self.q:g} of {self.n} scores of normal samples: {self.value:.4g} "
            f"(95 % bootstrap interval {self.low:.4g} to {self.high:.4g})"
        )

    def __float__(self) -> float:
        return self.value


def percentile(scores: Images, q: float = 95.0, n_bootstrap: int = 1000, seed: int = 0, ties: bool = True) -> Threshold:
    """The percentile of validation normals, and how far it would move with other ones.

    With few scores a high percentile rests on one or two of them, and the interval shows it. No resample is drawn: the
    k-th smallest of n scores drawn with replacement is the score at rank ``floor(n * U)``, U being the k-th smallest
    of n uniform numbers, which is Beta(k, n + 1 - k). So millions of pixel scores cost no more than one sort.

    Source: David and Nagaraja, "Order Statistics", 3rd edition, 2003, section 2.3 (the Beta distribution of uniform
    order statistics).

    Args:
        scores: scores of normal samples only, of any shape, or a list of arrays (pixel scores of unequal maps).
        q: percentile in [0, 100]; 95 lets 5 % of normal samples raise a false alarm. Where it falls on a tie that
            would break this promise, the threshold lies just above the tie.
        n_bootstrap: number of resamples, at least 2.
        seed: integer; another seed draws other bootstrap samples.
        ties: look for a tie; False where the scores are those of parts, which may share their maximum.

    Raises:
        ValueError: if scores are empty or not finite, or ``q`` or ``n_bootstrap`` is out of range.

    Warns:
        UserWarning: if there are fewer than 20 scores, or the percentile falls on a tie.

    Example:
        >>> threshold = percentile(range(101), q=95)
        >>> threshold.value, threshold.low < 95 < threshold.high
        (95.0, True)
        >>> print(threshold.description)
        percentile 95 of 101 scores of normal samples: 95 (95 % bootstrap interval 90 to 98)
    """
    ranked = np.sort(_checked_scores(flatten(scores)))
    n = ranked.size
    if not 0 <= q <= 100:
        raise ValueError(f"q must lie in [0, 100] percent, got {q}")
    if n_bootstrap < 2:
        raise ValueError(f"n_bootstrap must be at least 2 draws, got {n_bootstrap}; 1000 is usual")
    if n < FEW_SCORES:
        warnings.warn(
            f"{FEW_WARNING} {n} scores, fewer than {FEW_SCORES}: percentile {q:g} is about one of them; "
            "use more validation images, or tiles of them",
            stacklevel=2,
        )
    position = (n - 1) * q / 100
    # the percentile lies between this rank and the next
    below = min(int(position), max(n - 2, 0))
    above, share = min(below + 1, n - 1), position - below
    rng = np.random.default_rng(seed)
    first = rng.beta(below + 1, n - below, size=n_bootstrap)
    second = first + (1 - first) * rng.beta(1, max(n - below - 1, 1), size=n_bootstrap) if above > below else first
    lower, upper = (ranked[np.minimum((n * uniform).astype(np.int64), n - 1)] for uniform in (first, second))
    low, high = np.quantile(lower + share * (upper - lower), [0.025, 0.975])
    value = float(ranked[below] + share * (ranked[above] - ranked[below]))
    value = above_ties(value, ranked, q) if ties else value
    return Threshold(value, float(low), max(float(high), value), n, float(q))


def above_ties(value: float, scores: np.ndarray, q: float, what: str = "scores of normal samples") -> float:
    """A percentile that keeps its promise where many scores are equal.

    ``score >= value`` calls all of a tie anomalous where the percentile falls on it: of constant scores every one.
    Then the threshold lies just above the tie, so that at most the promised share of the scores reaches it.

    Args:
        value: percentile ``q`` of the scores.
        scores: (n,) finite, of normal samples.
        q: percentile in [0, 100].
        what: what the scores are; the warning says it.

    Returns:
        The value, or where too many scores reach it, one just above the tie.

    Warns:
        UserWarning: if more than a tenth of the scores would have been called anomalous.

    Example:
        >>> above_ties(1.0, np.array([1.0, 2.0, 3.0]), 0)
        1.0
        >>> with warnings.catch_warnings(action="ignore"):
        ...     0.5 < above_ties(0.5, np.full(40, 0.5), 95) < 0.5001
        True
    """
    n = scores.size
    # as many reach it where all scores differ
    promised = max(n - math.ceil((n - 1) * q / 100 - 1e-9), n * (1 - q / 100))
    reached = int((scores >= value).sum())
    if reached <= TOLERATED * promised or (scores == value).sum() < 2:
        return value
    higher = scores[scores > value]
    raised = value + max(ABOVE * abs(value), float(np.finfo(np.float32).tiny))
    raised = min(raised, float(higher.min())) if higher.size else raised
    if reached <= max(2 * promised + 1, n / 10):  # few scores, scores of few digits, or maps made of squares
        return raised
    warnings.warn(
        f"{reached - higher.size} of {n} {what} are equal, and percentile {q:g} falls on them ({value:.4g}): the "
        f"threshold lies above them, or {reached / n:.0%} would be called anomalous; scores that do not vary mean that "
        "the method sees nothing, that images repeat each other, or that a score was rounded",
        stacklevel=3,
    )
    return raised


def otsu(values: Images) -> float:
    """The cut that leaves two classes with the least variance inside; exact, over all cuts and not over 256 bins.

    It always splits: on normal scores alone it cuts normals in two, so it is no detector of whether there is a defect.

    Source: Otsu, "A Threshold Selection Method from Gray-Level Histograms", 1979.

    Args:
        values: scores of any shape and unit, or a list of arrays; at least two different ones.

    Returns:
        The middle between the two values beside the cut, in their unit.

    Raises:
        ValueError: if values are empty, not finite, or all equal.

    Example:
        >>> otsu([0.0, 0.1, 0.2, 0.8, 0.9])
        0.5
    """
    ranked = np.sort(_checked_scores(flatten(values)))
    if ranked[0] == ranked[-1]:
        raise ValueError(f"Otsu needs two different values, all {ranked.size} are {ranked[0]:g}")
    below = np.arange(1, ranked.size)  # samples under each cut
    summed = np.cumsum(ranked - ranked.mean())[:-1]
    between = summed**2 / (below * (ranked.size - below.astype(np.float64)))
    between[ranked[1:] == ranked[:-1]] = -1  # equal values stay together
    cut = int(between.argmax())
    return float(ranked[cut] + (ranked[cut + 1] - ranked[cut]) / 2)


def hysteresis(maps: ArrayLike, low: float, high: float) -> np.ndarray:
    """Pixels of at least ``low`` that are connected (8-connectivity) to a pixel of at least ``high``.

    Source: Canny, "A Computational Approach to Edge Detection", 1986, section VII.

    Args:
        maps: anomaly maps (H, W) or (N, H, W), of any unit.
        low: threshold for the extent of a defect, in the unit of the maps.
        high: threshold for its presence, at least ``low``.

    Returns:
        Bool, of the shape of ``maps``.

    Raises:
        ValueError: if maps are empty, not finite or of another shape, or ``low`` exceeds ``high``.

    Example:
        >>> hysteresis([[5, 2, 0, 2]], low=2, high=4).astype(int)
        array([[1, 1, 0, 0]])
    """
    maps = _checked_scores(maps)
    if maps.ndim not in (2, 3):
        raise ValueError(f"maps must be (H, W) or (N, H, W), got shape {maps.shape}")
    if not low <= high:
        raise ValueError(f"low must not exceed high, got low={low} and high={high}")
    structure = EIGHT_NEIGHBOURS if maps.ndim == 2 else np.pad(EIGHT_NEIGHBOURS[None], ((1, 1), (0, 0), (0, 0)))
    labels, count = ndimage.label(maps >= low, structure=structure)
    keep = np.zeros(count + 1, dtype=bool)
    keep[labels[maps >= high]] = True
    keep[0] = False
    return keep[labels]


def f1_oracle(labels: Images, scores: Images) -> float:
    """The threshold with the best F1 **on the truth it is given**: never choose one so for a report or a machine.

    Args:
        labels: 0 and 1 or bool, of any shape, or a list of arrays (labels of images, or masks).
        scores: of the same shape; higher = more anomalous.

    Returns:
        The highest of the best thresholds: the score of a defective sample.

    Raises:
        ValueError: if sizes differ, a class is missing, labels are not binary, or a score is NaN or infinite.

    Example:
        >>> f1_oracle([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.8])
        0.6
    """
    points = labelled_points(labels, scores)
    return float(points.threshold[f1_scores(points).argmax()])


def remove_small(masks: Images, area: int) -> np.ndarray | list[np.ndarray]:
    """Drop connected regions (8-connectivity) of fewer than ``area`` pixels.

    Args:
        masks: predictions (H, W), (N, H, W), or a list of (H, W) of unequal sizes; bool or 0 and 1.
        area: smallest area in pixels that stays, a whole number of at least 0.

    Returns:
        Bool, as the masks came: an array, or a list.

    Raises:
        ValueError: if masks are not binary or of another shape, or ``area`` is negative.

    Example:
        >>> remove_small(np.array([[1, 0, 1, 1]]), area=2).astype(int)
        array([[0, 0, 1, 1]])
    """
    if area < 0:
        raise ValueError(f"area must be at least 0 pixels, got {area}")
    if isinstance(masks, Sequence):
        return [remove_small(mask, area) for mask in masks]
    masks = as_truth(masks, "masks")
    if masks.ndim == 3:
        return np.stack([remove_small(mask, area) for mask in masks]) if len(masks) else masks
    labels, _ = regions(masks)
    keep = np.bincount(labels.ravel()) >= area
    keep[0] = False
    return keep[labels]


def _checked_scores(scores: ArrayLike) -> np.ndarray:
    scores = as_scores(scores).astype(np.float64)
    if not scores.size:
        raise ValueError("scores are empty: at least one is needed")
    check_finite(scores)
    return scores
