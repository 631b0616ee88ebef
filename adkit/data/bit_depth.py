"""How many bits a camera used of the 16 that its files have: found over a whole set, because one image may be dark."""

from collections.abc import Sequence

import numpy as np

from adkit.data.read import in_threads
from adkit.data.samples import Sample

DEPTHS = (8, 10, 12, 14, 16)
LOOKED_AT = 256  # files at most, evenly drawn; a value beyond what they need is refused when it is read


def bits_used(samples: Sequence[Sample], at_most: int = LOOKED_AT) -> int | None:
    """The bits that the values of a set need, where its files have 16; None where all have 8.

    Args:
        samples: of all parts of the set.
        at_most: how many files are decoded for it.

    Returns:
        8, 10, 12, 14 or 16: the smallest depth that holds the largest value; 16 where all images are black.

    Raises:
        ValueError: if a file is damaged.
    """
    deep = [sample for sample in samples if sample.header.bits == 16]
    if not deep:
        return None
    drawn = [deep[k] for k in np.unique(np.linspace(0, len(deep) - 1, min(at_most, len(deep))).astype(int))]
    top = max(in_threads(_largest, drawn))
    return next(bits for bits in DEPTHS if top < 2**bits) if top else 16


def _largest(sample: Sample) -> int:
    pixels = sample.read()
    return int(pixels.max()) if pixels.dtype == np.uint16 else 0
