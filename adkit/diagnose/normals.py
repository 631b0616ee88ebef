"""Readings of normal images: what the maps, the scores and both thresholds do where there is nothing to find."""

import copy
import warnings
from collections.abc import Sequence

import numpy as np

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.calibration import image_threshold, pixel_threshold
from adkit.diagnose.limits import Limits
from adkit.diagnose.readings import ABOVE, BELOW, Evidence, Reading

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
    elif not detector.settings.get("smoothing"):
        reading = Reading(name, None, note="this method has no smoothing to leave out")
    else:
        reading = Reading(name, _distance_to_raw(detector, validation), limits.raw_match, BELOW)
    return evidence | {"raw_threshold": reading}


def _distance_to_raw(detector: Detector, validation: AnomalyDataset) -> float:
    """The larger of the two factors between its thresholds and those that it would have had without smoothing."""
    raw, settings = with_smoothing(detector, 0.0), detector.settings
    maps, scores = raw._judge_items(validation)
    by_maximum = settings.get("score", "max") == "max"
    with warnings.catch_warnings(action="ignore"):  # that there are few images was said when it was fitted
        unsmoothed = image_threshold(validation, maps, scores, settings["percentile"], by_maximum).value
    image = ratio(detector.threshold, unsmoothed)
    pixel = ratio(detector.pixel_threshold, pixel_threshold(validation, maps, settings["pixel_percentile"]))
    return max(image, ratio(1, image), pixel, ratio(1, pixel))


def with_smoothing(detector: Detector, sigma: float) -> Detector:
    """The detector with another smoothing and its old thresholds."""
    changed = copy.copy(detector)
    changed.settings = detector.settings | {"smoothing": sigma}
    return changed


def ratio(above: float, below: float) -> float:
    """A quotient; 0 where the lower number is 0."""
    return float(above / below) if below else 0.0
