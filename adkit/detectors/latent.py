"""Detection in latent space: what the levels of our own encoder find unusual, added to the residual.

The network is that of :class:`adkit.detectors.autoencoder.AutoencoderDetector`, trained in the same way; only the
scoring differs. So many scorings can be tried on one training, see :meth:`LatentDetector.from_autoencoder`.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.data.foreground import find_foreground
from adkit.detectors.autoencoder import AutoencoderDetector, AutoencoderSettings
from adkit.detectors.calibration import check_normal
from adkit.detectors.network import check_network
from adkit.detectors.preprocessing import Preprocessing, batches
from adkit.models.autoencoder import Autoencoder
from adkit.models.latent_space import LatentSpace, encoder_levels, level_name
from adkit.scoring.fusion import Scale, fuse

# feature vectors of normal images that a distance is fitted to, at each level
POSITIONS = 20_000
# settings that an autoencoder which is trained already can be scored with
OWN = ("levels", "distance", "neighbours", "coreset", "level_weights", "residual_weight", "standardise")


@dataclass(frozen=True, kw_only=True)
class LatentSettings(AutoencoderSettings):
    """Settings of :class:`LatentDetector`, beside those of the autoencoder.

    Raises:
        ValueError: if a value is no literal, unknown to the part that it belongs to, or out of its range.
    """

    # levels of the encoder, from 0, the finest, to depth, which is the bottleneck; None: all of them
    levels: Sequence[int] | None = None
    # how far features are from normal ones: mean, reconstruction, mahalanobis or knn, see adkit.models.distances
    distance: str = "reconstruction"
    # of knn: the distance is the mean of those to so many nearest features
    neighbours: int = 1
    # of knn: how many features to keep at each level, a count or a float fraction in (0, 1]
    coreset: int | float = 200
    # one number of at least 0 for each level; None: 1 for each
    level_weights: Sequence[float] | None = None
    # number of at least 0, the weight of the pixel residual; 0: latent space only
    residual_weight: float = 1.0
    # bring the terms to one scale first; False adds them as they are, to show how that fails
    standardise: bool = True

    def __post_init__(self):
        super().__post_init__()
        check_network(lambda: self.space(self.network()).model)
        self.weights()

    def space(self, model: Autoencoder) -> LatentSpace:
        """The latent space of these settings, not fitted, around an autoencoder."""
        return LatentSpace(model, self.levels, self.distance, self.neighbours, self.coreset)

    def term_names(self) -> list[str]:
        """Names of the levels and, last, ``residual``."""
        levels = range(self.depth + 1) if self.levels is None else self.levels
        return [*(level_name(level, self.depth) for level in levels), "residual"]

    def weights(self) -> Tensor:
        """Weights (K,) of the levels and, last, of the residual; raises as :func:`term_weights`."""
        return term_weights(self.level_weights, self.residual_weight, self.term_names())


class LatentDetector(AutoencoderDetector):
    """An autoencoder whose residual is joined by distances in its latent space.

    One term for each chosen level, the distance of its features to those of normal images, and one for the residual.
    Each is brought to image size, smoothed, standardised on validation normals, weighted and added. Distances are
    fitted to about 20,000 foreground positions of the training images at each level.

    Args:
        settings: fields of :class:`LatentSettings`, by name; what each is stands there.

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a value is unknown to the part that it belongs to, or out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = LatentDetector(distance="mean", width=4, depth=2, steps=5, crop=32, quiet=True)
        >>> terms = detector.fit(splits.train, splits.validation).terms(splits.test[0]["image"][None])
        >>> {name: tuple(term.shape) for name, term in terms.items()}
        {'level 0': (1, 64, 64), 'level 1': (1, 64, 64), 'bottleneck': (1, 64, 64), 'residual': (1, 64, 64)}
    """

    settings_class = LatentSettings
    without_training = (*AutoencoderDetector.without_training, "level_weights", "residual_weight")

    def __init__(self, **settings):
        super().__init__(**settings)
        self.weights = self.settings.weights()  # (K,)
        self.space: LatentSpace | None = None
        self.scale = Scale.identity(len(self.weights))

    @classmethod
    def from_autoencoder(
        cls, detector: AutoencoderDetector, train: AnomalyDataset, validation: AnomalyDataset, **settings
    ) -> "LatentDetector":
        """Another scoring of an autoencoder that is trained already: equal to a fit with its settings, in seconds.

        Args:
            detector: a fitted one, which stays as it is.
            train: the normal images that it was trained on.
            validation: held-out normal images.
            settings: those of this class alone, and what needs no training: ``residual``, ``smoothing``, ``score``,
                ``percentile``, ``pixel_percentile``, ``device`` and ``quiet``; what is not given is the detector's.

        Raises:
            RuntimeError: if the detector has not been fitted.
            ValueError: if a setting would need another training, or the images are prepared in another way than those
                that it was trained on.
        """
        check_normal(train=train, validation=validation)
        description = detector.describe()
        latent = cls(**asdict(detector.settings) | settings)
        free = (*AutoencoderDetector.without_training, *OWN)
        if needing := [n for n in settings if n not in free and latent.settings[n] != detector.settings[n]]:
            raise ValueError(
                f"{', '.join(needing)} cannot change without another training; leave it out, or use "
                "LatentDetector(...).fit(train, validation)"
            )
        if (prepared := Preprocessing.of(train)) != detector.preprocessing:
            raise ValueError(
                f"train is prepared as {prepared}, but the detector was trained on {detector.preprocessing}; "
                "load the images as they were loaded then"
            )
        latent.preprocessing, latent.history = prepared, copy.deepcopy(description["history"])
        latent.model = copy.deepcopy(detector.model).to(latent.device)
        latent._fit_space(train)
        latent._calibrate(validation)
        return latent

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        super()._fit(train, validation)
        self._fit_space(train)

    @torch.no_grad()
    def _fit_space(self, train: AnomalyDataset) -> None:
        """Learn what is normal at each level from the features of the trained encoder."""
        self.space = self.settings.space(self.model)
        self.space.fit(self._batches(train), max(1, POSITIONS // len(train)), self.settings.seed)

    @torch.no_grad()
    def _measure_scales(self, validation: AnomalyDataset) -> None:
        if self.settings.standardise:
            maps = ((self._maps(images), foreground) for images, foreground in self._batches(validation))
            self.scale = Scale.fit(maps, self.settings.term_names())

    def _batches(self, dataset: AnomalyDataset) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and their foreground, on the device."""
        return ((images.to(self.device), foreground.to(self.device)) for images, foreground in batches(dataset))

    def _maps(self, images: Tensor) -> Tensor:
        """All terms at image size, smoothed, in their own units: (K, B, H, W), not negative."""
        # the encoder's pass serves both: its features are scored, and the decoder goes on from them
        features = encoder_levels(self.model, images)
        reconstructed = self.model.decode(features)[..., : images.shape[-2], : images.shape[-1]]
        levels = self.space.maps(images, reconstructed, features)
        smoothed = scoring.gaussian_smooth(levels.flatten(0, 1), self.settings.smoothing).view_as(levels)
        return torch.cat([smoothed, self._residual(images, reconstructed)[None]])

    def _anomaly_map(self, images: Tensor) -> Tensor:
        return fuse(self._maps(images), self.weights, self.scale)

    @torch.inference_mode()
    def terms(self, images: Tensor) -> dict[str, Tensor]:
        """What is added up, by name: the map (B, H, W) of each level, and of the ``residual``, on the CPU.

        In standard deviations from the mean of normal pixels, or in their own units with ``standardise=False``; 0 off
        the foreground. Their weighted sum is ``anomaly_map`` but for one constant, see :mod:`adkit.scoring.fusion`.

        Args:
            images: (B, C, H, W) in [0, 1]; raises as ``anomaly_map``.
        """
        images, foreground = self._prepare(images)
        maps = self.scale.standardise(self._maps(images)) * foreground
        return dict(zip(self.settings.term_names(), maps.cpu(), strict=True))

    @torch.inference_mode()
    def pooled(self, images: Tensor) -> Tensor:
        """One vector an image, (B, D) on the CPU: mean features over the foreground, all chosen levels in a row.

        Args:
            images: (B, C, H, W) in [0, 1]; raises as ``anomaly_map``.
        """
        images, foreground = self._prepare(images)
        return self.space.pooled(images, foreground).cpu()

    def _prepare(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Checked images (B, C, H, W) and their foreground (B, H, W), on the device."""
        self._require_fit()
        self._check(images)
        foreground = find_foreground(images, self.preprocessing.foreground)
        return images.float().to(self.device), foreground.to(self.device)

    def _tensors(self) -> dict[str, Tensor]:
        parts = {"model": super()._tensors(), "space": self.space.tensors(), "scale": vars(self.scale)}
        return {f"{part}.{name}": value for part, tensors in parts.items() for name, value in tensors.items()}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "space": {}, "scale": {}}
        for name, value in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = value
        super()._restore(parts["model"])
        self.space = self.settings.space(self.model)
        self.space.restore({name: value.to(self.device) for name, value in parts["space"].items()})
        self.scale = Scale(**parts["scale"])


def term_weights(level_weights: Sequence[float] | None, residual_weight: float, names: Sequence[str]) -> Tensor:
    """Weights (K,) of the terms of a sum.

    Args:
        level_weights: one number of at least 0 for each level; None: 1 for each.
        residual_weight: number of at least 0.
        names: of the K terms: those of the levels, and of the residual, which is the last.

    Raises:
        ValueError: if there is not one number of at least 0 for each, or all are 0.

    Example:
        >>> term_weights(None, 0.5, ["level 0", "bottleneck", "residual"])
        tensor([1.0000, 1.0000, 0.5000])
    """
    levels = [1.0] * (len(names) - 1) if level_weights is None else level_weights
    if not isinstance(levels, (list, tuple)) or len(levels) != len(names) - 1:
        raise ValueError(f"level_weights must list one number for each of {', '.join(names[:-1])}, got {levels!r}")
    weights = [*levels, residual_weight]
    if not all(isinstance(w, (int, float)) and 0 <= w < math.inf for w in weights) or not any(weights):
        raise ValueError(
            f"level_weights and residual_weight must be numbers of at least 0, and not all 0, got {levels!r} and "
            f"{residual_weight!r}"
        )
    return torch.tensor(weights, dtype=torch.float32)
