"""Draw some of very many patches without a list of them all: in memory is what is drawn, and a count an image."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from adkit.runtime import generator

# up to so many patches all are shuffled, as in version 0.1.0: 64 MiB
SHUFFLED = 2**23
# beyond that, patches that an image must be good for on average, or fewer images are taken
PER_IMAGE = 64


def draw_evenly(counts: Sequence[int], limit: int | None, seed: int) -> list[Tensor]:
    """Which patches of each image are drawn, each patch as likely as every other.

    Memory grows with the limit and the number of images, never with the number of patches. Of more than ``2**23``
    patches at most ``limit / 64`` images, drawn at random, give any: so the limit bounds the time as well, which is
    that of describing the images.

    Args:
        counts: of each image, how many patches it has.
        limit: how many to draw at most, at least 1; None: all.
        seed: whole number; another one draws others.

    Returns:
        Of each image, sorted numbers below its count; empty where none is drawn.

    Example:
        >>> drawn = draw_evenly([3, 0, 1000], 10, seed=0)
        >>> sum(map(len, drawn)), len(drawn[1]), int(drawn[2].max()) < 1000
        (10, 0, True)
        >>> [part.tolist() for part in draw_evenly([2, 1], None, seed=0)]
        [[0, 1], [0]]
    """
    total = sum(counts)
    if limit is None or total <= limit:
        return [torch.arange(count) for count in counts]
    if total <= SHUFFLED:
        order = torch.randperm(total, generator=generator(seed, 0))
        return _by_image(order[:limit].sort().values.numpy(), counts)
    draw = np.random.default_rng(np.random.SeedSequence([seed % 2**63, 0]))
    images = [k for k, count in enumerate(counts) if count]
    most = -(-limit // PER_IMAGE)
    if len(images) > most:
        kept = set(draw.choice(images, most, replace=False).tolist())
        counts = [count if k in kept else 0 for k, count in enumerate(counts)]
    within = sum(counts)
    drawn = draw.choice(within, limit, replace=False, shuffle=False) if within > limit else np.arange(within)
    return _by_image(np.sort(drawn), counts)


def _by_image(positions: np.ndarray, counts: Sequence[int]) -> list[Tensor]:
    """Sorted positions in all patches, as positions in those of each image."""
    ends = np.cumsum(counts)
    cuts = np.searchsorted(positions, ends)
    starts = np.concatenate([[0], cuts[:-1]])
    offsets = ends - np.asarray(counts)
    parts = zip(starts, cuts, offsets, strict=True)
    return [torch.from_numpy(positions[first:last] - offset) for first, last, offset in parts]
