"""What is diagnosed: a fitted detector as it is, a network on its own, or a detector of which one thing was changed."""

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.settings import Settings

ToImages = Callable[[Tensor], Tensor]
ToCodes = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class ResidualSettings(Settings):
    """How a reconstruction function is judged."""

    # how image and reconstruction are compared, see adkit.scoring.anomaly_map
    residual: str = "l2"
    # standard deviation of the Gaussian that smooths the map, in pixels
    smoothing: float = 4.0
    # how a map becomes one number, see adkit.scoring.image_score
    score: str = "max"
    quiet: bool = True


class InMemoryDetector(Detector):
    """Base of detectors that are made of another one, or of a network: nothing to learn, and nothing to save."""

    def save(self, path: str | Path) -> Path:
        """Refused; raises a TypeError."""
        raise TypeError(
            f"a {type(self).__name__} lives in memory only; save the detector or network that it was made of"
        )

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        """What ``fit`` adds are the thresholds."""

    def _tensors(self) -> dict[str, Tensor]:
        return {}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        """There is nothing to restore."""

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        score = getattr(self.settings, "score", "max")
        return scoring.image_score(maps, score if score in scoring.SCORE_METHODS else "max", foreground=foreground)


class ResidualDetector(InMemoryDetector):
    """A reconstruction function as a detector: its residual, smoothed, is the map.

    Args:
        reconstruct: images (B, C, H, W) in [0, 1] → their reconstructions, of the same shape, on the CPU.
        encode: images (B, C, H, W) → μ and log σ² of their latent codes, (B, N, D) each; None: it has no latent code.
        settings: fields of :class:`ResidualSettings`, by name.

    Example:
        >>> from adkit import load_dataset
        >>> normals = load_dataset("textile", image_size=(32, 64)).validation
        >>> ResidualDetector(torch.zeros_like).fit(normals, normals).anomaly_map(torch.zeros(1, 1, 32, 64)).shape
        torch.Size([1, 32, 64])
    """

    settings_class = ResidualSettings
    without_training = (*Detector.without_training, "residual", "smoothing", "score")

    def __init__(self, reconstruct: ToImages, encode: ToCodes | None = None, **settings):
        super().__init__(**settings)
        self.reconstruct = reconstruct
        if encode is not None:
            self.encode = encode

    def fresh(self, **changes) -> "ResidualDetector":
        """Another detector of the same function, without thresholds; takes and raises as every detector's."""
        return type(self)(self.reconstruct, getattr(self, "encode", None), **asdict(self.settings) | changes)

    def _anomaly_map(self, images: Tensor) -> Tensor:
        reconstructed = self.reconstruct(images).to(images.device)
        return scoring.anomaly_map(images, reconstructed, self.settings.residual, self.settings.smoothing)


class TransformedDetector(InMemoryDetector):
    """A fitted detector whose images or maps are changed on their way; settings and thresholds are those of the base.

    Args:
        base: the fitted detector, which stays as it is.
        on_map: maps (B, H, W) → maps of the same shape; None: they stay as they are.
        on_image: images (B, C, H, W) in [0, 1] → what the maps are made of; None: the images. Reconstructions and
            latent codes are those of the images as they are.

    Example:
        >>> from adkit import load_dataset
        >>> normals = load_dataset("textile", image_size=(32, 64)).validation
        >>> detector = ResidualDetector(torch.zeros_like).fit(normals, normals)
        >>> doubled = TransformedDetector(detector, on_map=lambda maps: 2 * maps)
        >>> images = torch.ones(1, 1, 32, 64)
        >>> torch.equal(doubled.anomaly_map(images), 2 * detector.anomaly_map(images))
        True
    """

    def __init__(self, base: Detector, on_map: ToImages | None = None, on_image: ToImages | None = None):
        super().__init__(device=base.settings.device, quiet=base.settings.quiet)
        self.base, self.on_map, self.on_image = base, on_map, on_image
        self.settings, self.without_training = base.settings, base.without_training
        take_over(base, self)

    @property
    def reconstruct(self) -> ToImages:
        """That of the base; missing where the base reconstructs nothing."""
        return self.base.reconstruct

    @property
    def encode(self) -> ToCodes:
        """That of the base; missing where the base has no latent Gaussians."""
        return self.base.encode

    def with_settings(self, **changes) -> "TransformedDetector":
        """The same around a base with other settings, and the old thresholds; takes and raises as every detector's."""
        changed = TransformedDetector(self.base.with_settings(**changes), self.on_map, self.on_image)
        take_over(self, changed)
        return changed

    def _anomaly_map(self, images: Tensor) -> Tensor:
        everywhere = torch.ones(images[:, 0].shape, dtype=torch.bool)
        maps = self.base.anomaly_map(images if self.on_image is None else self.on_image(images), everywhere)
        maps = maps.to(images.device)
        return maps if self.on_map is None else self.on_map(maps)


def take_over(source: Detector, target: Detector) -> None:
    """Give a detector the preprocessing, the thresholds and the history of another one.

    Args:
        source: a fitted detector.
        target: the detector that is changed.
    """
    target.preprocessing, target.history = source.preprocessing, source.history
    target.image_threshold, target.pixel_threshold = source.image_threshold, source.pixel_threshold


def recalibrated(detector: Detector, validation: AnomalyDataset, **changes) -> Detector:
    """The detector with other settings of its maps and scores, and thresholds to match.

    Args:
        detector: a fitted detector, which stays as it is.
        validation: normal images, for the thresholds.
        changes: settings that need no training, such as ``percentile=50.0``.
    """
    with warnings.catch_warnings(action="ignore"):  # that there are few images was said when it was fitted
        return detector.with_settings(**changes).calibrate(validation)


def as_detector(model: Detector | nn.Module, validation: AnomalyDataset) -> Detector:
    """The detector itself; or a network as one, by its squared residual, with thresholds from normal images.

    Args:
        model: a fitted detector; or a network (B, C, H, W) → (B, C, H, W) that returns the reconstruction, or something
            that holds it with μ and log σ², as a :class:`adkit.models.vae.VAEOutput`.
        validation: normal images.

    Raises:
        TypeError: if ``model`` is neither.
        RuntimeError: if a detector was not fitted.
    """
    if isinstance(model, Detector):
        if not model.is_fitted:
            raise RuntimeError(f"this {type(model).__name__} has not been fitted; call fit(train, validation) first")
        return model
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"model must be a fitted detector or a torch.nn.Module, got a {type(model).__name__}; "
            "pass what AutoencoderDetector(…).fit(…) returns, or its network"
        )
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    model.eval()

    @torch.inference_mode()
    def run(images: Tensor):
        return model(images.float().to(device))

    def reconstruct(images: Tensor) -> Tensor:
        output = run(images)
        return getattr(output, "reconstruction", output).cpu()

    def encode(images: Tensor) -> tuple[Tensor, Tensor]:
        output = run(images)
        return output.mu[:, None].cpu(), output.log_variance[:, None].cpu()

    has_code = hasattr(run(validation[0]["image"][None]), "mu")
    detector = ResidualDetector(reconstruct, encode if has_code else None, device=str(device))
    return detector.fit(validation, validation)


def check_parts(validation: AnomalyDataset, test: AnomalyDataset | None, history: list[dict] | None) -> None:
    """Refuse parts that a diagnosis would misread.

    Args:
        validation: normal images.
        test: labelled images, normal and anomalous ones; None: there are none.
        history: rows of a training; None: that of the detector.

    Raises:
        TypeError: if a part is no dataset, or the history no list of dicts.
        ValueError: if a part is empty, validation holds defects, or test lacks one of the classes.
    """
    for name, part in {"validation": validation, "test": test}.items():
        if part is None and name == "test":
            continue
        if not isinstance(part, AnomalyDataset):
            raise TypeError(f"{name} must be an AnomalyDataset, got a {type(part).__name__}; pass splits.{name}")
        if not len(part):
            raise ValueError(f"{name} holds no image; pass splits.{name}")
    if validation.labels.any():
        raise ValueError(
            f"validation must hold normal images only, got {int(validation.labels.sum())} labelled anomalous; "
            "pass splits.validation, and the labelled images as test"
        )
    if test is not None and len(set(test.labels.tolist())) < 2:
        raise ValueError(
            f"test must hold normal and anomalous images, got {len(test)} of one kind; pass splits.test, or leave it "
            "out: symptoms 1 and 6 are then not assessed"
        )
    if history is not None and not (isinstance(history, list) and all(isinstance(row, dict) for row in history)):
        raise TypeError(f"history must be a list of dicts, got {type(history).__name__}; pass detector.history")
