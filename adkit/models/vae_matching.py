"""VAEs of equal size: the widths that give a variant as many parameters as the plain network has.

Nearly all parameters of a VAE lie in the linear layers at its bottleneck, and their number follows the last width; so
that is the one that gives way.
"""

from collections.abc import Sequence

import torch

from adkit.models.autoencoder import count_parameters
from adkit.models.vae_variants import build_vae


def match_widths(variant: str, widths: Sequence[int], tolerance: float = 0.03, **settings) -> list[int]:
    """The widths at which a variant comes nearest to the plain network: all as they are, but for the last one.

    Nothing is allocated: parameters are counted on torch's ``meta`` device.

    Args:
        variant: one of :data:`adkit.models.vae_variants.VARIANTS`.
        widths: of the plain network.
        tolerance: largest relative difference, in [0, 1).
        settings: the other arguments of :class:`adkit.models.vae.VAE`.

    Raises:
        ValueError: if no last width comes close enough, and as ``build_vae``.

    Example:
        >>> match_widths("attention", [16, 32, 64], image_size=(32, 32), channels=1, latent_dim=64)
        [16, 32, 60]
    """
    *kept, last = widths

    def size(name: str, end: int) -> int:
        with torch.device("meta"):
            return count_parameters(build_vae(name, widths=[*kept, end], **settings))

    target = size("plain", last)
    sizes = {end: size(variant, end) for end in range(last, max(1, 3 * last // 4) - 1, -1)}
    best = min(sizes, key=lambda end: abs(sizes[end] - target))
    if abs(sizes[best] / target - 1) > tolerance:
        raise ValueError(
            f"no last width from {min(sizes)} to {last} gives the {variant} VAE {target} parameters within "
            f"{100 * tolerance:g} %; the nearest, {best}, gives {sizes[best]}; allow a larger tolerance"
        )
    return [*kept, best]
