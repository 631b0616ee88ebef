"""Knobs that cause each failure of the playbook, so that notebook, tests and matrix break things the same way.

A cause either changes the settings of a training, or spoils a detector that was trained well. Undoing it is the cure.
"""

import copy
import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import Tensor

from adkit.data import AnomalyDataset, Splits
from adkit.detectors.base import Detector
from adkit.detectors.calibration import image_threshold, pixel_threshold
from adkit.detectors.registry import detector_class
from adkit.scoring import gaussian_smooth
from adkit.scoring.thresholds import Threshold

RECIPES = {  # healthy, and small enough for a lesson: the recommended recipes, named in full, with 400 steps
    "autoencoder": {
        "width": 16, "latent": 32, "skip": "concat", "defects": "recommended", "repair": 1.0, "loss": "0.31*l1",
        "crop": 64, "steps": 400, "batch_size": 16, "learning_rate": 3e-3, "smoothing": 4.0,
    },
    "vae": {
        "widths": [16, 32, 64], "latent_dim": 64, "beta": 0.02, "annealing": "linear", "warmup": 0.3, "loss": "mse",
        "crop": 32, "steps": 400, "batch_size": 32, "learning_rate": 8e-3, "flips": False, "smoothing": 2.5,
    },
}  # fmt: skip
HEALTHY = {  # name → method and changes to its recipe: runs in which nothing should be found
    "U-Net": ("autoencoder", {}),
    "VAE": ("vae", {}),
    "VAE, no annealing": ("vae", {"annealing": "none"}),
}
WIDE = 80.0  # pixels of smoothing
SHIFT = (0.125, -0.2)  # down and to the right, of the shorter side
FOCUS = 4.0  # pixels of blur in images out of focus
CONTAMINATION = 0.2  # share of the images behind the contaminated threshold that hold defects

Spoil = Callable[[Detector, Splits], Detector]


@dataclass(frozen=True)
class Cause:
    """One way to break a detector.

    Attributes:
        name: of the root cause, as in :data:`adkit.diagnose.root_causes.ROOTS`.
        method: which recipe it breaks.
        knob: what is turned, in words.
        settings: changes to the settings of the training.
        spoil: what is done to the fitted detector; None: nothing.
    """

    name: str
    method: str
    knob: str
    settings: dict = field(default_factory=dict)
    spoil: Spoil | None = None

    def induce(self, splits: Splits, recipe: dict | None = None, healthy: Detector | None = None) -> Detector:
        """A detector with this fault.

        Args:
            splits: to train on.
            recipe: settings of the healthy training; None: those of :data:`RECIPES`.
            healthy: a fitted detector of the recipe, for causes that only spoil one; None: it is trained here. One that
                is :func:`remembering` saves its copies the work.
        """
        if self.trains or healthy is None:
            settings = (RECIPES[self.method] if recipe is None else recipe) | self.settings
            healthy = detector_class(self.method)(**settings).fit(splits.train, splits.validation)
        return healthy if self.spoil is None else self.spoil(healthy, splits)

    @property
    def trains(self) -> bool:
        """Whether it needs a training of its own."""
        return bool(self.settings)


# -- detectors that were trained well, spoilt afterwards -------------------------------------------------------------


def remembering(detector: Detector) -> Detector:
    """The detector, which keeps what its network has reconstructed: its copies ask for the same images again."""
    kept, known, reconstruct = copy.copy(detector), {}, detector._reconstruct

    def remembered(images: Tensor) -> Tensor:
        key = hashlib.blake2b(images.cpu().numpy().tobytes()).digest()
        if key not in known:
            known[key] = reconstruct(images)
        return known[key]

    kept._reconstruct = remembered
    return kept


def with_settings(detector: Detector, validation: AnomalyDataset, **changes) -> Detector:
    """The detector with other settings of its maps and scores, and thresholds to match."""
    changed = copy.copy(detector)
    changed.settings = replace(detector.settings, **changes)
    return calibrated(changed, validation)


def calibrated(detector: Detector, normal: AnomalyDataset) -> Detector:
    """Both thresholds from these normal images, as ``fit`` sets them; the detector is changed in place."""
    maps, scores = detector.judge_items(normal)
    settings = detector.settings
    by_maximum = getattr(settings, "score", "max") == "max"
    detector.pixel_threshold = pixel_threshold(normal, maps, settings["pixel_percentile"])
    with warnings.catch_warnings(action="ignore"):  # that there are few images was said when it was fitted
        detector.image_threshold = image_threshold(normal, maps, scores, settings["percentile"], by_maximum)
    return detector


def with_maps(detector: Detector, change: Callable[[Tensor], Tensor], validation: AnomalyDataset) -> Detector:
    """The detector with its maps (B, H, W) changed, and thresholds to match."""

    class Changed(type(detector)):
        def _anomaly_map(self, images: Tensor) -> Tensor:
            return change(super()._anomaly_map(images))

    changed = copy.copy(detector)
    changed.__class__ = Changed
    return calibrated(changed, validation)


def stretch_maps(detector: Detector, splits: Splits) -> Detector:
    """Each map from 0 to 1, by its own minimum and maximum: the cleanest image looks as bad as the worst."""

    def stretch(maps: Tensor) -> Tensor:
        low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
        return (maps - low) / (high - low).clamp(min=1e-12)

    return with_maps(detector, stretch, splits.validation)


def shift_maps(detector: Detector, splits: Splits) -> Detector:
    """Maps that lie beside what they show, as after a padding that was cut off at the wrong side."""

    def shift(maps: Tensor) -> Tensor:
        return maps.roll([round(share * min(maps.shape[1:])) for share in SHIFT], dims=(1, 2))

    return with_maps(detector, shift, splits.validation)


def smooth_too_much(detector: Detector, splits: Splits) -> Detector:
    """Smoothing far wider than any defect."""
    return with_settings(detector, splits.validation, smoothing=WIDE)


def score_by_mean(detector: Detector, splits: Splits) -> Detector:
    """The mean of the map as the score of the image."""
    return with_settings(detector, splits.validation, score="mean")


def lower_percentile(detector: Detector, splits: Splits) -> Detector:
    """Thresholds at the median of the normals."""
    return with_settings(detector, splits.validation, percentile=50.0, pixel_percentile=50.0)


def threshold_of_raw_maps(detector: Detector, splits: Splits) -> Detector:
    """Thresholds measured on maps before smoothing, scores taken after it."""
    raw = with_settings(detector, splits.validation, smoothing=0.0)
    return with_thresholds(detector, raw.image_threshold, raw.pixel_threshold)


def threshold_of_contaminated(detector: Detector, splits: Splits) -> Detector:
    """The threshold at the maximum of images that were taken for normal; a label was left on every fifth of them."""
    scores = []
    for i in range(len(splits.validation)):
        item = splits.validation[i]
        image = with_label(item["image"]) if i % round(1 / CONTAMINATION) == 0 else item["image"]
        scores.append(float(detector.image_score(image[None], item["foreground"][None])))
    highest = max(scores)
    return with_thresholds(detector, Threshold(highest, highest, highest, len(scores), 100.0), detector.pixel_threshold)


def with_label(image: Tensor) -> Tensor:
    """The image (C, H, W) with a blank label in its middle, as wide as a quarter of its shorter side.

    Example:
        >>> import torch
        >>> with_label(torch.zeros(1, 8, 8)).sum().item()
        4.0
    """
    height, width = image.shape[-2:]
    side, labelled = max(2, min(height, width) // 4), image.clone()
    top, left = (height - side) // 2, (width - side) // 2
    labelled[:, top : top + side, left : left + side] = 1.0 if image.mean() < 0.5 else 0.0
    return labelled


def with_thresholds(detector: Detector, image: Threshold, pixel: float) -> Detector:
    """The detector with thresholds from elsewhere."""
    changed = copy.copy(detector)
    changed.image_threshold, changed.pixel_threshold = image, pixel
    return changed


def threshold_out_of_focus(detector: Detector, splits: Splits) -> Detector:
    """Both thresholds from images that were taken out of focus: they hold less detail to get wrong."""
    blurred = calibrated(out_of_focus(detector), splits.validation)
    return with_thresholds(detector, blurred.image_threshold, blurred.pixel_threshold)


def out_of_focus(detector: Detector) -> Detector:
    """The detector behind a lens that blurs every image, by 4 pixels."""

    class Blurred(type(detector)):
        def _anomaly_map(self, images: Tensor) -> Tensor:
            soft = gaussian_smooth(images.flatten(0, 1), FOCUS)
            return super()._anomaly_map(soft.unflatten(0, images.shape[:2]))

    changed = copy.copy(detector)
    changed.__class__ = Blurred
    return changed


# -- the table -------------------------------------------------------------------------------------------------------

CAUSES = {
    cause.name: cause
    for cause in (
        Cause("untrained", "autoencoder", "8 steps of training", {"steps": 8}),
        Cause("collapse", "vae", "β = 100", {"beta": 100.0}),
        Cause("no_kl", "vae", "β = 0", {"beta": 0.0}),
        Cause("copies", "autoencoder", "skips without synthetic defects", {"defects": None, "skip": "concat"}),
        Cause("stretched_maps", "vae", "per-image min–max of the maps", spoil=stretch_maps),
        Cause("oversmoothed", "vae", f"smoothing of {WIDE:g} pixels", spoil=smooth_too_much),
        Cause("mean_score", "vae", "the mean of the map as score", spoil=score_by_mean),
        Cause("misaligned", "vae", "maps moved down and to the left", spoil=shift_maps),
        Cause("other_unit", "vae", "threshold before smoothing, scores after it", spoil=threshold_of_raw_maps),
        Cause("contaminated", "vae", "threshold at the maximum of a contaminated set", spoil=threshold_of_contaminated),
        Cause("foreign_threshold", "vae", "thresholds from images out of focus", spoil=threshold_out_of_focus),
        Cause("low_percentile", "vae", "thresholds at the median of the normals", spoil=lower_percentile),
    )
}  # fmt: skip
