"""Networks of equal size: the widths at which one architecture has as many parameters as another.

A skip that concatenates needs more weights than one that adds, so at equal width it may win by size alone. A
comparison of architectures therefore fixes the number of parameters and lets the widths follow.

In an autoencoder one width sets all others, and may be a fraction. Nearly all parameters of a VAE lie in the linear
layers at its bottleneck, and their number follows the last width; so there that one alone gives way.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import torch

from adkit.models.autoencoder import Autoencoder
from adkit.models.blocks import count_parameters
from adkit.models.vae_variants import build_vae

# whole widths, halves, …; the channels of a level change at 16ths, so 32nds meet every network
STEPS = (1, 2, 4, 8, 16, 32)


def match_width(target: int, tolerance: float = 0.03, **settings) -> float:
    """The roundest width at which an :class:`~adkit.models.autoencoder.Autoencoder` has ``target`` parameters.

    Whole numbers are tried first, then halves, quarters, and so on to 32nds; the first of them that come within the
    tolerance decide, and the closest is taken. Nothing is allocated: parameters are counted on torch's ``meta`` device.

    Args:
        target: positive integer, number of parameters, see :func:`adkit.models.count_parameters`.
        tolerance: largest relative difference from the target, a share in [0, 1).
        settings: the other arguments of the autoencoder: ``channels``, ``depth``, ``latent``, ``skip``, …

    Returns:
        A width that JSON writes and reads exactly: an int where it is whole, so that it is the same setting as one
        typed by hand.

    Raises:
        ValueError: if the target or the tolerance is out of range, a setting is wrong, or no width comes close enough;
            the error names the width that came nearest.

    Example:
        >>> from adkit.models import count_parameters
        >>> target = count_parameters(Autoencoder(width=16))
        >>> width = match_width(target, skip="concat")
        >>> width, round(count_parameters(Autoencoder(width=width, skip="concat")) / target, 3)
        (15.5, 0.978)
    """
    if not isinstance(target, int) or isinstance(target, bool) or target < 1:
        raise ValueError(f"target must be a positive number of parameters, got {target!r}")
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance must be in [0, 1), a share of the target, got {tolerance!r}")

    def miss(width: float) -> float:
        return abs(_count(width, settings) / target - 1)

    tried = []
    for candidates in _neighbours(_reach(target, settings)):
        tried += candidates
        nearest = min(tried, key=miss)  # the first, and so the roundest, of equals
        if miss(nearest) <= tolerance:
            return int(nearest) if nearest.is_integer() else nearest
    raise ValueError(
        f"no width gives {target} parameters within {100 * tolerance:g} %; the nearest, {nearest}, gives "
        f"{_count(nearest, settings)}; allow a larger tolerance, or change depth or latent"
    )


def _count(width: float, settings: dict) -> int:
    with torch.device("meta"):
        return count_parameters(Autoencoder(width=width, **settings))


def _reach(target: int, settings: dict) -> float:
    """The smallest width, in 32nds, with ``target`` parameters or more: they never become fewer as the width grows."""
    finest, top = STEPS[-1], 1
    while _count(top, settings) < target:
        top *= 2
    return bisect_left(range(finest * top), target, lo=1, key=lambda k: _count(k / finest, settings)) / finest


def _neighbours(width: float) -> Iterator[list[float]]:
    """For each step the last width below ``width`` and the first from there on; only these can be nearest."""
    for step in STEPS:
        above = -(-width * step // 1)  # rounded up
        yield [k / step for k in (above - 1, above) if k > 0]


def match_widths(variant: str, widths: Sequence[int], tolerance: float = 0.03, **settings) -> list[int]:
    """The widths at which a variant comes nearest to the plain network: all as they are, but for the last one.

    Nothing is allocated: parameters are counted on torch's ``meta`` device.

    Args:
        variant: one of :data:`adkit.models.vae_variants.VARIANTS`.
        widths: of the plain network, positive integers, finest level first.
        tolerance: largest relative difference, a share in [0, 1).
        settings: the other arguments of :class:`adkit.models.vae.VAE`.

    Raises:
        ValueError: if no last width comes close enough, and as ``build_vae``.

    Example:
        >>> match_widths("attention", [16, 32, 64], image_size=(32, 32), channels=1, latent_dim=64)
        [16, 32, 60]
    """
    *unchanged, last = widths

    def size(name: str, end: int) -> int:
        with torch.device("meta"):
            return count_parameters(build_vae(name, widths=[*unchanged, end], **settings))

    target = size("plain", last)
    sizes = {end: size(variant, end) for end in range(last, max(1, 3 * last // 4) - 1, -1)}
    best = min(sizes, key=lambda end: abs(sizes[end] - target))
    if abs(sizes[best] / target - 1) > tolerance:
        raise ValueError(
            f"no last width from {min(sizes)} to {last} gives the {variant} VAE {target} parameters within "
            f"{100 * tolerance:g} %; the nearest, {best}, gives {sizes[best]}; allow a larger tolerance"
        )
    return [*unchanged, best]
