"""Every reading of a diagnosis: of latent codes, reconstructions, maps and scores, the test part and the history."""

from dataclasses import dataclass

import numpy as np

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.diagnose.alignment import Alignment
from adkit.diagnose.latent_statistics import MOST, Codes, read_codes
from adkit.diagnose.map_readings import (
    align_maps,
    alignment_readings,
    normal_readings,
    remedy_readings,
    test_readings,
    threshold_readings,
)
from adkit.diagnose.plateau import SCORE, plateau
from adkit.diagnose.readings import ABOVE, BELOW, NOTED, Evidence, Limits, Reading
from adkit.diagnose.reconstruction_readings import NormalReconstructions, read_reconstructions

SAMPLED_PIXELS = 200_000  # of the normal maps, kept for a figure


@dataclass(frozen=True)
class FigureData:
    """What the figure of a diagnosis shows.

    Attributes:
        codes: latent codes of normals, or None.
        reconstruction: reconstructions of normals, or None.
        pixels: some of the values of the normal maps, (P,).
        scores: of the items of the validation part, (N,).
        test_scores, test_labels: of the images of the test part, (M,) each, or None.
        alignment: of maps and masks, or None.
        threshold, pixel_threshold: of the detector.
    """

    codes: Codes | None
    reconstruction: NormalReconstructions | None
    pixels: np.ndarray
    scores: np.ndarray
    test_scores: np.ndarray | None
    test_labels: np.ndarray | None
    alignment: Alignment | None
    threshold: float
    pixel_threshold: float


def gather(
    detector: Detector, validation: AnomalyDataset, history: list[dict] | None, test: AnomalyDataset | None,
    limits: Limits,
) -> tuple[Evidence, FigureData]:  # fmt: skip
    """All readings by key, and what they were taken from.

    Args:
        detector: a fitted detector.
        validation: normal images that it was not trained on.
        history: rows of its training, or None.
        test: labelled images, or None.
        limits: what the readings are compared with.
    """
    maps, scores = detector.judge_items(validation)
    inside = [a_map[validation.foreground(i)].numpy() for i, a_map in enumerate(maps)]
    codes, reconstruction = read_codes(detector, validation), read_reconstructions(detector, validation)
    judged = None if test is None else detector.predict_dataset(test)
    alignment = None if judged is None else align_maps(judged)
    evidence = _code_readings(codes, limits) | _reconstruction_readings(reconstruction, limits)
    evidence |= normal_readings(detector, inside, scores, limits)
    evidence |= threshold_readings(detector, validation, scores, limits)
    evidence |= test_readings(detector, judged, limits) | _history_readings(history, limits)
    evidence |= remedy_readings(detector, test, judged, evidence, limits) | alignment_readings(alignment, limits)
    pixels = np.concatenate(inside)
    figure_data = FigureData(
        codes=codes,
        reconstruction=reconstruction,
        pixels=pixels[:: max(1, len(pixels) // SAMPLED_PIXELS)].copy(),
        scores=np.array(scores),
        test_scores=None if judged is None else judged.scores,
        test_labels=None if judged is None else judged.labels,
        alignment=alignment,
        threshold=detector.threshold,
        pixel_threshold=detector.pixel_threshold,
    )
    return evidence, figure_data


def _code_readings(codes: Codes | None, limits: Limits) -> Evidence:
    """Whether the latent code carries anything, and with how much noise."""
    rows = {
        "active_units": ("active latent dimensions, share", limits.active_units, BELOW),
        "kl_per_dimension": ("KL a dimension, nats", limits.kl_per_dimension, BELOW),
        "mutual_information": ("mutual information of z and image, nats", limits.mutual_information, BELOW),
        "noise": ("median σ²", limits.noise, BELOW),
        "mean_variance": ("mean σ²", None, NOTED),
    }
    if codes is None:
        return {key: Reading(name, None, note="no latent Gaussians") for key, (name, _, _) in rows.items()}
    values = {
        "active_units": float(codes.active.mean()),
        "kl_per_dimension": float(codes.kl.mean()),
        "mutual_information": codes.mutual_information,
        "noise": float(np.median(codes.variance)),
        "mean_variance": float(codes.variance.mean()),
    }
    notes = {"active_units": f"{int(codes.active.sum())} of {len(codes.active)}"}
    compared = min(len(codes.mu), MOST)
    bound = (
        "at least: the estimate has reached its ceiling, the" if codes.information_is_bound else "its ceiling is the"
    )
    notes["mutual_information"] = f"{bound} log of {compared} codes"
    return {key: Reading(name, values[key], *rest, notes.get(key, "")) for key, (name, *rest) in rows.items()}


def _reconstruction_readings(reconstruction: NormalReconstructions | None, limits: Limits) -> Evidence:
    """What the network makes of normal images and of synthetic defects."""
    rows = {
        "variance_ratio": ("variance of reconstructions by that of inputs", limits.variance_ratio, BELOW),
        "gain_over_mean": ("gain over the mean image", limits.gain_over_mean, BELOW),
        "gain_over_blur": ("gain over a blur of 2 pixels", None, NOTED),
        "retention": ("share of a synthetic defect that is reconstructed", limits.retention, ABOVE),
    }
    if reconstruction is None:
        return {key: Reading(name, None, note="it reconstructs nothing") for key, (name, _, _) in rows.items()}
    return {key: Reading(name, getattr(reconstruction, key), *rest) for key, (name, *rest) in rows.items()}


def _history_readings(history: list[dict] | None, limits: Limits) -> Evidence:
    """How long it was trained, and the plateau test: of a score over epochs where there is one, else of the loss."""
    key = SCORE if history and SCORE in history[-1] else "validation"
    values = [row[key] for row in history or [] if row.get(key) is not None]
    # a loss has no unit of its own: its drift is relative to its end
    scale = 1.0 if key == SCORE or not values else max(abs(values[-1]), 1e-12)
    limit = limits.score_drift if key == SCORE else limits.drift
    rest = plateau([value / scale for value in values], limit)
    name = f"drift of {key} over the last half of training"
    if rest is None:
        drift = Reading(name, None, note=f"{len(values)} validations, needs 4")
    else:
        # a drift within twice the scatter about its line is none
        limit = max(limit, 2 * rest.noise)
        error = f" ± {rest.error:.2g}" if rest.error == rest.error else ""
        verdict = f"{rest.drift:+.3g}{error}, {'at rest' if rest.flat else 'still moving'}"
        drift = Reading(name, abs(rest.drift), limit, ABOVE, f"{verdict}, at {rest.level * scale:.3g}")
    steps = history[-1].get("step") if history else None
    note = "" if steps is not None else "needs history"
    return {"steps": Reading("steps of training", steps, limits.steps, BELOW, note), "plateau": drift}
