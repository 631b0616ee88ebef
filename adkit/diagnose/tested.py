"""Readings of the test part: decisions, ranking, what would rank better, and whether maps and masks lie together."""

import numpy as np
import torch

from adkit import metrics, scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.diagnose.alignment import Alignment, align
from adkit.diagnose.limits import Limits
from adkit.diagnose.normals import ratio, with_smoothing
from adkit.diagnose.readings import ABOVE, BELOW, NOTED, Evidence, Reading
from adkit.evaluation import Judged

SMOOTHINGS = (2.0, 4.0, 8.0)  # pixels: tried where the ROC is stuck


def of_test(detector: Detector, judged: Judged | None, limits: Limits) -> Evidence:
    """Decisions at the detector's own threshold, and how well scores and maps rank."""
    names = {
        "precision": "precision at the threshold", "recall": "recall at the threshold", "f1": "F1 at the threshold",
        "image_auroc": "ROC AUC of images", "pixel_auroc": "ROC AUC of pixels",
        "separation": "defective minus normal scores, in spreads of the normal ones",
    }  # fmt: skip
    if judged is None:
        return {key: Reading(name, None, note="needs test") for key, name in names.items()}
    flagged, truth = judged.scores >= detector.threshold, judged.labels == 1
    hits = int((flagged & truth).sum())
    known = [i for i, mask in enumerate(judged.masks) if mask is not None]
    masks, maps = ([part[i] for i in known] for part in (judged.masks, judged.maps))
    marked = any(mask.any() for mask in masks)
    low, middle, high = np.percentile(judged.scores[~truth], [25, 50, 75])
    values = {
        "precision": hits / max(int(flagged.sum()), 1),
        "recall": hits / int(truth.sum()),
        "f1": 2 * hits / (int(flagged.sum()) + int(truth.sum())),
        "image_auroc": metrics.auroc(judged.labels, judged.scores),
        "pixel_auroc": metrics.auroc(masks, maps) if marked else None,
        "separation": ratio(float(np.median(judged.scores[truth])) - middle, high - low),
    }
    compared = {"f1": (limits.f1, BELOW), "image_auroc": (limits.auroc, BELOW), "pixel_auroc": (limits.auroc, BELOW)}
    notes = {"precision": f"{int(flagged.sum())} of {len(flagged)} flagged"}
    notes |= {} if marked else {"pixel_auroc": "no mask with a defect in it"}
    return {
        key: Reading(name, values[key], *compared.get(key, (None, NOTED)), note=notes.get(key, ""))
        for key, name in names.items()
    }


def of_better_ways(
    detector: Detector, test: AnomalyDataset | None, judged: Judged | None, evidence: Evidence, limits: Limits
) -> Evidence:
    """Where the images' ROC is stuck: would another score of the same maps, or less smoothing, part them better?"""
    names = {"better_score": "ROC AUC gained by another score", "better_smoothing": "ROC AUC gained by less smoothing"}
    own = evidence["image_auroc"].value
    if judged is None or not evidence["image_auroc"].trips:
        note = "needs test" if judged is None else "the ROC is not stuck"
        return {key: Reading(name, None, note=note) for key, name in names.items()}
    by_score = {
        method: metrics.auroc(judged.labels, _scores(judged.maps, method))
        for method in scoring.SCORE_METHODS
        if method != detector.settings.get("score", "max")
    }
    best = max(by_score, key=by_score.get)
    found = {"better_score": Reading(names["better_score"], by_score[best] - own, limits.better_score, ABOVE, best)}
    tried = [sigma for sigma in SMOOTHINGS if sigma < detector.settings.get("smoothing", 0)]
    if not tried:
        return found | {"better_smoothing": Reading(names["better_smoothing"], None, note="there is hardly any")}
    by_sigma = {
        sigma: metrics.auroc(judged.labels, with_smoothing(detector, sigma).judge_images(test)[1]) for sigma in tried
    }
    best = max(by_sigma, key=by_sigma.get)
    gain, note = by_sigma[best] - own, f"{best:g} pixels"
    return found | {"better_smoothing": Reading(names["better_smoothing"], gain, limits.better_smoothing, ABOVE, note)}


def _scores(maps: list[np.ndarray], method: str) -> list[float]:
    return [float(scoring.image_score(torch.from_numpy(one)[None], method)) for one in maps]


def align_maps(judged: Judged) -> Alignment | None:
    """Where the masks of a test part fit its maps best; None where it has no mask with a defect in it."""
    marked = [i for i, mask in enumerate(judged.masks) if mask is not None and mask.any()]
    return align(*([part[i] for i in marked] for part in (judged.maps, judged.masks))) if marked else None


def of_alignment(alignment: Alignment | None, limits: Limits) -> Evidence:
    """By how much the masks would fit better if they were moved."""
    names = {
        "shift": "pixels by which maps lie beside the masks",
        "shift_gain": "fit of maps and masks gained by that shift, in standard deviations",
    }
    if alignment is None:
        return {key: Reading(name, None, note="needs test images with masks") for key, name in names.items()}
    way = f"{alignment.dy:+d} down, {alignment.dx:+d} right"
    return {
        "shift": Reading(names["shift"], alignment.distance, limits.shift, ABOVE, way),
        "shift_gain": Reading(
            names["shift_gain"], alignment.there - alignment.here, limits.shift_gain, ABOVE,
            f"{alignment.here:.1f} as they lie",
        ),
    }  # fmt: skip
