"""The loss of a variational autoencoder: the negative ELBO, and how the weight of its KL term may grow.

Both terms count the same thing, one whole image: the reconstruction loss, a mean over the N = C · H · W numbers of an
image, is multiplied by N, and the KL divergence is summed over the latent dimensions. Only so does ``beta`` mean the
same for every image size: with the squared error and β = 1 the loss is, up to a constant, the negative ELBO of a
Gaussian decoder with the variance 1/2; β stands for a variance of β / 2.
"""

from collections.abc import Callable

from torch import Tensor, nn

from adkit.losses import build_loss, kl_divergence
from adkit.models.vae import VAEOutput


class ELBOLoss(nn.Module):
    """reconstruction + β · KL, each a sum over an image and a mean over the batch.

    Args:
        reconstruction: see :func:`adkit.losses.build_loss`.
        free_bits: nats that each latent dimension may use before its KL costs anything, which keeps it from collapsing.

    Raises:
        ValueError: if ``free_bits`` is negative, or the loss is unknown.

    Source:
        Higgins et al.: beta-VAE, ICLR 2017. Free bits: Kingma et al., Improved variational inference with inverse
        autoregressive flow, NeurIPS 2016, appendix C.8; its groups are single dimensions here.

    Example:
        >>> import torch
        >>> images, zeros = torch.zeros(2, 1, 4, 4), torch.zeros(2, 3)
        >>> output = VAEOutput(images + 0.5, zeros + 1, zeros, zeros)
        >>> {name: value.item() for name, value in ELBOLoss()(output, images, beta=2.0).items()}
        {'loss': 7.0, 'reconstruction': 4.0, 'kl': 1.5}
    """

    def __init__(self, reconstruction: str | dict | nn.Module = "mse", free_bits: float = 0.0):
        super().__init__()
        if not free_bits >= 0:
            raise ValueError(f"free_bits must be 0 or a positive number of nats a dimension, got {free_bits!r}")
        self.reconstruction, self.free_bits = build_loss(reconstruction), free_bits

    def forward(self, output: VAEOutput, images: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
        """Scalars: ``loss``, and its parts ``reconstruction`` and ``kl`` without their weights.

        Where the reconstruction is a sum of several losses, each of them follows, in the same unit. ``kl`` is the true
        divergence; what free bits spare is missing from ``loss`` only.

        Args:
            output: of the network's pass.
            images: (B, C, H, W) in [0, 1], what should come out.
            beta: weight of the divergence, at least 0.
        """
        numbers = images[0].numel()
        reconstruction = numbers * self.reconstruction(output.reconstruction, images)
        kl = kl_divergence(output.mu, output.log_variance, reduction="none").mean(dim=0)  # (latent_dim,)
        loss = reconstruction + beta * kl.clamp(min=self.free_bits).sum()
        components = getattr(self.reconstruction, "components", {})
        parts = {name: numbers * value for name, value in components.items()} if len(components) > 1 else {}
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl.sum(), **parts}


# -- annealing: the share of β that a step uses, in [0, 1] -----------------------------------------------------------


def no_annealing(step: int, steps: int, warmup: float = 0.5, cycles: int = 4) -> float:
    """All of β from the first step on; takes what the other schedules take, and needs none of it."""
    return 1.0


def linear_annealing(step: int, steps: int, warmup: float = 0.5, cycles: int = 4) -> float:
    """From 0 straight up to 1 in the first ``warmup`` of the steps.

    Args:
        step: number of the step, from 0.
        steps: how many there are in all.
        warmup: share of the steps in which β grows, in (0, 1).
        cycles: not used.

    Source:
        Such a warm-up: Bowman et al., Generating sentences from a continuous space, CoNLL 2016.

    Example:
        >>> [linear_annealing(step, steps=100, warmup=0.2) for step in (0, 5, 20, 99)]
        [0.0, 0.25, 1.0, 1.0]
    """
    return min(1.0, step / (warmup * steps))


def cyclical_annealing(step: int, steps: int, warmup: float = 0.5, cycles: int = 4) -> float:
    """``cycles`` times from 0 up to 1 in the first ``warmup`` of the cycle, and 1 for the rest of it.

    Args:
        step: number of the step, from 0.
        steps: how many there are in all.
        warmup: share of each cycle in which β grows, in (0, 1).
        cycles: positive integer, how many times β starts again from 0.

    Source:
        Fu et al.: Cyclical annealing schedule, NAACL 2019, equation 6; four cycles and half of each are theirs.

    Example:
        >>> [cyclical_annealing(step, steps=80) for step in (0, 5, 10, 19, 20, 25)]
        [0.0, 0.5, 1.0, 1.0, 0.0, 0.5]
    """
    period = steps / cycles
    return min(1.0, step % period / (warmup * period))


ANNEALING: dict[str, Callable[..., float]] = {
    "none": no_annealing,
    "linear": linear_annealing,
    "cyclical": cyclical_annealing,
}
