"""Every reading of a diagnosis: of latent codes, reconstructions, maps and scores, the test part and the history."""

from dataclasses import dataclass

import numpy as np

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.diagnose.alignment import Alignment
from adkit.diagnose.latent_statistics import MOST, Codes, read_codes
from adkit.diagnose.map_readings import align_maps, of_alignment, of_better_ways, of_normals, of_test, of_threshold
from adkit.diagnose.plateau import SCORE, plateau
from adkit.diagnose.readings import ABOVE, BELOW, NOTED, Evidence, Limits, Reading
from adkit.diagnose.reconstruction_readings import Reconstruction, read_redrawing

FEW = 200_000  # pixels of the normal maps that a figure is drawn from


@dataclass(frozen=True)
class Material:
    """What the figure of a diagnosis is drawn from.

    Attributes:
        codes: latent codes of normals, or None.
        reconstruction: reconstructions of normals, or None.
        pixels: some of the values of the normal maps.
        scores: of the items of the validation part.
        test_scores, test_labels: of the images of the test part, or None.
        alignment: of maps and masks, or None.
        threshold, pixel_threshold: of the detector.
    """

    codes: Codes | None
    reconstruction: Reconstruction | None
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
) -> tuple[Evidence, Material]:  # fmt: skip
    """All readings by key, and what they were taken from."""
    maps, scores = detector.judge_items(validation)
    inside = [one[validation.foreground(i)].numpy() for i, one in enumerate(maps)]
    codes, reconstruction = read_codes(detector, validation), read_redrawing(detector, validation)
    judged = None if test is None else detector.predict_dataset(test)
    alignment = None if judged is None else align_maps(judged)
    evidence = _of_codes(codes, limits) | _of_redrawing(reconstruction, limits)
    evidence |= of_normals(detector, inside, scores, limits) | of_threshold(detector, validation, scores, limits)
    evidence |= of_test(detector, judged, limits) | _of_history(history, limits)
    evidence |= of_better_ways(detector, test, judged, evidence, limits) | of_alignment(alignment, limits)
    pixels = np.concatenate(inside)
    tested = (None, None) if judged is None else (judged.scores, judged.labels)
    material = Material(
        codes, reconstruction, pixels[:: max(1, len(pixels) // FEW)].copy(), np.array(scores), *tested, alignment,
        detector.threshold, detector.pixel_threshold,
    )  # fmt: skip
    return evidence, material


def _of_codes(codes: Codes | None, limits: Limits) -> Evidence:
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
    notes["mutual_information"] = f"at most log of {min(len(codes.mu), MOST)} codes"
    return {key: Reading(name, values[key], *rest, notes.get(key, "")) for key, (name, *rest) in rows.items()}


def _of_redrawing(reconstruction: Reconstruction | None, limits: Limits) -> Evidence:
    names = {
        "variance_ratio": ("variance of reconstructions by that of inputs", limits.variance_ratio, BELOW),
        "gain_over_mean": ("gain over drawing the mean image", limits.gain_over_mean, BELOW),
        "gain_over_blur": ("gain over a blur of 2 pixels", None, NOTED),
        "kept": ("share of a drawn defect that is copied", limits.kept, ABOVE),
    }
    if reconstruction is None:
        return {key: Reading(name, None, note="it draws nothing") for key, (name, _, _) in names.items()}
    return {key: Reading(name, getattr(reconstruction, key), *rest) for key, (name, *rest) in names.items()}


def _of_history(history: list[dict] | None, limits: Limits) -> Evidence:
    """How long it was trained, and the plateau test: of a score over epochs where there is one, else of the loss."""
    key = SCORE if history and SCORE in history[-1] else "validation"
    values = [row[key] for row in history or [] if row.get(key) is not None]
    scale = 1.0 if key == SCORE or not values else max(abs(values[-1]), 1e-12)  # of a loss: relative to its end
    limit = limits.score_drift if key == SCORE else limits.drift
    rest = plateau([value / scale for value in values], limit)
    name = f"drift of {key} over the last half of training"
    if rest is None:
        drift = Reading(name, None, note=f"{len(values)} validations, needs 4")
    else:
        beyond_noise = 0.0 if rest.flat else abs(rest.drift)
        verdict = f"{'at rest' if rest.flat else 'still moving'}, at {rest.level * scale:.3g}"
        drift = Reading(name, beyond_noise, limit, ABOVE, verdict)
    steps = history[-1].get("step") if history else None
    note = "" if steps is not None else "needs history"
    return {"steps": Reading("steps of training", steps, limits.steps, BELOW, note), "plateau": drift}
