"""What the latent codes of normal images say: which dimensions carry anything, how much, and with how much noise."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.losses.divergence import ACTIVE_VARIANCE, kl_divergence
from adkit.runtime import generator

# codes that are compared with one another; the mutual information cannot come out above log(MOST)
MOST = 512
CEILING = 0.9  # share of that highest value from which on the estimate only says "at least so much"


@dataclass(frozen=True)
class Codes:
    """Latent Gaussians of N normal inputs in D dimensions.

    Attributes:
        mu: means, (N, D).
        variance: σ², (N, D).
        kl: mean KL divergence of each dimension from the prior, in nats, (D,).
        spread: variance of μ over the inputs, (D,).
        active: ``spread`` above 0.01, bool (D,).
        mutual_information: nats that z tells of its input, see `mutual_information`.
    """

    mu: np.ndarray
    variance: np.ndarray
    kl: np.ndarray
    spread: np.ndarray
    active: np.ndarray
    mutual_information: float

    @classmethod
    def of(cls, mu: Tensor, log_variance: Tensor, most: int = MOST) -> "Codes":
        """What means and variances say.

        Args:
            mu: means (N, D), float.
            log_variance: log σ², of the same shape.
            most: so many codes, at most, are compared with one another for the mutual information.

        Source:
            Active units: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, ICLR 2016, section 2.

        Example:
            >>> codes = Codes.of(torch.tensor([[0.0, 3.0], [0.0, -3.0]]), torch.zeros(2, 2))
            >>> codes.active.tolist(), codes.kl.tolist()
            ([False, True], [0.0, 4.5])
        """
        kl = kl_divergence(mu, log_variance, reduction="none").mean(dim=0)
        spread = mu.var(dim=0, correction=0)
        few = torch.linspace(0, len(mu) - 1, min(most, len(mu))).long()
        parts = (mu, log_variance.exp(), kl, spread, spread > ACTIVE_VARIANCE)
        return cls(*(part.numpy() for part in parts), mutual_information(mu[few], log_variance[few]))

    @property
    def information_is_bound(self) -> bool:
        """Whether the mutual information has come near log N, above which its estimate cannot rise: a lower bound."""
        return self.mutual_information > CEILING * np.log(max(2, min(len(self.mu), MOST)))


def mutual_information(mu: Tensor, log_variance: Tensor, seed: int = 0) -> float:
    """How much a sample of z tells of the input it came from, in nats: E KL(q(z|x) ‖ p) - KL(q(z) ‖ p).

    The aggregate q(z) is the mean of the N posteriors, and one z is drawn from each: I = E log q(z|x) - E log q(z). It
    cannot exceed log N, so N should be a few hundred.

    Args:
        mu: means (N, D), float.
        log_variance: log σ², of the same shape.
        seed: integer; another seed draws other z.

    Source:
        Hoffman and Johnson: ELBO surgery, NIPS workshop 2016, equation 6.

    Example:
        >>> apart = torch.arange(16.0)[:, None] * 100
        >>> round(mutual_information(apart, torch.zeros(16, 1)), 3)  # log 16: every z betrays its input
        2.773
        >>> round(mutual_information(torch.zeros(16, 3), torch.zeros(16, 3)), 6)
        0.0
    """
    mu, log_variance = mu.double(), log_variance.double()
    noise = torch.randn(mu.shape, generator=generator(seed), dtype=torch.float64)
    z, precision = mu + (0.5 * log_variance).exp() * noise, (-log_variance).exp()
    # what is left out of the log density is the same for all pairs, and cancels
    constant = -0.5 * log_variance.sum(dim=1)
    log_q = torch.stack([constant - 0.5 * ((sample - mu).square() * precision).sum(dim=1) for sample in z])  # (z, x)
    aggregate = log_q.logsumexp(dim=1) - np.log(len(mu))
    return max(0.0, float((log_q.diagonal() - aggregate).mean()))


def read_codes(detector: Detector, dataset: AnomalyDataset, frames: int = 16) -> Codes | None:
    """The latent codes of some images, of all sliding windows of them; None for a detector without latent Gaussians.

    Args:
        detector: a fitted detector.
        dataset: normal images.
        frames: how many of them at most, evenly spaced.
    """
    if not hasattr(detector, "encode"):
        return None
    chosen = np.unique(np.linspace(0, len(dataset) - 1, frames).round().astype(int))
    encoded = [detector.encode(dataset[int(i)]["image"][None]) for i in chosen]
    mu = torch.cat([means[0] for means, _ in encoded]).float()
    log_variance = torch.cat([log_variances[0] for _, log_variances in encoded]).float()
    return Codes.of(mu, log_variance)
