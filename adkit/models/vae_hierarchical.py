"""A VAE with two latent levels: first what the whole image is like, then, given that, what its parts are like."""

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from adkit.models.vae import VAE, VAEOutput, reparameterise

POOLED = 4  # side of the grid that the lower level describes


class HierarchicalVAE(VAE):
    """Two latent levels: the top half of z describes the whole image, the lower half a 4 × 4 grid of it, given the top.

    The lower level's prior is a Gaussian that the decoder predicts from the top half. The lower half of ``mu``,
    ``log_variance`` and ``z`` is measured in units of that prior: (value - mean) / standard deviation. A KL divergence
    does not change under such a change of units, so that for both halves the prior is the standard normal one.

    Args:
        settings: of :class:`adkit.models.vae.VAE`; ``latent_dim`` is shared evenly by the levels.

    Raises:
        ValueError: if there are fewer than three widths or two latent dimensions.

    Source:
        Sønderby et al.: Ladder variational autoencoders, NeurIPS 2016; relative to the prior as in Vahdat and Kautz:
        NVAE, NeurIPS 2020.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        if len(self.widths) < 3 or self.latent_dim < 2:
            raise ValueError(
                "two latent levels need at least three widths and two latent dimensions, "
                f"got widths={self.widths} and latent_dim={self.latent_dim}"
            )
        # the encoder level that is read, and the number of steps that the decoder still has to go there
        self.middle = len(self.widths) // 2
        width, low = self.widths[self.middle], self.latent_dim // 2
        self.top, cells = self.latent_dim - low, width * POOLED**2
        self.mu, self.log_variance = nn.Linear(self.cells, self.top), nn.Linear(self.cells, self.top)
        self.expand = nn.Linear(self.top, self.cells)
        self.prior = nn.Linear(cells, 2 * low)  # from the decoder's features to the prior's mean and log variance
        self.posterior = nn.Linear(2 * cells, 2 * low)  # from both networks' features, in units of the prior
        self.insert = nn.Linear(low, cells)

    def trace(self, images: Tensor, noise: Tensor) -> VAEOutput:
        """As ``VAE.trace``: the top is sampled first, the lower level given the top."""
        levels = self.features(images)
        cells = levels[-1].flatten(1)
        mu, log_variance = self.mu(cells).float(), self.log_variance(cells).float()
        z = reparameterise(mu, log_variance, noise[:, : self.top])
        x = self._rise(z)
        seen = torch.cat([_pooled(x), _pooled(levels[self.middle])], dim=1)
        low_mu, low_log_variance = self.posterior(seen).float().chunk(2, dim=1)
        low = reparameterise(low_mu, low_log_variance, noise[:, self.top :])
        return VAEOutput(
            self._finish(x, low),
            torch.cat([mu, low_mu], dim=1),
            torch.cat([log_variance, low_log_variance], dim=1),
            torch.cat([z, low], dim=1),
        )

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of both levels, (B, latent_dim) each; those of the lower level where the top is at its μ."""
        output = self.trace(images, torch.zeros(1, self.latent_dim, device=images.device))
        return output.mu, output.log_variance

    def decode(self, z: Tensor) -> Tensor:
        """Both levels' z (B, latent_dim) to images (B, C, H, W) in (0, 1)."""
        return self._finish(self._rise(z[:, : self.top]), z[:, self.top :])

    def _rise(self, top: Tensor) -> Tensor:
        """The decoder up to the resolution of the middle level."""
        x = self.expanded(top)
        for up in self.up[: len(self.widths) - 1 - self.middle]:
            x = up(x)
        return x

    def _finish(self, x: Tensor, low: Tensor) -> Tensor:
        """Put the lower level's values, given in units of their prior, into the decoder, and go on."""
        mean, log_variance = self.prior(_pooled(x)).chunk(2, dim=1)
        values = reparameterise(mean, log_variance, low)
        grid = self.insert(values).unflatten(1, (-1, POOLED, POOLED))
        x = x + interpolate(grid, size=x.shape[-2:], mode="bilinear", align_corners=False)
        for up in self.up[len(self.widths) - 1 - self.middle :]:
            x = up(x)
        return self.finish(x)


def _pooled(x: Tensor) -> Tensor:
    """Feature maps (B, C, H, W) as means over a 4 × 4 grid: (B, C · 16)."""
    return adaptive_avg_pool2d(x, POOLED).flatten(1)
