"""The bytes of an image that somebody sends: checked against limits, then decoded as every file is.

What is refused has a code, so that a service can answer without a word of where it happened.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from adkit.data.decode import decode
from adkit.data.formats import FORMATS, SIGNATURES

SENT = ("PNG", "JPEG", "BMP", "TIFF")
# of a JPEG: a progressive one has a dozen, and each costs a pass over the whole image, however few its bytes are
MOST_SCANS = 100


@dataclass(frozen=True)
class Limits:
    """What an image may be at most; all but its length is read from its header, before a pixel is decoded.

    Attributes:
        bytes: length of the file.
        pixels: height times width.
        side: pixels of the longer side.
        pages: of a TIFF, or frames of an animated PNG or WebP.
        formats: names of Pillow's formats.
    """

    bytes: int = 20_000_000
    pixels: int = 32_000_000
    side: int = 16_384
    pages: int = 1
    formats: tuple[str, ...] = SENT


# for files of one's own: a line scan of 20,000 x 10,000 is read
OWN_FILES = Limits(bytes=2**31, pixels=250_000_000, side=100_000, formats=FORMATS)


class ImageRefused(ValueError):
    """An image that is not read.

    Attributes:
        code: empty, too_large, too_many_pixels, unsupported_format, damaged, multi_page or unsupported_mode.
        limit: the limit that it exceeds; None where there is none.
    """

    def __init__(self, code: str, message: str, limit: int | None = None):
        super().__init__(message)
        self.code, self.limit = code, limit


def decode_upload(data: bytes, limits: Limits | None = None) -> np.ndarray:
    """Read an image as it is stored, with its own channels and bits.

    Args:
        data: content of a file of the formats of the limits, with 8 or 16 bits a channel.
        limits: what it may be at most; None: :class:`Limits` as they stand.

    Returns:
        (1 or 3, H, W), uint8 or uint16: equal to :func:`adkit.data.read.read_pixels` of the file.

    Raises:
        ImageRefused: if it is too large, damaged, of another format, or has several pages.

    Example:
        >>> buffer = io.BytesIO()
        >>> Image.new("L", (5, 4), 7).save(buffer, "PNG")
        >>> decode_upload(buffer.getvalue()).shape
        (1, 4, 5)
        >>> decode_upload(buffer.getvalue(), Limits(pixels=10))
        Traceback (most recent call last):
        ...
        adkit.data.uploads.ImageRefused: the image has 4 x 5 pixels, more than 10
    """
    limits = limits or Limits()
    if not data:
        raise ImageRefused("empty", "there are no bytes; expected a whole PNG, JPEG, BMP or TIFF file")
    if len(data) > limits.bytes:
        raise ImageRefused("too_large", f"the file has {len(data)} bytes, more than {limits.bytes}", limits.bytes)
    try:
        with Image.open(io.BytesIO(data), formats=limits.formats) as image:
            _check_size(image.size, limits)
            _check_pages(image, limits)
            _check_mode(image)
            _check_scans(image, data)
        return decode(data)[0]
    except ImageRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageRefused(
            "too_many_pixels", f"the image has more than {limits.pixels} pixels", limits.pixels
        ) from error
    except UnidentifiedImageError as error:
        known = any(data.startswith(SIGNATURES[name]) for name in limits.formats)
        code, what = ("damaged", "the image is damaged") if known else ("unsupported_format", "this is no image file")
        raise ImageRefused(code, f"{what}; expected a whole PNG, JPEG, BMP or TIFF with 8 or 16 bits") from error
    except Exception as error:  # Pillow's decoders raise a dozen types, from OSError to struct.error
        raise ImageRefused("damaged", "the image is damaged or incomplete; send the whole file") from error


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.pixels or max(size) > limits.side:
        limit = limits.pixels if width * height > limits.pixels else limits.side
        what = "" if limit == limits.pixels else " on a side"
        raise ImageRefused(
            "too_many_pixels", f"the image has {height} x {width} pixels, more than {limit}{what}", limit
        )


def _check_pages(image: Image.Image, limits: Limits) -> None:
    if image.format not in ("TIFF", "PNG", "WEBP"):
        return
    try:
        image.seek(limits.pages)
    except EOFError:
        image.seek(0)
    else:
        raise ImageRefused("multi_page", f"the file has more than {limits.pages} page(s); send one image", limits.pages)


def _check_mode(image: Image.Image) -> None:
    if image.mode == "F":
        raise ImageRefused("unsupported_mode", "the image holds floating-point values; save it with 8 or 16 bits")


def _check_scans(image: Image.Image, data: bytes) -> None:
    # the marker of a scan cannot stand among coefficients
    if image.format == "JPEG" and data.count(b"\xff\xda") > MOST_SCANS:
        raise ImageRefused("damaged", f"the image has more than {MOST_SCANS} scans; save it anew", MOST_SCANS)
