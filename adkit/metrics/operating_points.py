"""The one computation behind every metric: what happens at each distinct score of a defective pixel.

Only there can the true positives, the recall or the region overlap change. Going from the highest score down, a step
``k`` leads from ``(fp_above[k], tp[k - 1])`` to ``(fp[k], tp[k])``; between two steps only false positives are added.
So normal scores need to be sorted but never ranked one by one, and the integrals below are sums over steps.

All arrays end in the axis of steps, (..., K), so one call serves one test set or a thousand resamples of it.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Steps:
    """Counts around the distinct defective scores, highest first.

    A step is *mixed* where it stands for an interval of scores (a histogram bin) whose inner order is not known.
    """

    threshold: np.ndarray  # (K,) the score; of a mixed step the lowest one
    fp_above: np.ndarray  # (..., K) normals that score above the step
    fp: np.ndarray  # (..., K) normals that score in it or above
    tp: np.ndarray  # (..., K) defectives that score in it or above
    overlap: np.ndarray  # (..., K) mean over regions of the share that scores in it or above, up to 1
    normals: np.ndarray | int  # (...) number of normals
    mixed: np.ndarray | bool = False  # (K,)

    @property
    def tp_above(self) -> np.ndarray:
        """(..., K) defectives that score above the step."""
        return shifted(self.tp)


def exact_steps(normal: np.ndarray, defective: np.ndarray, weights: np.ndarray | None = None) -> Steps:
    """Steps of scores themselves, ties merged.

    Args:
        normal: (N,) scores of normal samples, ascending.
        defective: (P,) scores of defective samples in any order.
        weights: (P,) weight of each in ``overlap``; equal weights where None.

    Raises:
        ValueError: if there is no normal or no defective sample.
    """
    check_classes(normal.size, defective.size)
    order = np.argsort(defective)[::-1]
    ranked = defective[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of each group of ties
    threshold, tp = ranked[last], last + 1.0
    summed = tp if weights is None else np.cumsum(weights[order])[last]
    return Steps(
        threshold=threshold,
        fp_above=normal.size - np.searchsorted(normal, threshold, side="right").astype(np.float64),
        fp=normal.size - np.searchsorted(normal, threshold, side="left").astype(np.float64),
        tp=tp,
        overlap=summed / summed[-1],
        normals=normal.size,
    )


def check_classes(normals: int, defectives: int) -> None:
    """Refuse a set that lacks a class.

    Raises:
        ValueError: if it has no normal or no defective sample.
    """
    if not normals:
        raise ValueError("no normal pixel or image: false positives cannot be counted; add defect-free images")
    if not defectives:
        raise ValueError("no defective pixel, region or image: recall cannot be measured; add images with defects")


def shifted(cumulative: np.ndarray) -> np.ndarray:
    """The value before each step: (..., K) moved by one, with 0 in front."""
    return np.concatenate([np.zeros_like(cumulative[..., :1]), cumulative[..., :-1]], axis=-1)


def area_under(steps: Steps, height: np.ndarray, fpr_limit: float = 1.0) -> np.ndarray:
    """Area under ``height`` over FPR from 0 to the limit, divided by the limit.

    The curve starts at (0, 0), is straight from point to point, and is interpolated at the limit. With recall as the
    height this is AUROC, with the overlap it is PRO.

    Args:
        steps: the steps.
        height: (..., K) in [0, 1], the curve's value after each step.
        fpr_limit: in (0, 1].
    """
    limit = np.asarray(fpr_limit * steps.normals)[..., None]
    start, end = np.minimum(steps.fp_above, limit), np.minimum(steps.fp, limit)
    before = shifted(height)
    flat = before * (start - shifted(end))
    width = np.maximum(steps.fp - steps.fp_above, 1)
    slope = (end - start) * (before + (height - before) * (end - start) / (2 * width))
    rest = height[..., -1] * (limit[..., 0] - end[..., -1])
    return ((flat + slope).sum(axis=-1) + rest) / limit[..., 0]


def auroc(steps: Steps) -> np.ndarray:
    """Area under the ROC curve, ties counted half."""
    return area_under(steps, steps.tp / steps.tp[..., -1:])


def pro(steps: Steps, fpr_limit: float) -> np.ndarray:
    """Normalised area under the per-region overlap curve up to the FPR limit."""
    return area_under(steps, steps.overlap, fpr_limit)


def average_precision(steps: Steps) -> np.ndarray:
    """Sum over steps of recall gained times precision there; no interpolation (scikit-learn's definition).

    In a mixed step normals and defectives are taken as evenly shuffled: the mean of the precision at its first and
    at its last defective.
    """
    gained = steps.tp - steps.tp_above
    precision = ratio(steps.tp, steps.tp + steps.fp)
    if np.any(steps.mixed):
        spaced = (steps.fp - steps.fp_above) / (gained + 1)  # normals between two defectives of the step
        first = ratio(steps.tp_above + 1, steps.tp_above + 1 + steps.fp_above + spaced)
        last = ratio(steps.tp, steps.tp + steps.fp_above + gained * spaced)
        precision = np.where(steps.mixed, (first + last) / 2, precision)
    return (gained * precision).sum(axis=-1) / steps.tp[..., -1]


def f1_scores(steps: Steps) -> np.ndarray:
    """(..., K) F1 of ``score >= threshold`` at each step."""
    return 2 * steps.tp / (steps.tp + steps.fp + steps.tp[..., -1:])


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole`` of counts, 0 where both are 0."""
    return part / np.maximum(whole, 1)
