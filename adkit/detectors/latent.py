"""Detection in latent space: what the levels of our own encoder find unusual, added to the residual.

The network is that of :class:`adkit.detectors.autoencoder.AutoencoderDetector`, trained in the same way; only the
scoring differs. So many scorings can be tried on one training, see :meth:`LatentDetector.from_autoencoder`.
"""

import copy
import inspect
import json
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.data.foreground import find_foreground
from adkit.detectors.autoencoder import AutoencoderDetector
from adkit.detectors.preprocessing import Preprocessing
from adkit.models.autoencoder import Autoencoder
from adkit.models.latent_space import LatentSpace
from adkit.scoring.fusion import Scale, fuse

POSITIONS = 20_000  # feature vectors of normal images that a distance is fitted to, at each level
SPACE = ("levels", "distance", "neighbours", "coreset")
OWN = (*SPACE, "level_weights", "residual_weight", "standardise")
RESCORED = ("residual", "smoothing", "score", "percentile", "pixel_percentile", "device", "quiet")  # after training


class LatentDetector(AutoencoderDetector):
    """An autoencoder whose residual is joined by distances in its latent space.

    One term for each chosen level, the distance of its features to those of normal images, and one for the residual.
    Each is brought to image size, smoothed, standardised on validation normals, weighted and added. Distances are
    fitted to about 20,000 foreground positions of the training images at each level.

    Args:
        levels: of the encoder, 0 (finest) to ``depth``, which is the bottleneck; None: all of them.
        distance: ``mean``, ``reconstruction``, ``mahalanobis`` or ``knn``, see :mod:`adkit.models.distances`.
        neighbours: of ``knn``: the distance is the mean of those to so many nearest features.
        coreset: of ``knn``: how many features to keep at each level, a count or a float fraction in (0, 1].
        level_weights: one number for each level; None: 1 for each.
        residual_weight: of the pixel residual; 0: latent space only.
        standardise: bring the terms to one scale first; False adds them as they are, to show how that fails.
        settings: all of :class:`adkit.detectors.autoencoder.AutoencoderDetector`.

    Raises:
        ValueError: if a setting is unknown to the part it belongs to, or out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = LatentDetector(distance="mean", width=4, depth=2, steps=5, crop=32, quiet=True)
        >>> terms = detector.fit(splits.train, splits.validation).terms(splits.test[0]["image"][None])
        >>> {name: tuple(term.shape) for name, term in terms.items()}
        {'level 0': (1, 64, 64), 'level 1': (1, 64, 64), 'bottleneck': (1, 64, 64), 'residual': (1, 64, 64)}
    """

    def __init__(
        self,
        *,
        levels: list[int] | None = None,
        distance: str = "reconstruction",
        neighbours: int = 1,
        coreset: int | float = 200,
        level_weights: list[float] | None = None,
        residual_weight: float = 1.0,
        standardise: bool = True,
        **settings,
    ):
        own = {name: value for name, value in locals().items() if name in OWN}
        super().__init__(**settings)
        self.settings |= own
        with torch.device("meta"):  # refuses wrong settings now, not after the training
            names = self._names(self._space(self._build()))
        self.weights = term_weights(level_weights, residual_weight, names)  # (K,)
        self.settings = json.loads(json.dumps(self.settings))  # as they come back from disk
        self.space: LatentSpace | None = None
        self.scale = Scale.identity(len(names))
        self._trained: AutoencoderDetector | None = None

    def _space(self, model: Autoencoder) -> LatentSpace:
        return LatentSpace(model, **{name: self.settings[name] for name in SPACE})

    @staticmethod
    def _names(space: LatentSpace) -> list[str]:
        return [*space.names, "residual"]

    @classmethod
    def from_autoencoder(
        cls, detector: AutoencoderDetector, train: AnomalyDataset, validation: AnomalyDataset, **settings
    ) -> "LatentDetector":
        """Another scoring of an autoencoder that is trained already: equal to a fit with its settings, in seconds.

        Args:
            detector: a fitted one, which stays as it is.
            train: the normal images that it was trained on.
            validation: held-out normal images.
            settings: those of this class, and ``residual``, ``smoothing``, ``score``, ``percentile``,
                ``pixel_percentile``, ``device`` and ``quiet``; what is not given is the detector's.

        Raises:
            RuntimeError: if the detector has not been fitted.
            ValueError: if a setting would need another training, or the images are prepared in another way than those
                that it was trained on.
        """
        detector._require_fit()
        trained = {name: value for name, value in detector.settings.items() if name not in (*RESCORED, *OWN)}
        if changed := [name for name in settings if name in trained and settings[name] != trained[name]]:
            raise ValueError(
                f"{', '.join(changed)} cannot change without another training; leave it out, or use "
                "LatentDetector(...).fit(train, validation)"
            )
        if (prepared := Preprocessing.of(train)) != detector.preprocessing:
            raise ValueError(
                f"train is prepared as {prepared}, but the detector was trained on {detector.preprocessing}; "
                "load the images as they were loaded then"
            )
        latent = cls(**(detector.settings | settings))
        latent._trained = detector
        try:
            return latent.fit(train, validation)
        finally:
            latent._trained = None

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        if self._trained is None:
            super()._fit(train, validation)
        else:
            self.model = copy.deepcopy(self._trained.model).to(self.device)
            self.history = copy.deepcopy(self._trained.history)
        self.space = self._space(self.model)
        with torch.no_grad():
            self.space.fit(self._batches(train), max(1, POSITIONS // len(train)), self.training.seed)
            if self.settings["standardise"]:
                maps = ((self._maps(images), foreground) for images, foreground in self._batches(validation))
                self.scale = Scale.fit(maps, self._names(self.space))

    def _batches(self, dataset: AnomalyDataset, batch_size: int = 8) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and their foreground, on the device, several at a time where all have one size."""
        size = batch_size if dataset.image_size else 1
        for start in range(0, len(dataset), size):
            items = [dataset[i] for i in range(start, min(start + size, len(dataset)))]
            images, foreground = (torch.stack([item[name] for item in items]) for name in ("image", "foreground"))
            yield images.to(self.device), foreground.to(self.device)

    def _maps(self, images: Tensor) -> Tensor:
        """All terms at image size, smoothed, in their own units: (K, B, H, W), not negative."""
        reconstructed = self.model(images)
        levels = self.space.maps(images, reconstructed)
        smoothed = scoring.gaussian_smooth(levels.flatten(0, 1), self.settings["smoothing"]).view_as(levels)
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
        return dict(zip(self._names(self.space), maps.cpu(), strict=True))

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
        self.space = self._space(self.model)
        self.space.restore({name: value.to(self.device) for name, value in parts["space"].items()})
        self.scale = Scale(**parts["scale"])


def term_weights(level_weights: list[float] | None, residual_weight: float, names: list[str]) -> Tensor:
    """Weights (K,) of the terms ``names``, of which the residual is the last.

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


def _signature() -> inspect.Signature:
    """All settings by name, those of the autoencoder too, as Experiment and a reader of ``help()`` expect them."""
    own, inherited = (inspect.signature(c.__init__).parameters for c in (LatentDetector, AutoencoderDetector))
    return inspect.Signature([p for p in (*own.values(), *inherited.values()) if p.kind is p.KEYWORD_ONLY])


LatentDetector.__signature__ = _signature()
