"""What is diagnosed: a fitted detector as it is, a network on its own, or a detector of which one thing was changed."""

import copy
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.calibration import image_threshold, pixel_threshold

ToImages = Callable[[Tensor], Tensor]
ToCodes = Callable[[Tensor], tuple[Tensor, Tensor]]
RESIDUAL_SETTINGS = {
    "residual": "l2", "smoothing": 4.0, "score": "max", "percentile": 95.0, "pixel_percentile": 99.5,
    "device": "auto", "quiet": True,
}  # fmt: skip


class InMemoryDetector(Detector):
    """Base of detectors that are made of another one, or of a network: nothing to learn, and nothing to save."""

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        """What ``fit`` adds are the thresholds."""

    def _tensors(self) -> dict[str, Tensor]:
        raise TypeError(
            f"a {type(self).__name__} lives in memory only; save the detector or network that it was made of"
        )

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self._tensors()


class ResidualDetector(InMemoryDetector):
    """A reconstruction function as a detector: its residual, smoothed, is the map.

    Args:
        reconstruct: images (B, C, H, W) in [0, 1] → their reconstructions, of the same shape, on the CPU.
        settings: changes to :data:`RESIDUAL_SETTINGS`; they mean what they mean to
            :class:`adkit.detectors.autoencoder.AutoencoderDetector`.
        encode: images (B, C, H, W) → μ and log σ² of their latent codes, (B, N, D) each; None: it has no latent code.

    Example:
        >>> from adkit import load_dataset
        >>> normals = load_dataset("textile", image_size=(32, 64)).validation
        >>> ResidualDetector(torch.zeros_like).fit(normals, normals).anomaly_map(torch.zeros(1, 1, 32, 64)).shape
        torch.Size([1, 32, 64])
    """

    def __init__(self, reconstruct: ToImages, settings: dict | None = None, encode: ToCodes | None = None):
        super().__init__(RESIDUAL_SETTINGS | (settings or {}))
        self.reconstruct = reconstruct
        if encode is not None:
            self.encode = encode

    def _anomaly_map(self, images: Tensor) -> Tensor:
        reconstructed = self.reconstruct(images).to(images.device)
        return scoring.anomaly_map(images, reconstructed, self.settings["residual"], self.settings["smoothing"])

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        return scoring.image_score(maps, self.settings["score"], foreground=foreground)


class TransformedDetector(InMemoryDetector):
    """A fitted detector whose images or maps are changed on their way; its thresholds stay as they were.

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
        super().__init__(base.settings)
        self.base, self.on_map, self.on_image = base, on_map, on_image
        take_over(base, self)

    @property
    def reconstruct(self) -> ToImages:
        """That of the base; missing where the base reconstructs nothing."""
        return self.base.reconstruct

    @property
    def encode(self) -> ToCodes:
        """That of the base; missing where the base has no latent Gaussians."""
        return self.base.encode

    def _anomaly_map(self, images: Tensor) -> Tensor:
        seen = images if self.on_image is None else self.on_image(images)
        maps = self.base._anomaly_map(seen)
        return maps if self.on_map is None else self.on_map(maps)

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        return self.base._image_score(maps, images, foreground)


def take_over(source: Detector, target: Detector) -> None:
    """Give a detector the preprocessing, the thresholds and the history of another one.

    Args:
        source: a fitted detector.
        target: the detector that is changed.
    """
    target.preprocessing, target.history = source.preprocessing, source.history
    target.image_threshold, target.pixel_threshold = source.image_threshold, source.pixel_threshold


def with_settings(detector: Detector, **changes) -> Detector:
    """A copy of a detector with other settings of its maps and scores, and the old thresholds.

    Args:
        detector: a fitted detector.
        changes: settings that need no training, such as ``smoothing=0.0`` or ``score="mean"``.
    """
    if isinstance(detector, TransformedDetector):
        changed = TransformedDetector(with_settings(detector.base, **changes), detector.on_map, detector.on_image)
        take_over(detector, changed)
        return changed
    changed = copy.copy(detector)
    changed.settings = detector.settings | changes
    return changed


def calibrate(detector: Detector, normals: AnomalyDataset) -> Detector:
    """Set both thresholds anew, as ``fit`` does; the detector is changed in place, and returned.

    Args:
        detector: a fitted detector.
        normals: normal images, for example ``splits.validation``.
    """
    maps, scores = detector._judge_items(normals)
    settings = detector.settings
    by_maximum = settings.get("score", "max") == "max"
    detector.pixel_threshold = pixel_threshold(normals, maps, settings["pixel_percentile"])
    with warnings.catch_warnings(action="ignore"):  # that there are few images was said when it was fitted
        detector.image_threshold = image_threshold(normals, maps, scores, settings["percentile"], by_maximum)
    return detector


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
        _ = model.threshold  # an error where it was not fitted
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
    detector = ResidualDetector(reconstruct, {"device": str(device)}, encode if has_code else None)
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
