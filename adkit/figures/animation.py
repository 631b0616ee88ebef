"""Pictures of pictures: an animated GIF over epochs, and figures side by side."""

import base64
import html
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from adkit.figures.style import DPI, WIDTH, Plot, new_figure, styled, to_image
from adkit.runtime import atomic_path

# of a GIF, the same for all its frames: cloth in as many greys is a third of the size of cloth in 256, and looks alike
GIF_COLOURS = 64


def raster(plot: Plot) -> np.ndarray:
    """A figure as pixels, (H, W, 3) uint8."""
    with Image.open(io.BytesIO(plot.png())) as picture:
        return np.asarray(picture.convert("RGB"))


class Film(NamedTuple):
    """An animated GIF on disk; as the last line of a cell it shows itself, also where a notebook becomes a web page.

    Attributes:
        path: of the file.
        alt: what it shows, in words.
    """

    path: Path
    alt: str = ""

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.path.read_bytes()).decode()
        return f'<img alt="{html.escape(self.alt)}" src="data:image/gif;base64,{data}">'

    def __repr__(self) -> str:
        return f"<film {self.path.name}: {self.alt}>"


def gif(path: str | os.PathLike, frames: Sequence, seconds: float = 0.4, hold: float = 1.6, alt: str = "") -> Film:
    """Write an animated GIF, whole or not at all.

    Args:
        path: file to write.
        frames: one or more figures (`Plot`), or images (H, W), (C, H, W) or (H, W, C), float in [0, 1] or uint8;
            smaller ones are set on white.
        seconds: how long a frame is shown, in seconds.
        hold: how long the last frame is shown, in seconds.
        alt: what it shows, in words, for whoever does not see it.

    Returns:
        A `Film`, which shows itself.

    Raises:
        ValueError: if there are no frames.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "epochs.gif"
        >>> gif(path, [np.zeros((8, 8)), np.ones((8, 8))], alt="black, then white")
        <film epochs.gif: black, then white>
        >>> with Image.open(path) as picture:
        ...     picture.n_frames
        2
    """
    if not len(frames):
        raise ValueError("a GIF needs at least one frame, got none")
    pixels = [raster(f) if isinstance(f, Plot) else (to_image(f) * 255).round().astype(np.uint8) for f in frames]
    pictures = [Image.fromarray(p).convert("RGB") for p in pixels]
    size = tuple(max(sizes) for sizes in zip(*(picture.size for picture in pictures), strict=True))
    canvases = []
    for picture in pictures:
        canvases.append(Image.new("RGB", size, "white"))
        canvases[-1].paste(picture)
    times = [round(1000 * seconds)] * (len(canvases) - 1) + [round(1000 * hold)]
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded_gif(canvases, times))
    return Film(Path(path), alt)


def encoded_gif(frames: Sequence[Image.Image], times: Sequence[int]) -> bytes:
    """Content of an endless GIF whose frames share one palette of at most ``GIF_COLOURS``.

    Args:
        frames: RGB pictures of one size.
        times: how long each is shown, in milliseconds.
    """
    width, height = frames[0].size
    strip = Image.new("RGB", (width, height * len(frames)))
    for number, frame in enumerate(frames):
        strip.paste(frame, (0, number * height))
    # covers rare colours (contours) as well as frequent ones; undithered, or nothing would repeat from frame to frame
    shared = strip.quantize(GIF_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    first, *others = (frame.quantize(palette=shared, dither=Image.Dither.NONE) for frame in frames)
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=others, duration=list(times), loop=0, optimize=True)
    return content.getvalue()


@styled
def side_by_side(plots: Sequence[Plot], captions: Sequence[str]):
    """Figures as one picture with a caption over each: wide ones below one another, others beside one another.

    Args:
        plots: one or more results of figure functions.
        captions: a text for each figure.

    Returns:
        ``(fig, axes)``, axes an array of one a figure.

    Raises:
        ValueError: if there are no figures, or not as many captions.

    Example:
        >>> from adkit.figures import sweep
        >>> plot = sweep([1, 2], {"y": [1, 2]}, xlabel="x", ylabel="y")
        >>> fig, axes = side_by_side([plot, plot], ["first", "second"])
    """
    if not plots or len(plots) != len(captions):
        raise ValueError(f"expected at least one figure and a caption each, got {len(plots)} and {len(captions)}")
    pictures = [raster(plot) for plot in plots]
    height, width = (max(picture.shape[side] for picture in pictures) for side in (0, 1))
    # As many columns as fit without shrinking a picture below 80 % of its size.
    columns = min(max(int(WIDTH * DPI / (0.8 * width)), 1), len(pictures))
    rows = -(-len(pictures) // columns)
    cell = min(WIDTH / columns, width / DPI)
    fig = new_figure(rows * (cell * height / width + 0.3), columns * cell, layout="compressed")
    fig.get_layout_engine().set(h_pad=0.02, w_pad=0.02)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(pictures) :]:
        ax.remove()
    axes = axes[: len(pictures)]
    for ax, picture, caption in zip(axes, pictures, captions, strict=True):
        ax.imshow(picture, interpolation="antialiased")
        ax.set_title(caption, fontweight="bold")
        ax.set_axis_off()
    return fig, axes
