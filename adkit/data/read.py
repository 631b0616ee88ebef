"""Files to arrays: one image or one mask, whatever its format, mode or bit depth."""

import os
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import UnidentifiedImageError

from adkit.data.decode import decode
from adkit.data.formats import SIGNATURES, SUFFIXES, Header, header_of, opened
from adkit.data.listing import list_folders, list_images
from adkit.data.mask_values import MaskValues, marked

if TYPE_CHECKING:  # decoding is numpy alone: an inspection box has no torch
    from torch import Tensor

__all__ = [  # what has moved to modules of its own is found here as well
    "SUFFIXES", "Header", "in_threads", "list_folders", "list_images", "read_header", "read_image", "read_mask",
    "read_mask_values", "read_pixels", "storable", "to_channels", "to_float",
]  # fmt: skip
Source = str | os.PathLike | bytes
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # weights of red, green and blue, ITU-R BT.601


def read_image(path: Source, channels: int | None = None, bits: int | None = None) -> "Tensor":
    """Read an image as a float32 tensor (C, H, W) in [0, 1].

    Alpha is dropped, EXIF orientation applied, a palette resolved to RGB (to grey where the palette is grey). 16 bits
    are kept, in grey and in colour. Of a file of several pages the first one is read.

    Args:
        path: a PNG, JPEG, BMP, TIFF, WebP or PNM file with 8 or 16 bits a channel, or the bytes of one.
        channels: 1 (colour becomes luma, ITU-R BT.601), 3 (grey is repeated), or None for the file's own.
        bits: that are used of 16, such as 12 of many cameras: ``2**bits - 1`` becomes 1; None: all, with a warning
            where the values need 12 at most. It says nothing of files with 8 bits.

    Returns:
        (channels, H, W) float32 in [0, 1].

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, incomplete, too large or no image, a value needs more bits, or ``channels``
            or ``bits`` is out of range.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> path = Path(tempfile.mkdtemp()) / "white.png"
        >>> Image.new("RGB", (5, 4), "white").save(path)
        >>> read_image(path, channels=1).shape
        torch.Size([1, 4, 5])
    """
    if channels not in (1, 3, None):
        raise ValueError(f"channels must be 1, 3 or None for the file's own, got {channels!r}")
    check_bits(bits)
    import torch

    pixels = read_pixels(path)
    if bits is None and pixels.dtype == np.uint16 and pixels.any() and pixels.max() < 2**12:
        warnings.warn(
            f"the 16-bit values of {_name(path)} end at {pixels.max()} of 65535: pass bits=12 (or 10) if the camera "
            "gives no more",
            stacklevel=2,
        )
    return torch.from_numpy(storable(to_channels(pixels, channels), np.dtype(np.float32), bits or 16))


def read_mask(path: Source) -> np.ndarray:
    """Read a mask: True where something is marked.

    The values say what they are, see :func:`adkit.data.mask_values.marked`: of a label map all above 0 is marked, of an
    anti-aliased mask what is above half of the range. Colours count by their brightest channel; alpha is the mask where
    the colour is the same everywhere.

    Args:
        path: a PNG, JPEG, BMP, TIFF, WebP or PNM file with 8 or 16 bits a channel, or the bytes of one.

    Returns:
        (H, W) bool.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, incomplete, too large or no image.
    """
    return read_mask_values(path).mask


def read_mask_values(path: Source, expected: int = 0) -> MaskValues:
    """Read a mask, and by which rule.

    Args:
        path: as of :func:`read_mask`.
        expected: pixels of its image: a black mask of a large image is a small file, and no decompression bomb.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, incomplete, too large or no image.
    """

    def read(source: Path | bytes) -> MaskValues:
        with opened(source, expected) as image:
            lossy = image.format == "JPEG"
        return marked(*decode(source, expected), lossy=lossy)

    return _explained(path, read)


def read_pixels(path: Source) -> np.ndarray:
    """Read a file as it is stored, with its own channels and bits.

    Args:
        path: a PNG, JPEG, BMP, TIFF, WebP or PNM file with 8 or 16 bits a channel, or the bytes of one.

    Returns:
        (1 or 3, H, W), uint8 or uint16.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, incomplete, too large or no image.
    """
    return _explained(path, lambda source: decode(source)[0])


def read_header(path: Source) -> Header:
    """Read size, channels and bits without decoding the image.

    Args:
        path: a PNG, JPEG, BMP, TIFF, WebP or PNM file with 8 or 16 bits a channel, or the bytes of one.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is too large or no image.
    """

    def read(source: Path | bytes) -> Header:
        with opened(source) as image:
            return header_of(image)

    return _explained(path, read)


def check_bits(bits: int | None) -> None:
    """Refuse what is no number of bits.

    Args:
        bits: that are used of 16, from 8 to 16; None: not said.

    Raises:
        ValueError: saying what is expected.
    """
    if bits is not None and (isinstance(bits, bool) or bits not in range(8, 17)):
        raise ValueError(f"bits must be an integer from 8 to 16, or None to find it out, got {bits!r}")


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


def storable(pixels: np.ndarray, dtype: np.dtype, bits: int = 16) -> np.ndarray:
    """What is kept of decoded pixels: uint8, or float32 in [0, 1], which tells all 16-bit values apart.

    Args:
        pixels: of any shape, of type ``dtype`` or integers.
        dtype: uint8 or float32.
        bits: that are used of 16: ``2**bits - 1`` becomes 1.

    Returns:
        The pixels themselves where they are of that type; else float32 in [0, 1].

    Raises:
        ValueError: if a value needs more bits.
    """
    if pixels.dtype == dtype:
        return pixels
    full = 255 if pixels.dtype == np.uint8 else 2**bits - 1
    if bits < 16 and pixels.dtype != np.uint8 and pixels.size and (top := int(pixels.max())) > full:
        raise ValueError(
            f"it holds values up to {top}, and {bits} bits end at {full}; read all images of the set with more bits: "
            "load_dataset(..., bits=16), or a detector that was trained so"
        )
    return pixels / np.float32(full)


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


def _explained(path: Source, work: Callable):
    """Run ``work(file or bytes)``; whatever is raised on a bad file becomes one ValueError."""
    source = bytes(path) if isinstance(path, bytes | bytearray | memoryview) else Path(path)
    if isinstance(source, Path) and not source.is_file():
        raise FileNotFoundError(f"no such image file: {source}")
    try:
        return work(source)
    except Exception as error:  # Pillow's decoders raise a dozen types, from OSError to struct.error
        advice = "" if "raise the limit" in str(error) else "; replace or remove it"
        problem = _no_image(source) if isinstance(error, UnidentifiedImageError) else error or type(error).__name__
        raise ValueError(
            f"cannot read {_name(source)}: {problem}; expected a whole PNG, JPEG, BMP, TIFF, "
            f"WebP or PNM file (8 or 16 bits){advice}"
        ) from error


def _no_image(source: Path | bytes) -> str:
    """Why something is no image of any format that is read, whatever its name says."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            source = file.read(12)
    begin = source[:12]
    if like := [name for name, signatures in SIGNATURES.items() if begin.startswith(signatures)]:
        return f"it begins as a {like[0]} file does, and is damaged or cut off"
    return f"it begins with {begin!r}, as none of these formats does" if begin else "it is empty"


def _name(source: Source) -> str:
    return f"{len(source)} bytes" if isinstance(source, bytes) else str(source)
