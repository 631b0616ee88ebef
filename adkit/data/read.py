"""Files to arrays: one image or one mask, whatever its format, mode or bit depth."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:  # decoding is numpy alone: an inspection box has no torch
    from torch import Tensor

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # weights of red, green and blue, ITU-R BT.601
_SWAPPED = (5, 6, 7, 8)  # EXIF orientations that swap height and width


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded.

    Args:
        size: height and width in pixels.
        channels: 1 or 3.
        bits: of each channel, 8 or 16.
    """

    size: tuple[int, int]
    channels: int
    bits: int


def read_image(path: str | os.PathLike, channels: int | None = None) -> "Tensor":
    """Read an image as a float32 tensor (C, H, W) in [0, 1].

    Alpha is dropped, EXIF orientation applied, a palette resolved to RGB (to grey where the palette is grey). 16-bit
    grey keeps its 16 bits; 16-bit colour, and grey with alpha, comes with 8 bits a channel, as Pillow decodes it.

    Args:
        path: a PNG, JPEG, BMP or TIFF file with 8 or 16 bits a channel.
        channels: 1 (colour becomes luma, ITU-R BT.601), 3 (grey is repeated), or None for the file's own.

    Returns:
        (channels, H, W) float32 in [0, 1].

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, incomplete or no image, or ``channels`` is none of 1, 3, None.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "white.png"
        >>> Image.new("RGB", (5, 4), "white").save(path)
        >>> read_image(path, channels=1).shape
        torch.Size([1, 4, 5])
    """
    if channels not in (1, 3, None):
        raise ValueError(f"channels must be 1, 3 or None for the file's own, got {channels!r}")
    import torch

    return torch.from_numpy(storable(to_channels(read_pixels(path), channels), np.dtype(np.float32)))


def read_mask(path: str | os.PathLike) -> np.ndarray:
    """Read a mask: True above half of the range of values.

    The range is 0…255 (above 127), or 0…65535 where a 16-bit file uses it; a file that holds nothing but 0 and 1 is
    taken as it is. The brightest channel of a colour mask counts.

    Args:
        path: a PNG, JPEG, BMP or TIFF file with 8 or 16 bits a channel.

    Returns:
        (H, W) bool.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, incomplete or no image.
    """
    values = read_pixels(path).max(axis=0)
    top = values.max()
    return values > (0 if top <= 1 else 127 if top <= 255 else 32767)


def read_pixels(path: str | os.PathLike) -> np.ndarray:
    """Read a file as it is stored, with its own channels and bits.

    Args:
        path: a PNG, JPEG, BMP or TIFF file with 8 or 16 bits a channel.

    Returns:
        (1 or 3, H, W), uint8 or uint16.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, incomplete or no image.
    """
    return _with_pillow(path, _decode)


def read_header(path: str | os.PathLike) -> Header:
    """Read size, channels and bits without decoding the image.

    Args:
        path: a PNG, JPEG, BMP or TIFF file with 8 or 16 bits a channel.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is no image.
    """
    return _with_pillow(path, _header)


def list_images(folder: Path, below: bool = False) -> list[Path]:
    """Image files in a folder, sorted; what is hidden (a name that begins with a dot) is left out.

    Args:
        folder: must be there.
        below: look into the folders below as well.
    """
    inside = folder.rglob("*") if below else folder.iterdir()
    images = (path for path in inside if path.suffix.lower() in SUFFIXES and not _is_hidden(path, folder))
    return sorted(path for path in images if path.is_file())


def list_folders(folder: Path) -> list[Path]:
    """Folders that lie directly in a folder, sorted, without hidden ones.

    Args:
        folder: must be there.
    """
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path, folder))


def to_channels(pixels: np.ndarray, channels: int | None) -> np.ndarray:
    """Bring pixels to 1 or 3 channels: colour to luma, and grey repeated.

    Args:
        pixels: (1 or 3, H, W), integers or float32.
        channels: 1, 3, or None: as they are.

    Returns:
        (channels, H, W) of the same type; a luma of integers is rounded.
    """
    if channels is None or pixels.shape[0] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=0)
    luma = np.tensordot(_LUMA, pixels.astype(np.float32), axes=1)[None]
    return luma if pixels.dtype.kind == "f" else np.rint(luma).astype(pixels.dtype)


def storable(pixels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """What is kept of decoded pixels: uint8, or float32 in [0, 1], which tells all 16-bit values apart.

    Args:
        pixels: of any shape, of type ``dtype`` or integers.
        dtype: uint8 or float32.

    Returns:
        The pixels themselves where they are of that type; else float32 in [0, 1].
    """
    return pixels if pixels.dtype == dtype else pixels / np.float32(np.iinfo(pixels.dtype).max)


def to_float(pixels: "Tensor") -> "Tensor":
    """Stored pixels as a new float32 tensor in [0, 1].

    Args:
        pixels: of any shape, uint8 or float32 in [0, 1].
    """
    copied = pixels.clone() if pixels.is_floating_point() else pixels.float()
    return copied if pixels.is_floating_point() else copied.div_(255)


def in_threads(function: Callable, items: Iterable) -> list:
    """``[function(item) for item in items]`` by a few threads; decoders leave the interpreter free.

    Args:
        function: called with each item; it must be safe to call from several threads.
        items: finitely many.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))


def _is_hidden(path: Path, folder: Path) -> bool:
    """Whether a path in a folder, or a folder between the two, has a name that begins with a dot."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _with_pillow(path: str | os.PathLike, work: Callable):
    """Run ``work(image)`` on an opened file; whatever Pillow raises on a bad file becomes one ValueError."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such image file: {path}")
    try:
        with Image.open(path) as image:
            return work(image)
    except Exception as error:  # Pillow's decoders raise a dozen types, from OSError to struct.error
        raise ValueError(
            f"cannot read {path}: {error}; expected a whole PNG, JPEG, BMP or TIFF (8 or 16 bits): replace or remove it"
        ) from error


def _header(image: Image.Image) -> Header:
    mode = _plain_mode(image)
    size = image.size if _orientation(image) in _SWAPPED else image.size[::-1]
    return Header(size, channels=3 if mode == "RGB" else 1, bits=16 if mode == "I" else 8)


def _decode(image: Image.Image) -> np.ndarray:
    mode = _plain_mode(image)
    if _orientation(image) != 1:
        image = ImageOps.exif_transpose(image)
    if mode == "I":
        return _sixteen_bits(np.asarray(image))[None]
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    pixels = np.array(image.convert(mode))
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation; where a PNG has no EXIF in its head, asking Pillow would decode the whole image."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return image.getexif().get(0x0112, 1)


def _plain_mode(image: Image.Image) -> str:
    """The one of L, RGB and I (16 bit) that a file is read as."""
    if image.mode in ("P", "PA"):
        red, green, blue = np.reshape(image.getpalette("RGB"), (-1, 3)).T
        return "L" if np.array_equal(red, green) and np.array_equal(red, blue) else "RGB"
    if image.mode == "F":
        raise ValueError("it holds floating-point values; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        return "I"
    return "L" if image.mode in ("1", "L", "LA", "La") else "RGB"


def _sixteen_bits(values: np.ndarray) -> np.ndarray:
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(
            f"its values run from {values.min()} to {values.max()}, beyond 16 bits; save it with 8 or 16 bits"
        )
    return values.astype(np.uint16)
