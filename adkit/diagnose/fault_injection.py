"""Knobs that cause each failure of the playbook, so that notebook, tests and matrix break things the same way.

A fault either changes the settings of a training, or is injected into a detector that was trained well. Undoing it is
the cure.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from adkit.data import Splits
from adkit.detectors.base import Detector
from adkit.detectors.registry import detector_class
from adkit.detectors.settings import setting_names
from adkit.diagnose.adapter import (
    ResidualDetector,
    ResidualSettings,
    TransformedDetector,
    recalibrated,
    take_over,
)
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
SHIFT = (0.125, -0.2)  # down and to the left, of the shorter side
FOCUS = 4.0  # pixels of blur in images out of focus
CONTAMINATION = 0.2  # share of the images behind the contaminated threshold that hold defects

Injection = Callable[[Detector, Splits], Detector]


@dataclass(frozen=True)
class Fault:
    """One way to break a detector.

    Attributes:
        name: of the root cause, as in :data:`adkit.diagnose.root_causes.ROOT_CAUSES`.
        method: which recipe it breaks.
        knob: what is turned, in words.
        settings: changes to the settings of the training.
        inject: (fitted detector, data) → a detector with the fault; None: it lies in the settings.
    """

    name: str
    method: str
    knob: str
    settings: dict = field(default_factory=dict)
    inject: Injection | None = None

    def induce(self, splits: Splits, recipe: dict | None = None, healthy: Detector | None = None) -> Detector:
        """A detector with this fault.

        Args:
            splits: to train on.
            recipe: settings of the healthy training; None: those of :data:`RECIPES`.
            healthy: a fitted detector of the recipe, for faults that are injected; None: it is trained here. One
                :func:`with_cached_reconstruction` saves all that are made of it the work.
        """
        if self.needs_training or healthy is None:
            settings = (RECIPES[self.method] if recipe is None else recipe) | self.settings
            healthy = detector_class(self.method)(**settings).fit(splits.train, splits.validation)
        return healthy if self.inject is None else self.inject(healthy, splits)

    @property
    def needs_training(self) -> bool:
        """Whether it needs a training of its own."""
        return bool(self.settings)


def with_cached_reconstruction(detector: Detector) -> ResidualDetector:
    """A detector with the same maps that reconstructs each batch once, for all that is made of it asks again.

    Args:
        detector: a fitted autoencoder or VAE that maps by its residual alone.

    Raises:
        TypeError: if its maps are made of something else.
    """
    by_residual = getattr(detector.settings, "score_by", "reconstruction") == "reconstruction"
    if type(detector) not in map(detector_class, RECIPES) or not by_residual:
        raise TypeError(
            "expected an AutoencoderDetector or a VAEDetector that maps by its residual alone, got a "
            f"{type(detector).__name__}; use it as it is, its reconstructions cannot be cached"
        )
    cache: dict[bytes, Tensor] = {}

    def reconstruct(images: Tensor) -> Tensor:
        key = hashlib.blake2b(images.cpu().numpy().tobytes()).digest()
        if key not in cache:
            cache[key] = detector.reconstruct(images)
        return cache[key]

    settings = {name: detector.settings[name] for name in setting_names(ResidualSettings)}
    cached = ResidualDetector(reconstruct, getattr(detector, "encode", None), **settings)
    take_over(detector, cached)
    return cached


# -- what is injected into a detector that was trained well ------------------------------------------------------------


def with_thresholds(detector: Detector, image: Threshold, pixel: float) -> Detector:
    """The detector with thresholds from elsewhere.

    Args:
        detector: a fitted detector, which stays as it is.
        image: the threshold of image scores.
        pixel: the threshold of map values.
    """
    changed = detector.with_settings()
    changed.image_threshold, changed.pixel_threshold = image, pixel
    return changed


def stretch_maps(detector: Detector, splits: Splits) -> Detector:
    """Each map from 0 to 1, by its own minimum and maximum: the cleanest image looks as bad as the worst."""

    def stretch(maps: Tensor) -> Tensor:
        low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
        return (maps - low) / (high - low).clamp(min=1e-12)

    return recalibrated(TransformedDetector(detector, on_map=stretch), splits.validation)


def shift_maps(detector: Detector, splits: Splits) -> Detector:
    """Maps that lie beside what they show, as after a padding that was cut off at the wrong side."""

    def shift(maps: Tensor) -> Tensor:
        return maps.roll([round(share * min(maps.shape[1:])) for share in SHIFT], dims=(1, 2))

    return recalibrated(TransformedDetector(detector, on_map=shift), splits.validation)


def smooth_too_much(detector: Detector, splits: Splits) -> Detector:
    """Smoothing far wider than any defect."""
    return recalibrated(detector, splits.validation, smoothing=WIDE)


def score_by_mean(detector: Detector, splits: Splits) -> Detector:
    """The mean of the map as the score of the image."""
    return recalibrated(detector, splits.validation, score="mean")


def lower_percentile(detector: Detector, splits: Splits) -> Detector:
    """Thresholds at the median of the normals."""
    return recalibrated(detector, splits.validation, percentile=50.0, pixel_percentile=50.0)


def threshold_of_raw_maps(detector: Detector, splits: Splits) -> Detector:
    """Thresholds measured on maps before smoothing, scores taken after it."""
    raw = recalibrated(detector, splits.validation, smoothing=0.0)
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


def threshold_out_of_focus(detector: Detector, splits: Splits) -> Detector:
    """Both thresholds from images that were taken out of focus: they hold less detail to get wrong."""
    blurred = recalibrated(out_of_focus(detector), splits.validation)
    return with_thresholds(detector, blurred.image_threshold, blurred.pixel_threshold)


def out_of_focus(detector: Detector) -> Detector:
    """The detector behind a lens that blurs every image, by 4 pixels."""

    def blur(images: Tensor) -> Tensor:
        return gaussian_smooth(images.flatten(0, 1), FOCUS).unflatten(0, images.shape[:2])

    return TransformedDetector(detector, on_image=blur)


# -- the table -------------------------------------------------------------------------------------------------------

FAULTS = {
    fault.name: fault
    for fault in (
        Fault("untrained", "autoencoder", "8 steps of training", {"steps": 8}),
        Fault("collapse", "vae", "β = 100", {"beta": 100.0}),
        Fault("no_kl", "vae", "β = 0", {"beta": 0.0}),
        Fault("copies", "autoencoder", "skips without synthetic defects", {"defects": None, "skip": "concat"}),
        Fault("stretched_maps", "vae", "per-image min–max of the maps", inject=stretch_maps),
        Fault("oversmoothed", "vae", f"smoothing of {WIDE:g} pixels", inject=smooth_too_much),
        Fault("mean_score", "vae", "the mean of the map as score", inject=score_by_mean),
        Fault("misaligned", "vae", "maps moved down and to the left", inject=shift_maps),
        Fault("other_unit", "vae", "threshold before smoothing, scores after it", inject=threshold_of_raw_maps),
        Fault("contaminated", "vae", "threshold at the maximum of a contaminated set",
              inject=threshold_of_contaminated),
        Fault("foreign_threshold", "vae", "thresholds from images out of focus", inject=threshold_out_of_focus),
        Fault("low_percentile", "vae", "thresholds at the median of the normals", inject=lower_percentile),
    )
}  # fmt: skip
