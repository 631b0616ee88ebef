"""Drawn image files for comparisons where there are no real ones: waves, grain and blotches, in several sizes."""

import io

import numpy as np
from PIL import Image


def sample_files(size: tuple[int, int], channels: int, count: int = 8, seed: int = 0) -> list[bytes]:
    """The bytes of files: of the size of the training, half of them with a blotch, and of three odd sizes.

    Args:
        size: height and width of the training images.
        channels: 1 or 3.
        count: of files of each half.
        seed: of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    sizes = [tuple(size)] * 2 * count + [(33, 40), (size[0] + 1, max(size[1] - 1, 9)), (57, 130)]
    return [_encoded(_drawn(rng, one, channels, blotch=i % 2 == 1)) for i, one in enumerate(sizes)]


def _drawn(rng: np.random.Generator, size: tuple[int, int], channels: int, blotch: bool) -> np.ndarray:
    rows, columns = np.mgrid[: size[0], : size[1]]
    wave = np.sin(rows * rng.uniform(0.2, 1.5) + rng.uniform(0, 6)) * np.cos(columns * rng.uniform(0.2, 1.5))
    image = 110 + 45 * wave[..., None] + rng.normal(0, 8, (*size, channels))
    if blotch:
        top, left = (rng.integers(0, max(side - 8, 1)) for side in size)
        image[top : top + 12, left : left + 12] += rng.choice([-70, 90])
    return np.clip(image, 0, 255).astype(np.uint8)


def _encoded(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()
