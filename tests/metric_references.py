"""Slow, plain references and score distributions for the tests of metrics."""

import numpy as np
from scipy import ndimage
from scipy.integrate import trapezoid
from scipy.special import expit


def slow_pro(masks, maps, fpr_limit):
    """PRO by its definition: every threshold, every region, in float64."""
    labels = [ndimage.label(mask, structure=np.ones((3, 3)))[0] for mask in masks]
    regions = [scores[each == k] for each, scores in zip(labels, maps, strict=True) for k in range(1, each.max() + 1)]
    normal = np.concatenate([scores[~mask] for mask, scores in zip(masks, maps, strict=True)])
    thresholds = np.unique(np.concatenate([scores.ravel() for scores in maps]))[::-1]
    fpr = np.array([0.0] + [(normal >= t).mean() for t in thresholds])
    pro = np.array([0.0] + [np.mean([(region >= t).mean() for region in regions]) for t in thresholds])
    k = np.argmax(fpr >= fpr_limit)  # the first point at the limit or beyond it
    end = pro[k - 1] + (pro[k] - pro[k - 1]) * (fpr_limit - fpr[k - 1]) / (fpr[k] - fpr[k - 1])
    return trapezoid(np.append(pro[:k], end), np.append(fpr[:k], fpr_limit)) / fpr_limit


def blobs(rng, count, height, width, defective):
    """(N, H, W) masks, the first ``defective`` of them with two or three rectangles or ellipses."""
    masks = np.zeros((count, height, width), dtype=bool)
    rows, columns = np.mgrid[:height, :width]
    for mask in masks[:defective]:
        for _ in range(rng.integers(2, 4)):
            y, x = rng.integers(height), rng.integers(width)
            b, a = rng.uniform(0.5, height / 5), rng.uniform(0.5, width / 5)
            mask |= ((rows - y) / b) ** 2 + ((columns - x) / a) ** 2 <= 1
    return masks


def single(values):
    """Rounded to float32: near 1 a sigmoid then has few distinct values, and most of the defective pixels."""
    return values.astype(np.float32).astype(np.float64)


DISTRIBUTIONS = {
    "uniform": lambda rng, masks: rng.random(masks.shape) + 0.3 * masks * rng.random(masks.shape),
    "saturated": lambda rng, masks: np.clip(rng.normal(0.5, 0.4, masks.shape) + 0.3 * masks, 0, 1),
    "sigmoid": lambda rng, masks: single(expit(single(8 * (rng.normal(size=masks.shape) + 1.5 * masks)))),
    "k-NN": lambda rng, masks: rng.normal(8, 0.15, masks.shape) + 0.2 * masks,
    "Cauchy": lambda rng, masks: rng.standard_cauchy(masks.shape) + 3 * masks,
    "lognormal": lambda rng, masks: np.exp(rng.normal(0, 3, masks.shape) + 3 * masks),
    "8 bits": lambda rng, masks: np.clip(rng.normal(90, 20, masks.shape) + 30 * masks, 0, 255).round() / 255,
    "3 levels": lambda rng, masks: np.clip(rng.normal(1, 0.5, masks.shape) + masks, 0, 2).round(),
}
