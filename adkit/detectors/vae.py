"""Detection by a variational autoencoder: by what it cannot reconstruct, by how unusual its latent code is, or by both.

The linear heads of a VAE fix the size of its images. So it learns on square crops, and a sliding window cuts a frame
into overlapping squares of the same side, whose results are stitched: any frame works, and one as large as a crop is
one window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.data.tiling import stitch, tile_positions
from adkit.detectors.calibration import check_normal
from adkit.detectors.network import NetworkDetector, TrainingSettings, check_network
from adkit.detectors.settings import at_least_zero, between, count, whole
from adkit.detectors.sliding_window import extract_windows, map_in_batches
from adkit.losses import build_loss, kl_divergence
from adkit.models.elbo import ANNEALING, ELBOLoss
from adkit.models.patch_discriminator import AdversarialVAE, adversarial_losses
from adkit.models.vae import VAE
from adkit.models.vae_variants import build_vae
from adkit.runtime import generator, seed_everything
from adkit.scoring.anomaly_maps import MAP_METHODS
from adkit.training import Training

SCORES = ("reconstruction", "kl", "both")

# with images of 224 × 224 × 3, and ``steps`` of 50 epochs; without weight decay, AdamW is Adam
REFERENCE = {
    "crop": 224, "widths": [32, 64, 128, 256, 512], "latent_dim": 128, "beta": 1.0, "annealing": "none", "loss": "mse",
    "batch_size": 32, "learning_rate": 1e-4, "weight_decay": 0.0, "schedule": "constant",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class VAESettings(TrainingSettings):
    """Settings of :class:`VAEDetector`, beside those that all detectors which train a network share.

    The defaults were chosen on validation normals with synthetic defects, see
    :mod:`adkit.experiments.synthetic_validation`.

    Raises:
        ValueError: if a value is no literal, unknown to the part that it belongs to, or out of its range.
    """

    # dimensions of the latent space
    latent_dim: int = 64
    # channels of the network after each halving of the sides
    widths: Sequence[int] = (16, 32, 64)
    # plain, or another name of adkit.models.vae_variants.VARIANTS
    variant: str = "plain"
    # weight of a patch discriminator's verdict beside the loss; 0: there is none
    adversarial: float = 0.0
    # of the reconstruction, as adkit.losses.build_loss reads it
    loss: str | dict = "mse"
    # weight of the KL divergence, with both terms summed over an image
    beta: float = 0.02
    # how beta is reached: none, linear or cyclical
    annealing: str = "linear"
    # share of the steps (of each cycle, if cyclical) in which beta grows, between 0 and 1
    warmup: float = 0.3
    # number of cycles of the cyclical annealing
    cycles: int = 4
    # nats of KL that each latent dimension has free
    free_bits: float = 0.0
    # reconstruction: the residual; kl: the KL divergence of each window, equal over the window; both: their sum, each
    # divided by its standard deviation over the validation normals
    score_by: str = "reconstruction"
    # draws of z whose mean is the reconstruction, the same for all images; 0 takes z = μ
    samples: int = 0
    # pixels that neighbouring windows share at least; None: a quarter of their side
    overlap: int | None = None
    # how image and reconstruction are compared: a name of adkit.scoring.MAP_METHODS
    residual: str = "l2"
    # standard deviation of the Gaussian that smooths the map, in pixels; 0: none
    smoothing: float = 2.5
    # optimiser steps in all
    steps: int = 600
    # training crops a step
    batch_size: int = 32
    # side of the square training crops and of the network's images, in pixels
    crop: int = 32
    # peak of the one-cycle schedule, or the constant rate, of AdamW
    learning_rate: float = 8e-3
    # mirror crops at random; a mirrored twill is another cloth, and a bottleneck has no room to spare
    flips: bool = False

    def __post_init__(self):
        super().__post_init__()
        build_loss(self.loss)
        self.check_choice("annealing", ANNEALING)
        self.check_choice("score_by", SCORES)
        self.check_choice("residual", MAP_METHODS)
        self.check("beta", at_least_zero, "0 or a positive real number")
        self.check("adversarial", at_least_zero, "0 or a positive real number")
        self.check("warmup", between(0, 1), "a share of the steps, between 0 and 1")
        self.check("cycles", count, "a positive whole number")
        self.check("free_bits", at_least_zero, "0 or a positive number of nats a dimension")
        self.check("samples", lambda value: whole(value) and value >= 0, "0 or a positive whole number")
        self.check("overlap", self._overlap_fits, f"None or a whole number from 0 to {self.crop - 1}, below the crop")
        self.check("smoothing", at_least_zero, "0 or a positive number of pixels")
        check_network(self.network)

    def _overlap_fits(self, overlap: int | None) -> bool:
        return overlap is None or (whole(overlap) and 0 <= overlap < self.crop)

    def network(self, channels: int = 1) -> VAE:
        """The network of these settings, untrained, for images of 1 (grey) or 3 channels."""
        return build_vae(
            self.variant, latent_dim=self.latent_dim, widths=self.widths, image_size=(self.crop,) * 2, channels=channels
        )

    def training(self) -> Training:
        """As of every network; the gradient may be as much larger as the loss is, a sum over the pixels of a crop."""
        return replace(super().training(), gradient_clip=float(self.crop**2))

    def annealed(self, step: int) -> float:
        """The share of β that a training step, from 0, uses: in [0, 1]."""
        return ANNEALING[self.annealing](step, self.steps, warmup=self.warmup, cycles=self.cycles)


class VAEDetector(NetworkDetector):
    """A variational autoencoder, scored by its residual, its KL divergence, or both.

    The weights that are kept are those of the best ELBO at the final β, on held-out normal crops, of the validations at
    which β was reached. The training of the reference network is :data:`REFERENCE`.

    Args:
        settings: fields of :class:`VAESettings`, by name; what each is stands there.

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a value is unknown to the part that it belongs to, or out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(40, 64))
        >>> detector = VAEDetector(latent_dim=8, widths=(4, 8), steps=5, crop=32, quiet=True)
        >>> detector.fit(splits.train, splits.validation).anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 40, 64])
    """

    settings_class = VAESettings
    without_training = (
        *NetworkDetector.without_training, "score_by", "samples", "overlap", "residual", "smoothing",
    )  # fmt: skip

    def __init__(self, **settings):
        super().__init__(**settings)
        # standard deviations of residual and KL over the validation normals
        self.scales = torch.ones(2)

    def build_network(self) -> VAE:
        """The network of the settings, untrained."""
        return self.settings.network(self.preprocessing.channels)

    # -- training ------------------------------------------------------------------------------------------------------

    def rescored(self, validation: AnomalyDataset, **settings) -> "VAEDetector":
        """The same network under another scoring, in seconds; scales and thresholds come from validation normals.

        Args:
            validation: held-out normal images.
            settings: of :attr:`without_training`; what is not given stays as it is.

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if a setting would need another training.
        """
        self._require_fit()
        check_normal(validation=validation)
        other = self.with_settings(**settings)
        other._calibrate(validation)
        return other

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        settings = self.settings
        seed_everything(settings.seed)
        self.model = self.build_network().to(self.device)
        trainee = AdversarialVAE(self.model).to(self.device) if settings.adversarial else self.model
        train_loss = ELBOLoss(settings.loss, settings.free_bits).to(self.device)
        elbo = ELBOLoss(settings.loss).to(self.device)

        def objective(model, batch):
            beta = settings.beta * settings.annealed(batch.step)
            output = model(batch.images, batch.generator())
            parts = train_loss(output, batch.images, beta) | {"beta": torch.tensor(beta)}
            # of the network itself: what wraps it for several processes shows its forward pass alone
            return parts | self._adversarial_terms(trainee, batch.images, output.reconstruction, parts["loss"])

        def criterion(model, batch):
            return elbo(model(batch.images, batch.generator()), batch.images, settings.beta)

        # weights from before β was reached are never selected
        def reached(step):
            return settings.annealed(step - 1) == 1

        label = f"{settings.variant} vae"
        self._train(train, validation, objective, criterion, label, trainee, selectable=reached)

    def _adversarial_terms(
        self, model: torch.nn.Module, images: Tensor, reconstructed: Tensor, loss: Tensor
    ) -> dict[str, Tensor]:
        """The loss with what a discriminator adds to it, and both networks' losses, in the unit of the loss."""
        if not self.settings.adversarial:
            return {}
        numbers = images[0].numel()
        judged, deceived = (numbers * term for term in adversarial_losses(model.discriminator, images, reconstructed))
        total = loss + judged + self.settings.adversarial * deceived
        return {"loss": total, "discriminator": judged, "adversarial": deceived}

    @torch.inference_mode()
    def _measure_scales(self, validation: AnomalyDataset) -> None:
        """Set the scales of residual and KL, where both count, from the foreground of the validation normals."""
        if self.settings.score_by != "both":
            return
        pixels = []
        for i in range(len(validation)):
            item = validation[i]
            maps = self._both_maps(item["image"][None].to(self.device))[:, 0]  # (2, H, W)
            pixels.append(maps[:, item["foreground"].to(self.device)])
        self.scales = torch.cat(pixels, dim=1).std(dim=1).clamp(min=1e-12).cpu()

    # -- scoring -------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder says of each window of images.

        Args:
            images: (B, C, H, W) in [0, 1]; raises as ``anomaly_map``.

        Returns:
            μ and log σ², (B, windows, latent_dim) each, on the CPU; the windows go row by row, as of
            :func:`adkit.data.tile_positions`, and there is one where the images are as large as a crop.
        """
        self._require_fit()
        self._check(images)
        windows = self._windows(images.float().to(self.device))
        mu, log_variance = map_in_batches(self.model.encode, windows)
        mu, log_variance = mu.transpose(0, 1).cpu(), log_variance.transpose(0, 1).cpu()
        return mu, log_variance

    def _anomaly_map(self, images: Tensor) -> Tensor:
        if self.settings.score_by == "reconstruction":
            return self._residual(images)
        if self.settings.score_by == "kl":
            return self._kl_map(images)
        return (self._both_maps(images) / self.scales.to(self.device)[:, None, None, None]).sum(dim=0)

    def _both_maps(self, images: Tensor) -> Tensor:
        return torch.stack([self._residual(images), self._kl_map(images)])

    def _residual(self, images: Tensor) -> Tensor:
        reconstructed = self._reconstruct(images)
        return scoring.anomaly_map(images, reconstructed, self.settings.residual, self.settings.smoothing)

    def _reconstruct(self, images: Tensor) -> Tensor:
        # with the same draws for all of them
        def reconstruct(windows):
            draws = generator(self.settings.seed, device=self.device)
            return (self.model.reconstruct(windows, self.settings.samples, draws),)

        (reconstructed,) = map_in_batches(reconstruct, self._windows(images))
        return self._stitched(reconstructed, images)

    def _kl_map(self, images: Tensor) -> Tensor:
        """The KL divergence of each window in nats, spread over the window: (B, H, W)."""
        side = self.settings.crop
        codes = map_in_batches(self.model.encode, self._windows(images))
        nats = kl_divergence(*codes, reduction="none").sum(dim=-1)  # (windows, B)
        return self._stitched(nats[..., None, None].expand(-1, -1, side, side), images)

    def _positions(self, images: Tensor) -> list[tuple[int, int]]:
        crop, overlap = self.settings.crop, self.settings.overlap
        return tile_positions(tuple(images.shape[-2:]), (crop, crop), crop // 4 if overlap is None else overlap)

    def _windows(self, images: Tensor) -> Tensor:
        return extract_windows(images, self._positions(images), self.settings.crop)

    def _stitched(self, tiles: Tensor, images: Tensor) -> Tensor:
        return stitch(tiles, self._positions(images), tuple(images.shape[-2:]))

    # -- on disk -------------------------------------------------------------------------------------------------------

    def _tensors(self) -> dict[str, Tensor]:
        return {"scales": self.scales, **super()._tensors()}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.scales = tensors["scales"]
        super()._restore({name: value for name, value in tensors.items() if name != "scales"})
