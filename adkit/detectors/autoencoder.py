"""Detection by reconstruction: what an autoencoder trained on normal images cannot reconstruct is anomalous."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.defects import build_defects
from adkit.detectors.network import NetworkDetector, TrainingSettings, check_network, synthetic_ap_criterion
from adkit.detectors.settings import at_least_zero
from adkit.losses import build_loss
from adkit.models.autoencoder import Autoencoder
from adkit.runtime import seed_everything
from adkit.scoring.anomaly_maps import MAP_METHODS


@dataclass(frozen=True, kw_only=True)
class AutoencoderSettings(TrainingSettings):
    """Settings of :class:`AutoencoderDetector`, beside those that all detectors which train a network share.

    Raises:
        ValueError: if a value is no literal, unknown to the part that it belongs to, or out of its range.
    """

    # channels after the first level of the network; a number above 0, which need not be whole
    width: float = 16
    # number of times that the network halves the sides
    depth: int = 4
    # channels of the bottleneck
    latent: int = 32
    # skip connections: none, add, concat or gated
    skip: str = "concat"
    # encoder levels that have a skip, from 0, the finest, to depth - 2; None: all of them
    skip_levels: Sequence[int] | None = None
    # squeeze-and-excitation on the bottleneck
    excite: bool = False
    # what training minimises, as adkit.losses.build_loss reads it, such as "mse + 0.5*ssim"
    loss: str | dict = "0.31*l1"
    # synthetic defects that training puts on the input and the network learns to take away, as
    # adkit.defects.build_defects reads them; None: none. With them, the best weights are those of the best pixel
    # average precision on held-out normal crops with synthetic defects
    defects: str | Sequence[str] | dict | None = "recommended"
    # with defects: how much their pixels count in the loss beside the mean over all pixels. A defect covers a few per
    # cent of a crop; with 0, copying it costs next to nothing
    repair: float = 1.0
    # how image and reconstruction are compared: a name of adkit.scoring.MAP_METHODS
    residual: str = "l2"
    # standard deviation of the Gaussian that smooths the map, in pixels; 0: none
    smoothing: float = 4.0

    def __post_init__(self):
        super().__post_init__()
        build_loss(self.loss)
        build_defects(self.defects)
        self.check("repair", at_least_zero, "a weight of at least 0")
        self.check_choice("residual", MAP_METHODS)
        self.check("smoothing", at_least_zero, "0 or a positive number of pixels")
        check_network(self.network)

    def network(self, channels: int = 1) -> Autoencoder:
        """The network of these settings, untrained, for images of 1 (grey) or 3 channels."""
        names = ("width", "depth", "latent", "skip", "skip_levels", "excite")
        return Autoencoder(channels, **{name: getattr(self, name) for name in names})


class AutoencoderDetector(NetworkDetector):
    """A convolutional autoencoder and its residual.

    The defaults are the recipe that the course arrives at, a U-Net that learns to take synthetic defects away (see
    notebooks 02 to 04). Notebook 01's plain autoencoder is ``skip="none", defects=None, loss="mse + 0.1*ssim"``.

    Args:
        settings: fields of :class:`AutoencoderSettings`, by name; what each is stands there.

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a value is unknown to the part that it belongs to, or out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> detector.anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 64, 64])
    """

    settings_class = AutoencoderSettings
    without_training = (*NetworkDetector.without_training, "residual", "smoothing")

    def build_network(self) -> Autoencoder:
        """The network of the settings, untrained."""
        return self.settings.network(self.preprocessing.channels)

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        settings = self.settings
        seed_everything(settings.seed)
        self.model = self.build_network().to(self.device)
        loss = build_loss(settings.loss).to(self.device)
        defects = build_defects(settings.defects)

        def reconstructs(model, batch):
            return {"loss": loss(model(batch.images), batch.images), **loss.components}

        # what goes in is corrupted; what should come out is clean
        def repairs(model, batch):
            clean = batch.images
            seen, masks, _ = defects(clean, batch.foreground, batch.generator())
            reconstructed = model(seen)
            parts = {"loss": loss(reconstructed, clean), **loss.components}
            if settings.repair:
                inside = masks[:, None]
                # divided by their share of the crop, this is a mean over the defects
                share = inside.float().mean().clamp(min=1e-3)
                parts["repair"] = loss(torch.where(inside, reconstructed, clean), clean) / share
                parts["loss"] = parts["loss"] + settings.repair * parts["repair"]
            return parts

        criterion = defects and synthetic_ap_criterion(defects, lambda model, seen: self._residual(seen, model(seen)))
        objective = repairs if defects else reconstructs
        self._train(train, validation, objective, criterion, label=str(settings.loss))

    def _reconstruct(self, images: Tensor) -> Tensor:
        return self.model(images)

    def _anomaly_map(self, images: Tensor) -> Tensor:
        return self._residual(images, self.model(images))

    def _residual(self, images: Tensor, reconstructed: Tensor) -> Tensor:
        return scoring.anomaly_map(images, reconstructed, self.settings.residual, self.settings.smoothing)
