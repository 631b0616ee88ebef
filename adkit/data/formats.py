"""The one door to image files: which formats are opened, how large an image may be, what a file says of itself.

What is opened may come from anybody. So only the formats named here are tried, whatever a name ends in, and the size is
read from the head of the file and checked before a single pixel is decoded.
"""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM")
SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm", ".pbm",
)  # fmt: skip
# how a file of each begins
SIGNATURES = {
    "PNG": (b"\x89PNG\r\n\x1a\n",), "JPEG": (b"\xff\xd8\xff",), "BMP": (b"BM",), "TIFF": (b"II*\x00", b"MM\x00*"),
    "WEBP": (b"RIFF",), "PPM": (),
}  # fmt: skip
MAX_PIXELS = 2**29  # of one image: a line scan of 20,000 x 10,000 has two fifths of it
HARMLESS = 2**26  # pixels that are decoded however small the file is
DENSEST = 200  # pixels a byte; photographs have less than 20, a JPEG of one colour about 120, a bomb a thousand
MOST_TILE = 2**24  # pixels of a tile of a TIFF that is larger than its image
_SWAPPED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
_limit: int | None = None  # of set_max_pixels
_OPENING = threading.Lock()


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded.

    Args:
        size: height and width in pixels.
        channels: 1 or 3.
        bits: that each channel is stored with, 8 or 16; see :mod:`adkit.data.bit_depth` for those that are used.
        pages: images in the file; only the first one is read.
    """

    size: tuple[int, int]
    channels: int
    bits: int
    pages: int = 1


def set_max_pixels(pixels: int | None) -> None:
    """Say how large an image may be: for line scans beyond the limit, or for a lower limit.

    The same is said by the environment variable ``ADKIT_MAX_PIXELS``. Either also lifts the check for decompression
    bombs, small files that decode to something huge, below the number given.

    Args:
        pixels: height times width, at least 1; None: the default, 2**29, and what the environment says.

    Raises:
        ValueError: if it is no positive integer.

    Example:
        >>> set_max_pixels(20_000 * 40_000)
        >>> set_max_pixels(None)
    """
    global _limit
    if pixels is not None and (isinstance(pixels, bool) or pixels != int(pixels) or pixels < 1):
        raise ValueError(f"max pixels must be a positive integer or None for the default, got {pixels!r}")
    _limit = None if pixels is None else int(pixels)


def refuse_too_large(size: tuple[int, int], nbytes: int, expected: int = 0) -> None:
    """Refuse an image that is too large to decode, by its head alone.

    Args:
        size: of the image in pixels.
        nbytes: length of the file.
        expected: pixels that are rightly there, such as those of the image that a mask belongs to.

    Raises:
        ValueError: if it has too many pixels, or many more than such a file should hold.
    """
    pixels = size[0] * size[1]
    said = _limit or _from_environment()
    cure = "if it is an image of your own, raise the limit: adkit.data.set_max_pixels(n) or ADKIT_MAX_PIXELS=n"
    if pixels > (said or MAX_PIXELS) and pixels != expected:
        raise ValueError(f"it has {pixels:,} pixels, more than the limit of {said or MAX_PIXELS:,}; {cure}")
    if said is None and pixels > max(HARMLESS, DENSEST * nbytes) and pixels != expected:
        raise ValueError(
            f"its {nbytes:,} bytes would decode to {pixels:,} pixels, as a decompression bomb does; {cure}"
        )


def _from_environment() -> int | None:
    said = os.environ.get("ADKIT_MAX_PIXELS")
    if said and not (said.isascii() and said.isdigit() and int(said)):
        raise ValueError(f"the environment variable ADKIT_MAX_PIXELS must be a positive integer, got {said!r}")
    return int(said) if said else None


@contextmanager
def opened(source: Path | bytes, expected: int = 0) -> Iterator[Image.Image]:
    """An image that is open but not decoded, of one of the formats, and not too large.

    Args:
        source: a file, or the bytes of one.
        expected: see :func:`refuse_too_large`.

    Raises:
        ValueError: if it is too large.
        OSError: and others, that Pillow raises, if it is no image.
    """
    nbytes = len(source) if isinstance(source, bytes) else source.stat().st_size
    # as a stream: of a path, Pillow maps an uncompressed TIFF that is turned with its sides swapped
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        with _OPENING:  # Pillow's own limit, which is one for the whole process, would refuse line scans
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = Image.open(stream, formats=FORMATS)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
        with image:
            refuse_too_large(image.size, nbytes, expected)
            _refuse_tiles(image)
            yield image


def _refuse_tiles(image: Image.Image) -> None:
    """A tile is decoded whole, however little of it the image takes; raises a ValueError."""
    tile = [image.tag_v2.get(tag, 0) for tag in (323, 322)] if image.format == "TIFF" else [0, 0]
    whole = all(isinstance(side, int) for side in tile)
    if not whole or tile[0] * tile[1] > max(2 * image.width * image.height, MOST_TILE):
        raise ValueError(
            f"its {image.height} x {image.width} pixels lie in tiles of {tile[0]} x {tile[1]}; save it anew"
        )


def header_of(image: Image.Image) -> Header:
    """What an opened image says of itself.

    Args:
        image: of :func:`opened`.

    Raises:
        ValueError: if it holds floating-point values.
    """
    mode = plain_mode(image)
    # as it is stored: newer versions of Pillow turn the size of a TIFF file, but of no other
    stored = (image.tag_v2[256], image.tag_v2[257]) if image.format == "TIFF" else image.size
    size = stored if orientation(image) in _SWAPPED else stored[::-1]
    deep = mode == "I" or deep_colour(image)
    return Header(size, channels=3 if mode == "RGB" else 1, bits=16 if deep else 8, pages=_pages(image))


def _pages(image: Image.Image) -> int:
    try:
        return getattr(image, "n_frames", 1) if image.format in ("TIFF", "WEBP", "PNG") else 1
    except Exception:  # a later page is damaged, and the first one is all that is read
        return 1


def orientation(image: Image.Image) -> int:
    """EXIF orientation; where a PNG has no EXIF in its head, asking Pillow would decode the whole image.

    Args:
        image: opened.
    """
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return image.getexif().get(0x0112, 1)


def plain_mode(image: Image.Image) -> str:
    """The one of L, RGB and I (16 bit) that a file is read as.

    Args:
        image: opened.

    Raises:
        ValueError: if it holds floating-point values.
    """
    if image.mode in ("P", "PA"):
        red, green, blue = np.reshape(image.getpalette("RGB"), (-1, 3)).T
        return "L" if np.array_equal(red, green) and np.array_equal(red, blue) else "RGB"
    if image.mode == "F":
        raise ValueError("it holds floating-point values; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        return "I"
    return "L" if image.mode in ("1", "L", "LA", "La") else "RGB"


def deep_colour(image: Image.Image) -> str:
    """How the 16 bits of each channel of a colour image, or of grey with alpha, are laid out; empty: it has 8 bits.

    Args:
        image: opened, not decoded.
    """
    tiles = getattr(image, "tile", None)  # of a picture that was made in memory there are none
    args = tiles[0][3] if tiles and image.mode in ("RGB", "RGBA", "LA") else ""
    layout = args[0] if isinstance(args, tuple) and args else args
    layout = layout if isinstance(layout, str) else ""
    return layout if layout.startswith(("RGB;16", "RGBA;16", "LA;16")) else ""
