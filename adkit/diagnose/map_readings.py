"""Readings of normal images: what the maps, the scores and both thresholds do where there is nothing to find.

Readings of the test part: decisions, ranking, what would rank better, and whether maps and masks lie together.
"""

from collections.abc import Sequence

import numpy as np
import torch

from adkit import metrics, scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.prediction import Predictions
from adkit.diagnose.adapter import recalibrated
from adkit.diagnose.alignment import Alignment, align
from adkit.diagnose.readings import ABOVE, BELOW, NOTED, Evidence, Limits, Reading

TOP = 1e-3  # maxima of maps within so much of the highest, relative, are one and the same
SMOOTHINGS = (2.0, 4.0, 8.0)  # pixels: tried where the ROC is stuck


def normal_readings(detector: Detector, inside: list[np.ndarray], scores: Sequence[float], limits: Limits) -> Evidence:
    """What thresholds and maps do to normal images.

    Args:
        detector: a fitted detector.
        inside: for each image the map values of its foreground pixels, (P,) each.
        scores: one an image.
        limits: what the readings are compared with.
    """
    pixels, scores = np.concatenate(inside), np.array(scores)
    tops = np.array([values.max() for values in inside if values.size])
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
        "score_width": Reading("width of the normal scores, 5 to 95 %, by their median", quotient(high - low, middle)),
    }  # fmt: skip


def threshold_readings(
    detector: Detector, validation: AnomalyDataset, scores: Sequence[float], limits: Limits
) -> Evidence:
    """Whether the image threshold lies among the scores; where it does not, whether it fits maps before smoothing.

    Args:
        detector: a fitted detector.
        validation: normal images.
        scores: one an image.
        limits: what the readings are compared with.
    """
    far = quotient(detector.threshold, max(scores))
    evidence = {
        "threshold_over_normals": Reading(
            "image threshold by the highest score of a normal image", far, limits.threshold_over_normals, ABOVE
        )
    }
    name = "both thresholds and those of maps before smoothing, larger by smaller"
    if not evidence["threshold_over_normals"].exceeds_limit:
        reading = Reading(name, None, note="the threshold lies among the scores")
    elif not _smoothing(detector):
        reading = Reading(name, None, note="this method has no smoothing to leave out")
    else:
        reading = Reading(name, _distance_to_raw(detector, validation), limits.raw_match, BELOW)
    return evidence | {"raw_threshold": reading}


def _distance_to_raw(detector: Detector, validation: AnomalyDataset) -> float:
    """The larger of the two factors between its thresholds and those that it would have had without smoothing."""
    raw = recalibrated(detector, validation, smoothing=0.0)
    image, pixel = quotient(detector.threshold, raw.threshold), quotient(detector.pixel_threshold, raw.pixel_threshold)
    return max(image, quotient(1, image), pixel, quotient(1, pixel))


def _smoothing(detector: Detector) -> float:
    """Pixels by which its maps are smoothed; 0 too where that cannot be changed without a training."""
    return getattr(detector.settings, "smoothing", 0.0) if "smoothing" in detector.without_training else 0.0


def quotient(above: float, below: float) -> float:
    """A quotient; 0 where the lower number is 0.

    Example:
        >>> quotient(3, 2), quotient(3, 0)
        (1.5, 0.0)
    """
    return float(above / below) if below else 0.0


def test_readings(detector: Detector, judged: Predictions | None, limits: Limits) -> Evidence:
    """Decisions at the detector's own threshold, and how well scores and maps rank.

    Args:
        detector: a fitted detector.
        judged: maps, masks, scores and labels of the test part; None: there is none.
        limits: what the readings are compared with.
    """
    names = {
        "precision": "precision at the threshold", "recall": "recall at the threshold", "f1": "F1 at the threshold",
        "image_auroc": "ROC AUC of images", "pixel_auroc": "ROC AUC of pixels",
        "separation": "defective minus normal scores, in spreads of the normal ones",
    }  # fmt: skip
    if judged is None:
        return {key: Reading(name, None, note="needs test") for key, name in names.items()}
    flagged, truth = judged.scores >= detector.threshold, judged.labels == 1
    hits = int((flagged & truth).sum())
    with_mask = [i for i, mask in enumerate(judged.masks) if mask is not None]
    masks, maps = ([part[i] for i in with_mask] for part in (judged.masks, judged.maps))
    marked = any(mask.any() for mask in masks)
    low, middle, high = np.percentile(judged.scores[~truth], [25, 50, 75])
    values = {
        "precision": hits / max(int(flagged.sum()), 1),
        "recall": hits / int(truth.sum()),
        "f1": 2 * hits / (int(flagged.sum()) + int(truth.sum())),
        "image_auroc": metrics.auroc(judged.labels, judged.scores),
        "pixel_auroc": metrics.auroc(masks, maps) if marked else None,
        "separation": quotient(float(np.median(judged.scores[truth])) - middle, high - low),
    }
    compared = {"f1": (limits.f1, BELOW), "image_auroc": (limits.auroc, BELOW), "pixel_auroc": (limits.auroc, BELOW)}
    notes = {"precision": f"{int(flagged.sum())} of {len(flagged)} flagged"}
    notes |= {} if marked else {"pixel_auroc": "no mask with a defect in it"}
    return {
        key: Reading(name, values[key], *compared.get(key, (None, NOTED)), note=notes.get(key, ""))
        for key, name in names.items()
    }


def remedy_readings(
    detector: Detector, test: AnomalyDataset | None, judged: Predictions | None, evidence: Evidence, limits: Limits
) -> Evidence:
    """Where the images' ROC is stuck: would another score of the same maps, or less smoothing, part them better?

    Args:
        detector: a fitted detector.
        test: labelled images; None: there are none.
        judged: their maps, scores and labels; None as ``test`` is.
        evidence: what :func:`test_readings` returned.
        limits: what the readings are compared with.
    """
    names = {"better_score": "ROC AUC gained by another score", "better_smoothing": "ROC AUC gained by less smoothing"}
    if judged is None or not evidence["image_auroc"].exceeds_limit:
        note = "needs test" if judged is None else "the ROC is not stuck"
        return {key: Reading(name, None, note=note) for key, name in names.items()}
    auroc_by_score = {
        method: metrics.auroc(judged.labels, _scores(judged.maps, method))
        for method in scoring.SCORE_METHODS
        if method != getattr(detector.settings, "score", "max")
    }
    auroc_by_smoothing = {
        f"{sigma:g} pixels": metrics.auroc(judged.labels, detector.with_settings(smoothing=sigma).judge_images(test)[1])
        for sigma in SMOOTHINGS
        if sigma < _smoothing(detector)
    }
    own, readings = evidence["image_auroc"].value, {}
    for key, aurocs in {"better_score": auroc_by_score, "better_smoothing": auroc_by_smoothing}.items():
        if aurocs:
            best = max(aurocs, key=aurocs.get)
            readings[key] = Reading(names[key], aurocs[best] - own, getattr(limits, key), ABOVE, best)
        else:
            readings[key] = Reading(names[key], None, note="there is hardly any")
    return readings


def _scores(maps: list[np.ndarray], method: str) -> list[float]:
    return [float(scoring.image_score(torch.from_numpy(a_map)[None], method)) for a_map in maps]


def align_maps(judged: Predictions) -> Alignment | None:
    """Where the masks of a test part fit its maps best; None where it has no mask with a defect in it.

    Args:
        judged: maps and masks of the test part.
    """
    marked = [i for i, mask in enumerate(judged.masks) if mask is not None and mask.any()]
    return align(*([part[i] for i in marked] for part in (judged.maps, judged.masks))) if marked else None


def alignment_readings(alignment: Alignment | None, limits: Limits) -> Evidence:
    """By how much the masks would fit better if they were moved.

    Args:
        alignment: of the test part; None: it has no masks, or there is none.
        limits: what the readings are compared with.
    """
    names = {
        "shift": "pixels by which maps lie beside the masks",
        "shift_gain": "fit of maps and masks gained by that shift, in standard deviations",
    }
    if alignment is None:
        return {key: Reading(name, None, note="needs test images with masks") for key, name in names.items()}
    direction = f"{alignment.dy:+d} down, {alignment.dx:+d} right"
    gain, unmoved = alignment.fit_moved - alignment.fit_unmoved, f"{alignment.fit_unmoved:.1f} as they lie"
    return {
        "shift": Reading(names["shift"], alignment.distance, note=direction),
        "shift_gain": Reading(names["shift_gain"], gain, limits.shift_gain, ABOVE, unmoved),
    }
