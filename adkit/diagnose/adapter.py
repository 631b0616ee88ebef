"""What is diagnosed: a fitted detector as it is, or a network on its own, which is then judged as detectors judge."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.settings import Settings


@dataclass(frozen=True, kw_only=True)
class BareSettings(Settings):
    """How a network on its own is judged."""

    # standard deviation of the Gaussian that smooths the map, in pixels
    smoothing: float = 4.0
    # how a map becomes one number
    score: str = "max"
    quiet: bool = True


class BareNetwork(Detector):
    """A network (B, C, H, W) → (B, C, H, W) as a detector: squared residual, smoothed, thresholds from normal images.

    Args:
        model: returns the reconstruction, or something that holds it with μ and log σ², as a
            :class:`adkit.models.vae.VAEOutput`.

    Example:
        >>> from adkit import load_dataset
        >>> from adkit.models.autoencoder import Autoencoder
        >>> normals = load_dataset("textile", image_size=(32, 64)).validation
        >>> BareNetwork(Autoencoder(width=4)).fit(normals, normals).anomaly_map(torch.zeros(1, 1, 32, 64)).shape
        torch.Size([1, 32, 64])
    """

    settings_class = BareSettings

    def __init__(self, model: nn.Module):
        place = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
        super().__init__(device=str(place))
        self.model = model.eval()

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        """It is trained already; what ``fit`` adds are the thresholds."""
        output = self._run(validation[0]["image"][None])
        if hasattr(output, "mu"):
            self.encode = self._encode  # only a network with latent Gaussians has it

    @torch.inference_mode()
    def _run(self, images: Tensor):
        return self.model(images.float().to(self.device))

    def reconstruct(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] as the network draws them again, on the CPU."""
        output = self._run(images)
        return getattr(output, "reconstruction", output).cpu()

    def _encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        output = self._run(images)
        return output.mu[:, None].cpu(), output.log_variance[:, None].cpu()

    def _anomaly_map(self, images: Tensor) -> Tensor:
        return scoring.anomaly_map(images, self.reconstruct(images).to(images.device), sigma=self.settings.smoothing)

    def _tensors(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.model.load_state_dict(tensors)


def as_detector(model: Detector | nn.Module, validation: AnomalyDataset) -> Detector:
    """The detector itself, or the network as one.

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
    return BareNetwork(model).fit(validation, validation)


def check_parts(validation: AnomalyDataset, test: AnomalyDataset | None, history: list[dict] | None) -> None:
    """Refuse parts that a diagnosis would misread.

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
