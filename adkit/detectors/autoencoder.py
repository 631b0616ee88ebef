"""Detection by reconstruction: what an autoencoder trained on normal images cannot draw again is anomalous."""

from dataclasses import fields

import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.defects import build_defects
from adkit.detectors.base import Detector
from adkit.losses import build_loss
from adkit.metrics import average_precision
from adkit.models.autoencoder import Autoencoder
from adkit.runtime import resolve_precision, seed_everything
from adkit.training import Training, fit


class AutoencoderDetector(Detector):
    """A convolutional autoencoder and its residual.

    Args:
        width, depth, latent, skip: of the network, see :class:`adkit.models.autoencoder.Autoencoder`.
        loss: what training minimises, see :func:`adkit.losses.build_loss`; for example ``"mse + 0.5*ssim"``.
        defects: synthetic defects that training puts on the input, and the network learns to take away: None for
            none, or see :func:`adkit.defects.build_defects`. With them, the weights that are kept are those of the
            best pixel average precision on held-out normal crops with synthetic defects.
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
        width: int = 16,
        depth: int = 4,
        latent: int = 32,
        skip: str = "none",
        loss: str | dict = "mse + 0.1*ssim",
        defects: str | list | dict | None = None,
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
        self.training = Training(**{f.name: self.settings[f.name] for f in fields(Training) if f.name in self.settings})
        self.model: Autoencoder | None = None
        self._rehearse()

    def _rehearse(self) -> None:
        """Refuse a misspelt setting now, not after the training that it would spoil."""
        build_loss(self.settings["loss"])
        build_defects(self.settings["defects"])
        resolve_precision(self.settings["precision"], self.device)
        with torch.device("meta"):  # shapes only: no memory, no random numbers
            self._build()
        blank = torch.zeros(1, 1, 32, 32)
        residual = scoring.anomaly_map(blank, blank, self.settings["residual"], self.settings["smoothing"])
        scoring.image_score(residual, self.settings["score"])

    def _build(self) -> Autoencoder:
        architecture = {name: self.settings[name] for name in ("width", "depth", "latent", "skip")}
        return Autoencoder(self.preprocessing.channels, **architecture)

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        seed_everything(self.training.seed)
        self.model = self._build().to(self.device)
        loss = build_loss(self.settings["loss"]).to(self.device)
        defects = build_defects(self.settings["defects"])

        def objective(model, batch):  # what goes in may be corrupted; what should come out is clean
            seen = defects(batch.images, batch.foreground, batch.generator())[0] if defects else batch.images
            return {"loss": loss(model(seen), batch.images), **loss.components}

        def misses(model, batch):
            seen, masks, _ = defects(batch.images, batch.foreground, batch.generator())
            found = average_precision(masks.cpu().numpy(), self._residual(seen, model(seen)).float().cpu().numpy())
            return {"loss": torch.tensor(1 - found, device=seen.device)}

        self.history = fit(
            self.model, train, validation, objective, self.training, misses if defects else None,
            checkpoint=self.checkpoint, label=str(self.settings["loss"]), quiet=self.quiet,
        )  # fmt: skip

    @torch.inference_mode()
    def reconstruct(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] as the network draws them again, on the CPU; raises as ``anomaly_map``."""
        self._require_fit()
        self._check(images)
        return self.model(images.float().to(self.device)).cpu()

    def _anomaly_map(self, images: Tensor) -> Tensor:
        return self._residual(images, self.model(images))

    def _residual(self, images: Tensor, redrawn: Tensor) -> Tensor:
        return scoring.anomaly_map(images, redrawn, self.settings["residual"], self.settings["smoothing"])

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        return scoring.image_score(maps, self.settings["score"], foreground=foreground)

    def _tensors(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.model = self._build().to(self.device)
        self.model.load_state_dict(tensors)
        self.model.eval()
