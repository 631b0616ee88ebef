"""The VAE and its variants by name; those that change a few lines stand here, the others in files of their own.

All keep the way in and out of :class:`adkit.models.vae.VAE`, so one loss trains them and one detector scores with them.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from adkit.models.blocks import Join, check_skip, squeeze_excitation
from adkit.models.vae import VAE, VAEOutput, reparameterise
from adkit.models.vae_conditional import ConditionalVAE
from adkit.models.vae_hierarchical import HierarchicalVAE


class SkipVAE(VAE):
    """Skip connections from each level of the encoder to the same level of the decoder.

    What they carry has not gone through z and costs no KL: the reconstruction is sharper, and so are the defects in it.

    Args:
        skip: ``add``, ``concat`` or ``gated``, see :class:`adkit.models.blocks.Join`; ``none`` is the plain VAE.
        settings: of :class:`adkit.models.vae.VAE`.

    Raises:
        ValueError: if the skip is unknown, and as ``VAE``.
    """

    def __init__(self, *, skip: str = "add", **settings):
        super().__init__(**settings)
        check_skip(skip)
        self.join = nn.ModuleList(Join(width, skip) for width in self.widths[:-1])

    def trace(self, images: Tensor, noise: Tensor) -> VAEOutput:
        """As ``VAE.trace``, with the encoder's features at the decoder's side."""
        levels = self.features(images)
        cells = levels[-1].flatten(1)
        mu, log_variance = self.mu(cells).float(), self.log_variance(cells).float()
        z = reparameterise(mu, log_variance, noise)
        return VAEOutput(self.decode(z, levels), mu, log_variance, z)

    def decode(self, z: Tensor, levels: list[Tensor] | None = None) -> Tensor:
        """Images (B, C, H, W) from z (B, latent_dim) and the encoder's features; None: the skips carry nothing."""
        x = self.expanded(z)
        for level, up in zip(reversed(range(len(self.up))), self.up, strict=True):
            x = up(x)
            x = self.join[level](x, torch.zeros_like(x) if levels is None else levels[level])
        return self.finish(x)


class SqueezeVAE(VAE):
    """Squeeze-and-excitation after each level of the encoder, see :func:`adkit.models.blocks.squeeze_excitation`.

    Args:
        settings: of :class:`adkit.models.vae.VAE`.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self.down = nn.ModuleList(
            nn.Sequential(block, squeeze_excitation(width)) for block, width in zip(self.down, self.widths, strict=True)
        )


class SelfAttention(nn.Module):
    """Every cell of a feature map looks at every other one, and adds what it finds.

    The learned strength starts at 0, so that training begins with the network as it is without.

    Args:
        channels: of input and output. The attention has the largest of 4, 2 and 1 heads that divides them.

    Source:
        Zhang et al.: Self-attention generative adversarial networks, ICML 2019.
    """

    def __init__(self, channels: int):
        super().__init__()
        heads = next(heads for heads in (4, 2, 1) if channels % heads == 0)
        self.attend = nn.MultiheadAttention(channels, heads, batch_first=True)
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        """Add the attended values to a feature map (B, C, H, W)."""
        tokens = x.flatten(2).transpose(1, 2)  # (B, H · W, C)
        attended, _ = self.attend(tokens, tokens, tokens, need_weights=False)
        return x + self.strength * attended.transpose(1, 2).unflatten(2, x.shape[-2:])


class AttentionVAE(VAE):
    """Self-attention among the cells of the last feature map: 7 × 7 = 49 of them in the reference network.

    Args:
        settings: of :class:`adkit.models.vae.VAE`.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self.down[-1].append(SelfAttention(self.widths[-1]))


VARIANTS: dict[str, Callable[..., VAE]] = {
    "plain": VAE,
    "add": partial(SkipVAE, skip="add"),
    "concat": partial(SkipVAE, skip="concat"),
    "gated": partial(SkipVAE, skip="gated"),
    "squeeze": SqueezeVAE,
    "attention": AttentionVAE,
    "conditional": ConditionalVAE,
    "hierarchical": HierarchicalVAE,
}


def build_vae(variant: str = "plain", **settings) -> VAE:
    """A VAE of a named variant.

    Args:
        variant: one of :data:`VARIANTS`.
        settings: of :class:`adkit.models.vae.VAE`, and those that the variant adds.

    Raises:
        ValueError: if the variant is unknown, and as the variants.

    Example:
        >>> build_vae("gated", image_size=(64, 64), channels=1, latent_dim=16, widths=(8, 16)).latent_dim
        16
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
    return VARIANTS[variant](**settings)
