"""The regulariser of a variational autoencoder."""

import torch
from torch import Tensor

from adkit.losses.images import reduce

ACTIVE_VARIANCE = 0.01  # of μ over inputs, above which a latent dimension counts as active (Burda et al., ICLR 2016)


def kl_divergence(mu: Tensor, logvar: Tensor, reduction: str = "mean") -> Tensor:
    """Divergence of N(mu, exp(logvar)) from the standard normal, in nats: *summed* over the latent dimensions.

    The mean over the batch follows. A reconstruction term that is weighed against it must be a sum over an image too:
    a mean over pixels would make ``beta`` depend on the size of the image.

    Args:
        mu: means (B, ...), any float type; computed in float32 at least.
        logvar: logarithms of the variances, of the same shape.
        reduction: ``mean`` for the scalar; ``none`` for each dimension on its own, in the shape of ``mu``.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Kingma and Welling: Auto-encoding variational Bayes, ICLR 2014, appendix B.

    Example:
        >>> kl_divergence(torch.ones(8, 4), torch.zeros(8, 4))  # 4 dimensions of 0.5 nats
        tensor(2.)
    """
    if mu.shape != logvar.shape:
        raise ValueError(f"mu and logvar must have one shape, got {tuple(mu.shape)} and {tuple(logvar.shape)}")
    dtype = torch.promote_types(mu.dtype, torch.float32)
    mu, logvar = mu.to(dtype), logvar.to(dtype)
    nats = 0.5 * (mu.square() + logvar.expm1() - logvar)
    return reduce(nats.flatten(1).sum(dim=1), reduction) if reduction != "none" else nats
