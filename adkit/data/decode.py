"""A file to pixels, with all its bits and the right way up."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from adkit.data.formats import deep_colour, opened, orientation, plain_mode

_OTHER_END = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
_TURNS = {  # EXIF orientation → what sets the image right
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def decode(source: Path | bytes, expected: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
    """The pixels as they are stored, (1 or 3, H, W) uint8 or uint16, and the alpha (H, W) uint8; None: there is none.

    EXIF orientation is applied, a palette resolved.

    Args:
        source: a file, or the bytes of one.
        expected: pixels that are rightly there, see :func:`adkit.data.formats.refuse_too_large`.

    Raises:
        ValueError: if its values have no known range, or the image is too large.
        Exception: of many types, that Pillow raises, if the file is damaged.
    """
    with opened(source, expected) as image:
        layout = deep_colour(image)
        if not layout:
            return pixels_of(image)
        turned = 1 if image.format == "TIFF" else orientation(image)  # Pillow has turned those itself
        alpha = pixels_of(image)[1] if transparent(image) else None
        return _channels_first(_upright(_two_bytes(source, layout, expected), turned)), alpha


def pixels_of(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """What :func:`decode` gives, of an image that is open: Pillow holds no more than 8 bits of a colour.

    Args:
        image: in any mode.

    Raises:
        ValueError: if its values have no known range.
        Exception: of many types, that Pillow raises, if its file is damaged.
    """
    mode, with_alpha = plain_mode(image), transparent(image)
    _refuse_planes(image)
    if orientation(image) != 1:
        image = ImageOps.exif_transpose(image)
    alpha = np.array(image.convert("RGBA").getchannel("A")) if with_alpha else None
    if mode == "I":
        return _sixteen_bits(np.asarray(image))[None], alpha
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    return _channels_first(np.array(image.convert(mode))), alpha


def transparent(image: Image.Image) -> bool:
    """Whether an image has alpha.

    Args:
        image: opened.
    """
    return image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info


def _upright(pixels: np.ndarray, turned: int) -> np.ndarray:
    return _TURNS[turned](pixels) if turned in _TURNS else pixels


def _two_bytes(source: Path | bytes, layout: str, expected: int) -> np.ndarray:
    """16-bit colour (H, W, 3), or grey (H, W) of grey with alpha: Pillow keeps one byte of two, so it reads twice."""
    if layout.startswith("LA"):  # two channels of two bytes each, read as four of one
        grey, low = (_decoded_as(source, "RGBA", "RGBA", expected)[..., k] for k in (0, 1))
        high, low = (grey, low) if layout.endswith("B") else (low, grey)
    else:
        endings = (layout[-1], _OTHER_END[layout[-1]])
        high, low = (_decoded_as(source, "", layout[:-1] + ending, expected)[..., :3] for ending in endings)
    return high.astype(np.uint16) << 8 | low


def _decoded_as(source: Path | bytes, mode: str, rawmode: str, expected: int) -> np.ndarray:
    """The bytes of a file laid out in another way than its head says."""
    with opened(source, expected) as image:
        image._mode = mode or image.mode
        image.tile = [
            (codec, extents, offset, rawmode if isinstance(args, str) else (rawmode, *args[1:]))
            for codec, extents, offset, args in image.tile
        ]
        return np.array(image)


def _refuse_planes(image: Image.Image) -> None:
    """16-bit colour whose channels lie one after the other: Pillow would read the bytes of one as pixels of another."""
    if image.format == "TIFF" and image.mode in ("RGB", "RGBA", "LA", "CMYK", "YCbCr", "LAB"):
        bits = image.tag_v2.get(258, (8,))
        if max(bits if isinstance(bits, tuple) else (bits,)) > 8 and not deep_colour(image):
            raise ValueError(
                "it holds 16-bit colour in a layout that cannot be read; save it as 16-bit RGB, interleaved"
            )


def _channels_first(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def _sixteen_bits(values: np.ndarray) -> np.ndarray:
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(
            f"its values run from {values.min()} to {values.max()}, beyond 16 bits; save it with 8 or 16 bits"
        )
    return values.astype(np.uint16)
