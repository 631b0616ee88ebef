"""Bytes of images and masks: whatever they are, an array or ``ValueError`` comes back, with a bounded memory.

A case is a whole file of some format and mode, and what is done to it: bits flipped, pieces cut out, doubled,
overwritten or put in from another file, numbers of its head made huge. Some cases are nothing but noise.
"""

import io
import resource
import warnings
import zlib
from functools import lru_cache

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from adkit.data import formats
from adkit.data.read import read_header, read_mask_values, read_pixels

PIXELS = 2**20  # an image may have so many, while fuzzing
MEMORY = 400  # MiB that the process may grow by: some 64 times what the largest image allowed takes in 16-bit colour


@lru_cache
def originals() -> tuple[bytes, ...]:
    """Small whole files."""
    draw, files = np.random.default_rng(0), []
    grey, colour = draw.integers(0, 256, (9, 13), dtype=np.uint8), draw.integers(0, 256, (9, 13, 3), dtype=np.uint8)
    alpha = draw.integers(0, 256, (9, 13, 4), dtype=np.uint8)
    deep = draw.integers(0, 65536, (9, 13), dtype=np.uint16)
    picture = Image.fromarray(colour)
    exif = Image.Exif()
    exif[0x0112] = 6
    for image, format, options in (
        (Image.fromarray(grey), "PNG", {}), (picture, "PNG", {}), (Image.fromarray(alpha), "PNG", {}),
        (Image.fromarray(deep), "PNG", {}), (picture.quantize(8), "PNG", {"transparency": 3}),
        (Image.fromarray(grey > 99), "PNG", {}), (picture, "PNG", {"exif": exif}),
        (picture, "JPEG", {"exif": exif}), (Image.fromarray(grey), "JPEG", {}),
        (picture, "JPEG", {"progressive": True}),
        (picture.convert("CMYK"), "JPEG", {}), (picture, "BMP", {}), (picture.quantize(8), "BMP", {}),
        (picture, "TIFF", {}), (Image.fromarray(deep), "TIFF", {}), (picture, "TIFF", {"compression": "tiff_lzw"}),
        (picture, "TIFF", {"compression": "tiff_deflate", "save_all": True, "append_images": [picture]}),
        (Image.fromarray(grey > 99), "TIFF", {"compression": "group4"}), (Image.fromarray(alpha), "TIFF", {}),
        (picture, "WEBP", {}), (Image.fromarray(alpha), "WEBP", {"lossless": True}), (picture, "PPM", {}),
        (Image.fromarray(grey), "PPM", {}), (picture, "GIF", {}),
    ):  # fmt: skip
        buffer = io.BytesIO()
        image.save(buffer, format, **options)
        files.append(buffer.getvalue())
    return (*files, deep_colour_png(draw.integers(0, 65536, (5, 7, 3), dtype=np.uint16)))


def deep_colour_png(pixels: np.ndarray) -> bytes:
    """A PNG of 16-bit colour, which Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    height, width = pixels.shape[:2]
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, 2, 0, 0, 0])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _damaged(data: bytes, damage: tuple) -> bytes:
    kind, where, what, length = damage
    at = where % max(len(data), 1)
    if kind == "cut off":
        return data[:at]
    if kind == "cut out":
        return data[:at] + data[at + length :]
    if kind == "double":
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ (1 << what % 8)]) + data[at + 1 :] if data else data
    if kind == "head":  # numbers that matter stand in front
        at = where % min(max(len(data), 1), 64)
    if kind == "splice":
        other = originals()[what % len(originals())]
        return data[:at] + other[at : at + length * 8]
    number = (0, 1, 255, 2**16 - 1, 2**31 - 1, 2**32 - 1)[what % 6]
    return data[:at] + number.to_bytes(4, ("big", "little")[length % 2]) + data[at + 4 :]


def _with_right_checksums(data: bytes) -> bytes:
    """A PNG whose checksums are right again, so that a damage reaches what is behind them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    at, parts = 8, [data[:8]]
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        body = data[at + 4 : at + 8 + length]
        parts.append(data[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big"))
        at += 12 + length
    return b"".join([*parts, data[at:]])


DAMAGE = st.tuples(
    st.sampled_from(["cut off", "cut out", "double", "flip", "flip", "flip", "head", "head", "splice", "number"]),
    st.integers(0, 2**14),
    st.integers(0, 255),
    st.integers(0, 64),
)


@st.composite
def _files(draw: st.DrawFn) -> bytes:
    data = originals()[draw(st.integers(0, len(originals()) - 1))]
    for damage in draw(st.lists(DAMAGE, max_size=5)):
        data = _damaged(data, damage)
    return _with_right_checksums(data) if draw(st.booleans()) else data


CASE = st.one_of(_files(), _files(), _files(), _files(), st.binary(max_size=200))


def check(data: bytes) -> str:
    """Read a case as an image, as a mask, and its head alone."""
    before, limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, formats._limit
    formats.set_max_pixels(PIXELS)
    outcomes = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for read in (read_header, read_pixels, read_mask_values):
                try:
                    result = read(data)
                except ValueError:
                    outcomes.append("refused")
                    continue
                outcomes.append("read")
                _is_right(result)
    finally:
        formats.set_max_pixels(limit)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEMORY, f"{len(data)} bytes took {grown:.0f} MiB"
    return "head {}, image {}, mask {}".format(*outcomes)


def _is_right(result: object) -> None:
    if isinstance(result, np.ndarray):
        assert result.dtype in (np.uint8, np.uint16)
        assert result.ndim == 3
        assert result.shape[0] in (1, 3)
        assert result.size
    elif isinstance(result, formats.Header):
        assert min(*result.size, result.pages) >= 1
    else:
        assert result.mask.dtype == bool
        assert result.mask.ndim == 2
