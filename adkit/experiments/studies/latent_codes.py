"""What a trained VAE puts into its codes, in a few numbers: how many nats, in how many dimensions, how noisy."""

import torch

from adkit.data import AnomalyDataset
from adkit.detectors.vae import VAEDetector

SAYS = 0.1  # nats, on average over windows, from which on a latent dimension counts as used


@torch.inference_mode()
def code_numbers(detector: VAEDetector, images: AnomalyDataset) -> dict[str, float]:
    """The two parts of the loss at the last validation, and what the codes of some images are like.

    Args:
        detector: a fitted VAE.
        images: normal images that it was not trained on.

    Returns:
        ``error``, the squared error of a window, summed over its pixels; ``KL, nats``, of a window, summed over its
        dimensions; ``dimensions used``, those with more than ``SAYS`` nats; ``mean σ`` of the codes, 1 where they say
        nothing.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> tiny = VAEDetector(latent_dim=4, widths=(4, 8), steps=3, crop=32, quiet=True)
        >>> numbers = code_numbers(tiny.fit(splits.train, splits.validation), splits.validation.subset([0]))
        >>> list(numbers)
        ['error', 'KL, nats', 'dimensions used', 'mean σ']
    """
    codes = [detector.encode(images[i]["image"][None]) for i in range(len(images))]
    mu, log_variance = (torch.cat([code[part].flatten(0, 1) for code in codes]) for part in (0, 1))
    nats = 0.5 * (mu.square() + log_variance.exp() - log_variance - 1).mean(dim=0)  # (latent_dim,)
    last = detector.history[-1]
    return {
        "error": last["reconstruction"],
        "KL, nats": last["kl"],
        "dimensions used": int((nats > SAYS).sum()),
        "mean σ": float((log_variance / 2).exp().mean()),
    }
