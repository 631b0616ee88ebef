"""Detection by a variational autoencoder: by what it cannot draw again, by how unusual its latent code is, or by both.

The linear heads of a VAE fix the size of its images. So it learns on square crops, and a frame is cut into overlapping
squares of the same side, whose results are stitched: any frame works, and a frame as large as a crop is one square.
"""

import copy
from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.data.tiling import stitch, tile_positions
from adkit.detectors.network import NetworkDetector
from adkit.detectors.sliding_window import cut_squares, in_chunks
from adkit.losses import kl_divergence
from adkit.models.elbo import ANNEALING, ELBOLoss
from adkit.models.patch_discriminator import AdversarialVAE, adversarial_losses
from adkit.models.vae import VAE
from adkit.models.vae_variants import build_vae
from adkit.runtime import generator, resolve_precision, seed_everything

SCORES = ("reconstruction", "kl", "both")
RESCORED = (  # settings that can change after training
    "score_by", "samples", "overlap", "residual", "smoothing", "score", "percentile", "pixel_percentile",
    "device", "quiet",
)  # fmt: skip

REFERENCE = {  # with images of 224 × 224 × 3, and ``steps`` of 50 epochs; without weight decay, AdamW is Adam
    "crop": 224, "widths": [32, 64, 128, 256, 512], "latent_dim": 128, "beta": 1.0, "annealing": "none", "loss": "mse",
    "batch_size": 32, "learning_rate": 1e-4, "weight_decay": 0.0, "schedule": "constant",
}  # fmt: skip


class VAEDetector(NetworkDetector):
    """A variational autoencoder, scored by its residual, its KL divergence, or both.

    The defaults were chosen on validation normals with drawn defects, see
    :mod:`adkit.experiments.synthetic_validation`; the training of the reference network is :data:`REFERENCE`.

    Args:
        latent_dim, widths: of the network, see :class:`adkit.models.vae.VAE`; its image size is ``crop`` × ``crop``.
        variant: ``plain``, or another of :data:`adkit.models.vae_variants.VARIANTS`.
        adversarial: weight of a patch discriminator's verdict beside the loss, 0: none; see
            :mod:`adkit.models.patch_discriminator`.
        loss: of the reconstruction, see :func:`adkit.losses.build_loss`.
        beta: weight of the KL divergence, with both terms summed over an image, see :mod:`adkit.models.elbo`.
        annealing: ``none``, ``linear`` or ``cyclical``: how β is reached.
        warmup: the share of the steps (of each cycle, if cyclical) in which β grows.
        cycles: of the cyclical annealing.
        free_bits: nats of KL that each latent dimension has free.
        score_by: ``reconstruction``, the residual; ``kl``, the KL divergence of each square, equal over the square;
            ``both``, their sum, each divided by its standard deviation over the validation normals.
        samples: draws of z whose mean is the reconstruction; 0 takes z = μ. The draws are the same for all images.
        overlap: pixels that neighbouring squares share at least; None: a quarter of their side.
        residual, smoothing, score, percentile, pixel_percentile: as in
            :class:`adkit.detectors.autoencoder.AutoencoderDetector`.
        steps, batch_size, crop, learning_rate, weight_decay, schedule, patience, flips, augment, validate_every, seed,
            device, precision: of :class:`adkit.training.Training`. The weights that are kept are those of the best ELBO
            at the final β, on held-out normal crops, of the validations at which β was reached. No flips by default: a
            mirrored twill is another cloth, and a bottleneck has no room to spare.
        quiet: show no progress.

    Raises:
        ValueError: if a setting is unknown to the part it belongs to, or out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(40, 64))
        >>> detector = VAEDetector(latent_dim=8, widths=(4, 8), steps=5, crop=32, quiet=True)
        >>> detector.fit(splits.train, splits.validation).anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 40, 64])
    """

    def __init__(
        self,
        *,
        latent_dim: int = 64,
        widths: tuple[int, ...] = (16, 32, 64),
        variant: str = "plain",
        adversarial: float = 0.0,
        loss: str | dict = "mse",
        beta: float = 0.02,
        annealing: str = "linear",
        warmup: float = 0.3,
        cycles: int = 4,
        free_bits: float = 0.0,
        score_by: str = "reconstruction",
        samples: int = 0,
        overlap: int | None = None,
        residual: str = "l2",
        smoothing: float = 2.5,
        score: str = "max",
        percentile: float = 95.0,
        pixel_percentile: float = 99.5,
        steps: int = 600,
        batch_size: int = 32,
        crop: int = 32,
        learning_rate: float = 8e-3,
        weight_decay: float = 1e-4,
        schedule: str = "one-cycle",
        patience: int | None = None,
        flips: bool = False,
        augment: bool = False,
        validate_every: int = 100,
        seed: int = 0,
        device: str = "auto",
        precision: str = "auto",
        quiet: bool = False,
    ):
        super().__init__(locals())
        self.training = replace(self.training, gradient_clip=float(crop**2))  # the loss is a sum over as many pixels
        self.overlap = crop // 4 if overlap is None else overlap
        self.scales = torch.ones(2)  # standard deviations of residual and KL over the validation normals
        self._trained: VAEDetector | None = None  # whose network is scored in another way, while fit runs
        self._rehearse()

    def _rehearse(self) -> None:
        """Refuse a misspelt setting now, not after the training that it would spoil."""
        settings = self.settings
        _check_settings(settings)
        ELBOLoss(settings["loss"], settings["free_bits"])
        resolve_precision(settings["precision"], self.device)
        tile_positions((1, 1), (settings["crop"],) * 2, self.overlap)
        self._rehearse_build()
        blank = torch.zeros(1, 1, 32, 32)
        residual = scoring.anomaly_map(blank, blank, settings["residual"], settings["smoothing"])
        scoring.image_score(residual, settings["score"])

    def _build(self) -> VAE:
        architecture = {name: self.settings[name] for name in ("variant", "latent_dim", "widths")}
        return build_vae(**architecture, image_size=(self.settings["crop"],) * 2, channels=self.preprocessing.channels)

    # -- training ------------------------------------------------------------------------------------------------------

    def rescored(self, validation: AnomalyDataset, **settings) -> "VAEDetector":
        """The same network under another scoring, in seconds; scales and thresholds come from validation normals.

        Args:
            validation: held-out normal images.
            settings: of :data:`RESCORED`; what is not given stays as it is.

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if a setting would need another training.
        """
        self._require_fit()
        if changed := set(settings) - set(RESCORED):
            raise ValueError(
                f"{', '.join(sorted(changed))} cannot change without another training; fit a new VAEDetector, or "
                f"change one of {', '.join(RESCORED)}"
            )
        other = type(self)(**self.settings | settings)
        other._trained = self
        try:
            return other.fit(validation, validation)
        finally:
            other._trained = None

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        if self._trained is None:
            self._learn(train, validation)
        else:
            self.model = copy.deepcopy(self._trained.model).to(self.device)
            self.history = copy.deepcopy(self._trained.history)
        if self.settings["score_by"] == "both":
            self._calibrate(validation)

    def _learn(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        seed_everything(self.training.seed)
        settings, self.model = self.settings, self._build().to(self.device)
        trainee = AdversarialVAE(self.model).to(self.device) if settings["adversarial"] else self.model
        steps, beta = self.training.steps, settings["beta"]
        anneal = partial(ANNEALING[settings["annealing"]], warmup=settings["warmup"], cycles=settings["cycles"])
        train_loss = ELBOLoss(settings["loss"], settings["free_bits"]).to(self.device)
        elbo = ELBOLoss(settings["loss"]).to(self.device)

        def objective(model, batch):
            annealed = beta * anneal(batch.step, steps)
            output = model(batch.images, batch.generator())
            parts = train_loss(output, batch.images, annealed) | {"beta": torch.tensor(annealed)}
            return parts | self._adversarial_terms(model, batch.images, output.reconstruction, parts["loss"])

        def criterion(model, batch):
            return elbo(model(batch.images, batch.generator()), batch.images, beta)

        def reached(step):  # β; weights from before it are never selected
            return anneal(step - 1, steps) == 1

        label = f"{settings['variant']} vae"
        self._train(train, validation, objective, criterion, label, trainee, selectable=reached)

    def _adversarial_terms(
        self, model: torch.nn.Module, images: Tensor, reconstructed: Tensor, loss: Tensor
    ) -> dict[str, Tensor]:
        """The loss with what a discriminator adds to it, and both networks' losses, in the unit of the loss."""
        if not self.settings["adversarial"]:
            return {}
        numbers = images[0].numel()
        judged, deceived = (numbers * one for one in adversarial_losses(model.discriminator, images, reconstructed))
        total = loss + judged + self.settings["adversarial"] * deceived
        return {"loss": total, "discriminator": judged, "adversarial": deceived}

    @torch.inference_mode()
    def _calibrate(self, validation: AnomalyDataset) -> None:
        """Set the scales of residual and KL from the foreground of the validation normals."""
        found = []
        for i in range(len(validation)):
            item = validation[i]
            maps = self._both_maps(item["image"][None].to(self.device))[:, 0]  # (2, H, W)
            found.append(maps[:, item["foreground"].to(self.device)])
        self.scales = torch.cat(found, dim=1).std(dim=1).clamp(min=1e-12).cpu()

    # -- scoring -------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder says of each square of images (B, C, H, W) in [0, 1]; raises as ``anomaly_map``.

        Returns:
            μ and log σ², (B, squares, latent_dim) each, on the CPU; the squares go row by row, as of
            :func:`adkit.data.tile_positions`, and there is one where the images are as large as a crop.
        """
        self._require_fit()
        self._check(images)
        squares = self._squares(images.float().to(self.device))
        mu, log_variance = in_chunks(self.model.encode, squares)
        mu, log_variance = mu.transpose(0, 1).cpu(), log_variance.transpose(0, 1).cpu()
        return mu, log_variance

    def _anomaly_map(self, images: Tensor) -> Tensor:
        if self.settings["score_by"] == "reconstruction":
            return self._residual(images)
        if self.settings["score_by"] == "kl":
            return self._kl_map(images)
        return (self._both_maps(images) / self.scales.to(self.device)[:, None, None, None]).sum(dim=0)

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        return scoring.image_score(maps, self.settings["score"], foreground=foreground)

    def _both_maps(self, images: Tensor) -> Tensor:
        return torch.stack([self._residual(images), self._kl_map(images)])

    def _residual(self, images: Tensor) -> Tensor:
        return scoring.anomaly_map(
            images, self._reconstruct(images), self.settings["residual"], self.settings["smoothing"]
        )

    def _reconstruct(self, images: Tensor) -> Tensor:
        def reconstruct(squares):  # with the same draws for all of them
            draws = generator(self.training.seed, device=self.device)
            return (self.model.reconstruct(squares, self.settings["samples"], draws),)

        (squares,) = in_chunks(reconstruct, self._squares(images))
        return self._stitched(squares, images)

    def _kl_map(self, images: Tensor) -> Tensor:
        """The KL divergence of each square in nats, spread over the square: (B, H, W)."""
        side = self.settings["crop"]
        codes = in_chunks(self.model.encode, self._squares(images))
        nats = kl_divergence(*codes, reduction="none").sum(dim=-1)  # (squares, B)
        return self._stitched(nats[..., None, None].expand(-1, -1, side, side), images)

    def _positions(self, images: Tensor) -> list[tuple[int, int]]:
        return tile_positions(tuple(images.shape[-2:]), (self.settings["crop"],) * 2, self.overlap)

    def _squares(self, images: Tensor) -> Tensor:
        return cut_squares(images, self._positions(images), self.settings["crop"])

    def _stitched(self, tiles: Tensor, images: Tensor) -> Tensor:
        return stitch(tiles, self._positions(images), tuple(images.shape[-2:]))

    # -- on disk -------------------------------------------------------------------------------------------------------

    def _tensors(self) -> dict[str, Tensor]:
        return {"scales": self.scales, **super()._tensors()}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.scales = tensors["scales"]
        super()._restore({name: value for name, value in tensors.items() if name != "scales"})


def _check_settings(settings: dict) -> None:
    for name, known in {"score_by": SCORES, "annealing": tuple(ANNEALING)}.items():
        if settings[name] not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {settings[name]!r}")
    if not 0 < settings["warmup"] < 1:
        raise ValueError(f"warmup is a share of the steps, between 0 and 1, got {settings['warmup']!r}")
    for name, kind in {"beta": Real, "adversarial": Real, "samples": Integral}.items():
        if not (isinstance(settings[name], kind) and 0 <= settings[name] < float("inf")):
            raise ValueError(f"{name} must be 0 or a positive {kind.__name__.lower()} number, got {settings[name]!r}")
    if not (isinstance(settings["cycles"], Integral) and settings["cycles"] > 0):
        raise ValueError(f"cycles must be a positive whole number, got {settings['cycles']!r}")
