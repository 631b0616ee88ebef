"""Pictures of notebooks as palette PNGs: ``python -m tests.palette notebooks/*.ipynb images/*.png``.

A figure of this course is mostly cloth: grey, rough, and hard to compress. Where grey is rough, no eye counts its
levels, so few are kept; where it is smooth, and in colours (heat maps, contours), they stay fine. A notebook keeps as
many levels as its size allows; where the fewest do not suffice, its pictures of cloth become smaller, while tables and
curves, which cost little, keep their letters legible. Nothing but pictures changes in a file, and a second run changes
nothing.
"""

import argparse
import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from adkit.runtime import atomic_path

LIMIT = 1_000_000  # bytes of a notebook
STEPS = (8, 12, 16, 20, 24)  # between two levels of rough grey, of 255; the finest that keeps within the limit is taken
SCALES = (0.85, 0.7, 0.6, 0.5)  # of the sides of heavy pictures, where the steps alone do not suffice
WIDE = 600  # pixels
HEAVY = 0.025  # of the limit, with the coarsest step
GREY = 2  # how far red, green and blue of a grey pixel differ


def palette_png(png: bytes, step: int = STEPS[0]) -> bytes:
    """A PNG of true colours as one of at most 256; any other, or one with transparency, comes back as it is.

    Args:
        png: content of a PNG file.
        step: between two levels of rough grey, 2 to 64 (of 255).

    Returns:
        Content of a PNG file, never longer than ``png``.
    """
    with Image.open(io.BytesIO(png)) as picture:
        opaque = picture.mode == "RGB" or (picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] == 255)
        if not opaque:
            return png
        pixels = np.asarray(picture.convert("RGB"))
    # fine everywhere is shorter where a picture is smooth as a whole: each pixel tells the next one
    converted = [written(*indexed(pixels, rough, step // 4)) for rough in (step // 4, step)]
    return min(*converted, png, key=len)


def scaled_png(png: bytes, scale: float) -> bytes:
    """A PNG with both sides ``scale`` times as long, true colours; a picture that is not wide comes back as it is."""
    with Image.open(io.BytesIO(png)) as picture:
        if picture.width <= WIDE:
            return png
        sides = tuple(round(scale * side) for side in picture.size)
        buffer = io.BytesIO()
        picture.convert("RGB").resize(sides, Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()


def indexed(pixels: np.ndarray, rough: int, smooth: int) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W, 3), uint8, as indices (H, W) into a palette (N, 3): few greys, rising, and many colours."""
    grey = np.ptp(pixels, axis=2) <= GREY
    level = grey_levels(pixels, rough, smooth)
    levels = np.unique(level[grey])
    index = np.searchsorted(levels, level).clip(max=255).astype(np.uint8)
    colours, which = few_colours(pixels[~grey], 256 - len(levels))
    index[~grey] = len(levels) + which
    return index, np.concatenate([np.repeat(levels[:, None], 3, axis=1), colours]).astype(np.uint8)


def grey_levels(pixels: np.ndarray, rough: int, smooth: int) -> np.ndarray:
    """Brightness of each pixel, (H, W) uint8: in steps of ``rough`` in rough places, elsewhere of ``smooth``.

    A place is rough where a pixel and its eight neighbours differ by more than half a step: that hides the step, as a
    dither would.
    """
    spread = ndimage.maximum_filter(pixels, (3, 3, 1)) - ndimage.minimum_filter(pixels, (3, 3, 1))
    steps = np.where(spread.max(axis=2) > rough / 2, rough, smooth)
    brightness = pixels.mean(axis=2)
    levels = np.round(brightness / steps) * steps
    return np.where(brightness >= 255 - steps / 2, 255, levels).astype(np.uint8)  # paper stays white


def few_colours(colours: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ``most`` colours that stand for ``colours`` (N, 3), and which of them stands for each."""
    codes, which = np.unique(colours.astype(int) @ (1 << 16, 1 << 8, 1), return_inverse=True)
    if len(codes) <= most:
        return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1), which
    width = 1000  # pixels of a row: no side of an image may be too long
    filled = np.resize(colours, (-(-len(colours) // width) * width, 3)).reshape(-1, width, 3)
    # covers rare colours (contours) as well as frequent ones: median cut merges them, an octree is coarse in the dark
    few = Image.fromarray(filled).quantize(most, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=0)
    return np.array(few.getpalette("RGB")).reshape(-1, 3)[:most], np.asarray(few).ravel()[: len(colours)]


def written(index: np.ndarray, palette: np.ndarray) -> bytes:
    """The PNG file of a palette image, its rows filtered in the way that makes it shortest.

    Pillow filters no image that has a palette, for near colours seldom have near indices; our greys do.
    """
    header = struct.pack(">IIBBBBB", *index.shape[::-1], 8, 3, 0, 0, 0)
    data = min((zlib.compress(rows.tobytes(), 9) for rows in filtered(index)), key=len)
    chunks = {b"IHDR": header, b"PLTE": palette.tobytes(), b"IDAT": data, b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    )


def filtered(index: np.ndarray) -> list[np.ndarray]:
    """The rows (H, 1 + W) as a PNG may hold them: plain, as differences from the row above, each as suits it best.

    Source: PNG specification, third edition, section 9, with the filters and the choice among them (the least sum of
    absolute differences) that it recommends.
    """
    left, above = np.zeros_like(index), np.zeros_like(index)
    left[:, 1:], above[1:] = index[:, :-1], index[:-1]
    corner = np.zeros_like(index)
    corner[1:] = left[:-1]
    a, b, c = (part.astype(np.int16) for part in (left, above, corner))
    far = [np.abs(a + b - c - part) for part in (a, b, c)]
    paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), a, np.where(far[1] <= far[2], b, c))
    guesses = np.stack([np.zeros_like(index), left, above, (a + b) // 2, paeth]).astype(np.uint8)
    rows = np.stack([np.insert(index - guess, 0, name, axis=1) for name, guess in enumerate(guesses)])
    sums = np.abs(rows[:, :, 1:].view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    return [rows[0], rows[2], rows[sums.argmin(axis=0), np.arange(len(index))]]


# -- files ---------------------------------------------------------------------------------------------------------


def smaller_notebook(text: str, limit: int = LIMIT) -> str:
    """A notebook with its pictures as palette PNGs: as fine as ``limit`` bytes allow, else heavy ones smaller.

    Args:
        text: content of the .ipynb file.
        limit: bytes that it may have.

    Returns:
        The same text but for the pictures.

    Raises:
        ValueError: if a picture is written over several lines, as no version of IPython does.
    """
    notebook = json.loads(text)
    pictures = {picture: base64.b64decode(picture) for picture in outputs_of(notebook, "image/png")}
    if scattered := [picture for picture in pictures if picture not in text]:
        raise ValueError(f"{len(scattered)} pictures are written over several lines; execute the notebook again")

    def converted(step: int, scale: float = 1) -> str:
        smaller = text
        for picture, png in pictures.items():
            png = palette_png(scaled_png(png, scale) if scale < 1 and picture in heavy else png, step)
            smaller = smaller.replace(picture, base64.b64encode(png).decode())
        return smaller

    def fits(content: str) -> bool:
        return len(content.encode()) <= limit

    coarsest = converted(STEPS[-1])  # first, for it says which of the others are worth their time
    if fits(coarsest):
        return next(filter(fits, map(converted, STEPS[:-1])), coarsest)
    heavy = {picture for picture, png in pictures.items() if len(palette_png(png, STEPS[-1])) > HEAVY * limit}
    smaller = coarsest
    for scale in SCALES:
        if fits(smaller := converted(STEPS[-1], scale)):
            break
    return smaller


def outputs_of(notebook: dict, kind: str) -> list[str]:
    """All pictures of a kind, such as ``image/png``, among a notebook's outputs, in base64."""
    outputs = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return list(dict.fromkeys("".join(data[kind]).strip() for data in outputs if kind in data))


def convert(path: Path) -> tuple[int, int]:
    """Convert a notebook or a PNG file in place; returns its bytes before and after."""
    before = path.read_bytes()
    after = palette_png(before) if path.suffix == ".png" else smaller_notebook(before.decode()).encode()
    if after != before:
        with atomic_path(path) as temporary:
            temporary.write_bytes(after)
    return len(before), len(after)


def main(arguments: list[str] | None = None) -> None:
    """Convert the files named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.palette", description="pictures as palette PNGs, in place")
    parser.add_argument("files", nargs="+", type=Path, help="notebooks and PNG files")
    for path in parser.parse_args(arguments).files:
        before, after = convert(path)
        print(f"{path.name}: {before / 1000:.0f} kB, now {after / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
