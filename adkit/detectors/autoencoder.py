"""Detection by reconstruction: what an autoencoder trained on normal images cannot draw again is anomalous."""

from numbers import Real

import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.defects import build_defects
from adkit.detectors.network import NetworkDetector, synthetic_ap_criterion
from adkit.losses import build_loss
from adkit.models.autoencoder import Autoencoder
from adkit.runtime import resolve_precision, seed_everything


class AutoencoderDetector(NetworkDetector):
    """A convolutional autoencoder and its residual.

    The defaults are the recipe that the course arrives at, a U-Net that learns to take synthetic defects away (see
    notebooks 02 to 04). Notebook 01's plain autoencoder is ``skip="none", defects=None, loss="mse + 0.1*ssim"``.

    Args:
        width, depth, latent, skip, skip_levels, excite: of the network, see
            :class:`adkit.models.autoencoder.Autoencoder`.
        loss: what training minimises, see :func:`adkit.losses.build_loss`; for example ``"mse + 0.5*ssim"``.
        defects: synthetic defects that training puts on the input, and the network learns to take away: None for
            none, or see :func:`adkit.defects.build_defects`. With them, the weights that are kept are those of the
            best pixel average precision on held-out normal crops with synthetic defects.
        repair: with defects, how much their pixels count in the loss beside the mean over all pixels. A defect covers
            a few per cent of a crop; with 0, copying it costs next to nothing.
        residual: how image and reconstruction are compared, see :func:`adkit.scoring.anomaly_map`.
        smoothing: standard deviation, in pixels, of the Gaussian that smooths the map.
        score: how a map becomes one number: ``max``, ``mean`` or ``topk``.
        percentile: of the validation normals' image scores, the image threshold.
        pixel_percentile: of the validation normals' pixels, the threshold of the mask.
        steps, batch_size, crop, learning_rate, flips, augment, validate_every, seed, device, precision: of
            :class:`adkit.training.Training`.
        quiet: show no progress.

    Raises:
        ValueError: if a setting is unknown to the part it belongs to, or out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> detector.anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 64, 64])
    """

    def __init__(
        self,
        *,
        width: float = 16,
        depth: int = 4,
        latent: int = 32,
        skip: str = "concat",
        skip_levels: list | None = None,
        excite: bool = False,
        loss: str | dict = "0.31*l1",
        defects: str | list | dict | None = "recommended",
        repair: float = 1.0,
        residual: str = "l2",
        smoothing: float = 4.0,
        score: str = "max",
        percentile: float = 95.0,
        pixel_percentile: float = 99.5,
        steps: int = 400,
        batch_size: int = 16,
        crop: int = 64,
        learning_rate: float = 3e-3,
        flips: bool = True,
        augment: bool = False,
        validate_every: int = 100,
        seed: int = 0,
        device: str = "auto",
        precision: str = "auto",
        quiet: bool = False,
    ):
        super().__init__(locals())
        self._rehearse()

    def _rehearse(self) -> None:
        """Refuse a misspelt setting now, not after the training that it would spoil."""
        build_loss(self.settings["loss"])
        build_defects(self.settings["defects"])
        if not (isinstance(self.settings["repair"], Real) and self.settings["repair"] >= 0):
            raise ValueError(f"repair must be a weight of at least 0, got {self.settings['repair']!r}")
        resolve_precision(self.settings["precision"], self.device)
        self._rehearse_build()
        blank = torch.zeros(1, 1, 32, 32)
        residual = scoring.anomaly_map(blank, blank, self.settings["residual"], self.settings["smoothing"])
        scoring.image_score(residual, self.settings["score"])

    def _build(self) -> Autoencoder:
        names = ("width", "depth", "latent", "skip", "skip_levels", "excite")
        return Autoencoder(self.preprocessing.channels, **{name: self.settings[name] for name in names})

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        seed_everything(self.training.seed)
        self.model = self._build().to(self.device)
        loss = build_loss(self.settings["loss"]).to(self.device)
        defects = build_defects(self.settings["defects"])

        def reconstructs(model, batch):
            return {"loss": loss(model(batch.images), batch.images), **loss.components}

        def repairs(model, batch):  # what goes in is corrupted; what should come out is clean
            clean = batch.images
            seen, masks, _ = defects(clean, batch.foreground, batch.generator())
            reconstructed = model(seen)
            parts = {"loss": loss(reconstructed, clean), **loss.components}
            if weight := self.settings["repair"]:
                inside = masks[:, None]
                share = inside.float().mean().clamp(min=1e-3)
                parts["repair"] = (
                    loss(torch.where(inside, reconstructed, clean), clean) / share
                )  # a mean over the defects
                parts["loss"] = parts["loss"] + weight * parts["repair"]
            return parts

        criterion = defects and synthetic_ap_criterion(defects, lambda model, seen: self._residual(seen, model(seen)))
        self._train(
            train, validation, repairs if defects else reconstructs, criterion, label=str(self.settings["loss"])
        )

    def _reconstruct(self, images: Tensor) -> Tensor:
        return self.model(images)

    def _anomaly_map(self, images: Tensor) -> Tensor:
        return self._residual(images, self.model(images))

    def _residual(self, images: Tensor, reconstructed: Tensor) -> Tensor:
        return scoring.anomaly_map(images, reconstructed, self.settings["residual"], self.settings["smoothing"])

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        return scoring.image_score(maps, self.settings["score"], foreground=foreground)
