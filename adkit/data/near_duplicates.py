"""Images that are the same or nearly: copies that were saved anew, shifted in brightness, or taken in one burst."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

SIDE = 32  # of a thumbnail
DETAIL = 128  # side of the piece in the middle that is compared pixel by pixel
CLOSE = 3.0  # grey values of 255 that thumbnails may differ by, root mean square
ALIKE = 0.8  # correlation of the middles at least


class Look(NamedTuple):
    """What is kept of an image to compare it with others.

    Attributes:
        whole: (32 * 32,) float32 from 0 to 255, the image made small.
        detail: (h, w) uint8, its middle at its own scale.
    """

    whole: np.ndarray
    detail: np.ndarray


def look_of(pixels: np.ndarray, bits: int = 8) -> Look:
    """What is kept of an image.

    Args:
        pixels: (1 or 3, H, W), uint8 or uint16.
        bits: that its values use.
    """
    grey = pixels[pixels.shape[0] // 2].astype(np.float32) * (255 / (2**bits - 1))
    whole = Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BOX)
    top, left = ((side - min(side, DETAIL)) // 2 for side in grey.shape)
    detail = grey[top : top + DETAIL, left : left + DETAIL].clip(0, 255).astype(np.uint8)
    return Look(np.asarray(whole, np.float32).ravel(), detail)


def near_duplicates(parts: Mapping[str, Sequence[Path]], looks: Mapping[Path, Look]) -> list[tuple[Path, Path]]:
    """Pairs of images in two different parts that are alike, as a whole and in detail.

    Textures average out in a small image, so that all are much alike: the threads in their middles are not. Copies of
    another size are not found.

    Args:
        parts: name of a part → its images.
        looks: of each, of :func:`look_of`.

    Returns:
        Pairs of images.
    """
    files = [(part, file) for part, members in parts.items() for file in members]
    if len(files) < 2:
        return []
    vectors = np.stack([looks[file].whole for _, file in files]).astype(np.float64)
    vectors -= vectors.mean(axis=0)  # of large equal parts little would be left of the difference
    squares = (vectors**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0) / vectors.shape[1])
    names = np.array([part for part, _ in files])
    pairs = np.nonzero((distances <= CLOSE) & (names[:, None] != names) & np.triu(np.ones(distances.shape, bool), 1))
    named = [(files[i][1], files[j][1]) for i, j in zip(*pairs, strict=True)]
    return [(first, second) for first, second in named if _alike(looks[first].detail, looks[second].detail)]


def _alike(first: np.ndarray, second: np.ndarray) -> bool:
    if first.shape != second.shape:
        return False
    one, other = (image.astype(np.float64) - image.mean() for image in (first, second))
    spread = np.sqrt((one**2).mean() * (other**2).mean())
    return bool(spread < 0.5 or (one * other).mean() >= ALIKE * spread)
