"""Images in memory as files on disk, for lessons that go on with files."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from adkit.figures.style import to_array


def write_images(folder: str | Path, images: Mapping) -> Path:
    """Write images as 8-bit PNG files into a folder, in place of what is in it.

    Args:
        folder: it is made where it is missing, and emptied where it is not.
        images: name of the file, without ``.png`` → (C, H, W) or (H, W) in [0, 1]; C is 1 or 3.

    Returns:
        The folder.

    Raises:
        ValueError: if an image is not in [0, 1] or of another shape.

    Example:
        >>> import tempfile
        >>> folder = write_images(Path(tempfile.mkdtemp()) / "new", {"grey": np.zeros((1, 4, 6))})
        >>> [path.name for path in folder.iterdir()]
        ['grey.png']
    """
    folder = Path(folder)
    pixels = {name: _pixels(name, to_array(image)) for name, image in images.items()}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, values in pixels.items():
        Image.fromarray(values).save(folder / f"{name}.png")
    return folder


def _pixels(name: str, image: np.ndarray) -> np.ndarray:
    if image.ndim == 3:
        image = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"image {name!r} must be (1 or 3, H, W) or (H, W), got one that is turned to {image.shape}")
    if not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(f"image {name!r} must lie in [0, 1], got values from {image.min():g} to {image.max():g}")
    return np.rint(255 * image).astype(np.uint8)
