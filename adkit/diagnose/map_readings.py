"""Readings of normal images: what the maps, the scores and both thresholds do where there is nothing to find.

Readings of the test part: decisions, ranking, what would rank better, and whether maps and masks lie together.
"""

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from adkit import metrics, scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.calibration import image_threshold, pixel_threshold
from adkit.detectors.prediction import Predictions
from adkit.diagnose.alignment import Alignment, align
from adkit.diagnose.readings import ABOVE, BELOW, NOTED, Evidence, Limits, Reading

TOP = 1e-3  # maxima of maps within so much of the highest, relative, are one and the same


def of_normals(detector: Detector, inside: list[np.ndarray], scores: Sequence[float], limits: Limits) -> Evidence:
    """What thresholds and maps do to normal images; ``inside``: the foreground pixels of each map."""
    pixels, scores = np.concatenate(inside), np.array(scores)
    tops = np.array([one.max() for one in inside if one.size])
    share = float((pixels >= detector.pixel_threshold).mean())
    promised = [1 - detector.settings[name] / 100 for name in ("pixel_percentile", "percentile")]
    low, middle, high = np.percentile(scores, [5, 50, 95])
    flagged = float((scores >= detector.threshold).mean())
    return {
        "share_above": Reading("share of normal maps above the pixel threshold", share, limits.share_above, ABOVE),
        "broken_promise": Reading(
            "normal pixels or images above their threshold, by what its percentile promises",
            max(share / promised[0], flagged / promised[1]), limits.broken_promise, ABOVE,
        ),
        "same_top": Reading(
            "share of normal maps that end at the same value", float((tops >= tops.max() * (1 - TOP)).mean()),
            limits.same_top, ABOVE,
        ),
        "flagged_normals": Reading("share of normal images flagged", flagged, limits.flagged_normals, ABOVE),
        "score_width": Reading("width of the normal scores, 5 to 95 %, by their median", ratio(high - low, middle)),
    }  # fmt: skip


def of_threshold(detector: Detector, validation: AnomalyDataset, scores: Sequence[float], limits: Limits) -> Evidence:
    """Whether the image threshold lies among the scores; where it does not, whether it fits maps before smoothing."""
    far = ratio(detector.threshold, max(scores))
    evidence = {
        "threshold_over_normals": Reading(
            "image threshold by the highest score of a normal image", far, limits.threshold_over_normals, ABOVE
        )
    }
    name = "both thresholds and those of maps before smoothing, larger by smaller"
    if not evidence["threshold_over_normals"].trips:
        reading = Reading(name, None, note="the threshold lies among the scores")
    elif not getattr(detector.settings, "smoothing", 0):
        reading = Reading(name, None, note="this method has no smoothing to leave out")
    else:
        reading = Reading(name, _distance_to_raw(detector, validation), limits.raw_match, BELOW)
    return evidence | {"raw_threshold": reading}


def _distance_to_raw(detector: Detector, validation: AnomalyDataset) -> float:
    """The larger of the two factors between its thresholds and those that it would have had without smoothing."""
    raw, settings = with_smoothing(detector, 0.0), detector.settings
    maps, scores = raw.judge_items(validation)
    by_maximum = getattr(settings, "score", "max") == "max"
    with warnings.catch_warnings(action="ignore"):  # that there are few images was said when it was fitted
        unsmoothed = image_threshold(validation, maps, scores, settings["percentile"], by_maximum).value
    image = ratio(detector.threshold, unsmoothed)
    pixel = ratio(detector.pixel_threshold, pixel_threshold(validation, maps, settings["pixel_percentile"]))
    return max(image, ratio(1, image), pixel, ratio(1, pixel))


def with_smoothing(detector: Detector, sigma: float) -> Detector:
    """The detector with another smoothing and its old thresholds."""
    changed = copy.copy(detector)
    changed.settings = replace(detector.settings, smoothing=sigma)
    return changed


def ratio(above: float, below: float) -> float:
    """A quotient; 0 where the lower number is 0."""
    return float(above / below) if below else 0.0


SMOOTHINGS = (2.0, 4.0, 8.0)  # pixels: tried where the ROC is stuck


def of_test(detector: Detector, judged: Predictions | None, limits: Limits) -> Evidence:
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
    detector: Detector, test: AnomalyDataset | None, judged: Predictions | None, evidence: Evidence, limits: Limits
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
        if method != getattr(detector.settings, "score", "max")
    }
    best = max(by_score, key=by_score.get)
    found = {"better_score": Reading(names["better_score"], by_score[best] - own, limits.better_score, ABOVE, best)}
    tried = [sigma for sigma in SMOOTHINGS if sigma < getattr(detector.settings, "smoothing", 0)]
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


def align_maps(judged: Predictions) -> Alignment | None:
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
