"""A VAE that is told what it looks at: the class of an image, or a code of the fabric that the image itself shows."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from adkit.models.vae import VAE, VAEOutput, reparameterise

RINGS = 6  # of frequency, in a fabric code


def fabric_code(images: Tensor) -> Tensor:
    """What fabric an image shows, in 2 + ``RINGS`` numbers: mean, standard deviation, and where its frequencies lie.

    The last numbers are the shares of the spectrum's energy, without the mean, in rings of frequency from 0 to 0.5
    cycles a pixel. They change little with a small defect, and much with another cloth.

    Args:
        images: (B, C, H, W) in [0, 1].

    Returns:
        (B, 2 + RINGS), all of them in [0, 1].

    Example:
        >>> fabric_code(torch.rand(3, 1, 64, 64)).shape
        torch.Size([3, 8])
    """
    grey = images.float().mean(dim=1)  # (B, H, W)
    energy = torch.fft.rfft2(grey - grey.mean(dim=(1, 2), keepdim=True)).abs().square().flatten(1)
    rows = torch.fft.fftfreq(grey.shape[1], device=grey.device)[:, None]
    columns = torch.fft.rfftfreq(grey.shape[2], device=grey.device)
    ring = ((rows.square() + columns.square()).sqrt() * 2 * RINGS).long().clamp(max=RINGS - 1).flatten()
    rings = torch.zeros(len(grey), RINGS, device=grey.device).index_add_(1, ring, energy)
    shares = rings / rings.sum(dim=1, keepdim=True).clamp(min=1e-12)
    return torch.cat([grey.mean(dim=(1, 2))[:, None], grey.std(dim=(1, 2))[:, None], shares], dim=1)


class ConditionalVAE(VAE):
    """Encoder and decoder are told what they look at, so that z need not say it again.

    Args:
        condition: numbers in a condition: classes, if it is one-hot.
        describe: turns images into conditions (B, condition) where none are given; default: :func:`fabric_code`.
        settings: of :class:`adkit.models.vae.VAE`.

    Source:
        Sohn, Lee and Yan: Learning structured output representation using deep conditional generative models,
        NeurIPS 2015.

    Example:
        >>> model = ConditionalVAE(condition=5, image_size=(32, 32), channels=1, latent_dim=4, widths=(8, 8)).eval()
        >>> denim = torch.eye(5)[[0, 0]]
        >>> model(torch.rand(2, 1, 32, 32), condition=denim).reconstruction.shape
        torch.Size([2, 1, 32, 32])
    """

    def __init__(self, *, condition: int = 2 + RINGS, describe: Callable[[Tensor], Tensor] = fabric_code, **settings):
        super().__init__(**settings)
        self.condition, self.describe = condition, describe
        self.mu = nn.Linear(self.cells + condition, self.latent_dim)
        self.log_variance = nn.Linear(self.cells + condition, self.latent_dim)
        self.expand = nn.Linear(self.latent_dim + condition, self.cells)

    def forward(
        self, images: Tensor, generator: torch.Generator | None = None, condition: Tensor | None = None
    ) -> VAEOutput:
        """As ``VAE.forward``, given conditions (B, condition); None: those that the images themselves show."""
        noise = self.noise(images, generator)
        return self.trace(images, noise, condition)

    def trace(self, images: Tensor, noise: Tensor, condition: Tensor | None = None) -> VAEOutput:
        """As ``VAE.trace``, given conditions (B, condition)."""
        condition = self.describe(images) if condition is None else condition
        mu, log_variance = self.encode(images, condition)
        z = reparameterise(mu, log_variance, noise)
        return VAEOutput(self.decode(z, condition), mu, log_variance, z)

    def encode(self, images: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """μ and log σ², (B, latent_dim) each, of images under their conditions."""
        condition = self.describe(images) if condition is None else condition
        cells = torch.cat([self.features(images)[-1].flatten(1), self._checked(condition)], dim=1)
        return self.mu(cells).float(), self.log_variance(cells).float()

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """Latent vectors (B, latent_dim) under conditions (B, condition) to images (B, C, H, W) in (0, 1).

        Raises:
            ValueError: if the conditions have another shape.
        """
        return super().decode(torch.cat([z, self._checked(condition)], dim=1))

    def _checked(self, condition: Tensor) -> Tensor:
        if condition.ndim != 2 or condition.shape[1] != self.condition:
            raise ValueError(f"condition must have the shape (B, {self.condition}), got {tuple(condition.shape)}")
        return condition
