"""A discriminator that looks at patches, and a VAE that is trained against it.

The losses of both networks are terms of one sum, and each term sees the other network's parameters as constants. So the
training loop of all other networks, with its one optimiser, trains these two as well.

Source:
    Patches: Isola et al., Image-to-image translation with conditional adversarial networks, CVPR 2017. With a VAE:
    Larsen et al., Autoencoding beyond pixels using a learned similarity metric, ICML 2016. Hinge loss: Lim and Ye,
    Geometric GAN, 2017.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import relu

from adkit.models.vae import VAE, VAEOutput


class PatchDiscriminator(nn.Sequential):
    """One number for each patch of an image: above 0 where it looks real, below where it looks reconstructed.

    Args:
        channels: 1 for grey, 3 for RGB.
        width: positive integer, channels after the first of three halvings; doubled by each further one.

    Example:
        >>> PatchDiscriminator(channels=1)(torch.rand(2, 1, 64, 64)).shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(self, channels: int = 1, width: int = 16):
        widths = (channels, width, 2 * width, 4 * width)
        layers = [
            layer
            for inputs, outputs in pairwise(widths)
            for layer in (nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(0.2))
        ]
        super().__init__(*layers, nn.Conv2d(widths[-1], 1, kernel_size=3, padding=1))


class AdversarialVAE(nn.Module):
    """A VAE and the discriminator that it is trained against; after training only ``vae`` is needed.

    Args:
        vae: of any variant.
    """

    def __init__(self, vae: VAE):
        super().__init__()
        self.vae, self.discriminator = vae, PatchDiscriminator(vae.channels)

    def forward(self, images: Tensor, generator: torch.Generator | None = None) -> VAEOutput:
        """As the VAE's own ``forward``."""
        return self.vae(images, generator)


def adversarial_losses(discriminator: nn.Module, real: Tensor, reconstructed: Tensor) -> tuple[Tensor, Tensor]:
    """Hinge losses of a discriminator and of the network that it judges, scalars.

    Args:
        discriminator: maps images (B, C, H, W) to patch scores.
        real: images (B, C, H, W) in [0, 1].
        reconstructed: images of the same shape in [0, 1], through which gradients flow back to what made them.

    Returns:
        The discriminator's loss, with gradients for its parameters only, and the other network's, with gradients for
        ``reconstructed`` only.
    """
    judged = relu(1 - discriminator(real)).mean() + relu(1 + discriminator(reconstructed.detach())).mean()
    frozen = {name: parameter.detach() for name, parameter in discriminator.named_parameters()}
    return judged, -functional_call(discriminator, frozen, (reconstructed,)).mean()
