"""One look for every figure: legible at 976 × 176, in grey print and to the colour-blind, without global state."""

import io
import os
import re
from collections.abc import Iterator
from functools import wraps
from itertools import chain
from typing import NamedTuple

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator

from adkit.runtime import atomic_path

# Okabe and Ito, "Color universal design" (2008); the yellow is left out, it vanishes on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 2)))
BLUE, VERMILLION, GREY, INK = COLOURS[0], COLOURS[1], "#8A8A8A", "#262626"
DIM = "#5A5A5A"  # of small letters: grey, and still legible
# One colour each for the true and the predicted mask, in every figure.
TRUE, PREDICTED = BLUE, VERMILLION
# Perceptually uniform and rising in lightness, so it also reads in grey.
MAP = "inferno"

# Inches, and pixels an inch: a frame of 976 pixels is shown at about its own size.
WIDTH, DPI = 9.2, 110

STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#B0B0B0",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.8,
    "xtick.color": "#B0B0B0",
    "ytick.color": "#B0B0B0",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "text.color": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "image.interpolation": "nearest",
    "image.cmap": "gray",
}


class StyledFigure(Figure):
    """A matplotlib figure outside pyplot that keeps the kit's style whenever it is rendered; none is ever left open."""

    def draw(self, renderer) -> None:
        """Render under `STYLE`: matplotlib makes ticks late, from the settings of that moment."""
        with matplotlib.rc_context(STYLE):
            super().draw(renderer)

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight", pad_inches=0.06)
        return buffer.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self.png(), {"alt": self.alt}

    @property
    def alt(self) -> str:
        """What the figure shows, in words, for whoever does not see it: what it is, and all that is named within."""
        names = chain(*map(_names, self.axes), *map(_entries, self.legends))
        words = dict.fromkeys(" ".join(name.split()) for name in names)
        named = (word for word in words if re.search("[^\\W\\d_]", word))  # numbers alone say nothing
        return ": ".join(filter(None, [getattr(self, "subject", "figure"), "; ".join(named)]))[:600]


def _names(ax: Axes) -> Iterator[str]:
    """Titles of a panel, and what its axes, rows, columns and lines are called."""
    yield from (ax.get_title(loc=side) for side in ("left", "center"))
    if ax.axison:
        for axis in (ax.yaxis, ax.xaxis):
            yield axis.get_label_text()
            yield from (tick.get_text() for tick in axis.get_ticklabels() if "mathdefault" not in tick.get_text())
    yield from (text.get_text() for text in ax.texts if text.get_visible())
    if legend := ax.get_legend():
        yield from _entries(legend)


def _entries(legend: Legend) -> Iterator[str]:
    """What a legend calls its lines."""
    return (text.get_text() for text in legend.get_texts())


class Plot(NamedTuple):
    r"""What every figure function returns: ``fig, axes = panels(...)``, or the last line of a cell to see it.

    Example:
        >>> plot = Plot(*_blank())
        >>> fig, axes = plot
        >>> plot.png()[:4]
        b'\x89PNG'
    """

    fig: StyledFigure
    axes: np.ndarray | Axes

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        return self.fig.png()

    def save(self, path: str | os.PathLike) -> None:
        """Write the picture as a PNG file, whole or not at all.

        Args:
            path: file to write, such as ``"curves.png"``; its folder is made where it is missing.
        """
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.png())

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self.fig._repr_png_()

    def __repr__(self) -> str:
        width, height = (self.fig.get_size_inches() * self.fig.dpi).astype(int)
        return f"<figure of {width} x {height} pixels>"


def styled(function):
    """Run a figure function under `STYLE` and wrap the ``(fig, axes)`` it returns in a `Plot`."""

    @wraps(function)
    def plot(*args, **kwargs) -> Plot:
        with matplotlib.rc_context(STYLE):
            made = Plot(*function(*args, **kwargs))
        made.fig.subject = (function.__doc__ or "figure").strip().splitlines()[0].rstrip(".")
        return made

    return plot


def number(value: float, form: str) -> str:
    """A number as figures write it: with a true minus, no zero below zero, and a dash where there is none.

    Args:
        value: the number.
        form: its format, such as ``"{:.3f}"``.

    Example:
        >>> number(-0.25, "{:+.2f}"), number(-0.0004, "{:+.3f}"), number(float("nan"), "{:.2f}")
        ('−0.25', '0.000', '–')
    """
    if not np.isfinite(value):
        return "–"
    text = form.format(value)
    return text.lstrip("+-") if not re.search("[1-9]", text) else text.replace("-", "−")


def halo(width: float) -> list:
    """A light rim around a dark line ``width`` points wide: visible on any background, in colour and in grey."""
    return [Stroke(linewidth=width + 1.4, foreground="white", alpha=0.9), Normal()]


def headline(fig: Figure, text: str) -> None:
    """Write a line over all panels of a figure; nothing where there is no text."""
    if text:
        fig.suptitle(text, x=0.01, ha="left", fontsize=9)


def write_number(ax: Axes, place: tuple[float, float], text: str) -> None:
    """Write a number above its dot, with a white rim: a line that runs through it does not cross it out.

    Args:
        ax: where the dot is.
        place: of the dot, in the units of the axes.
        text: the number.
    """
    look = {"textcoords": "offset points", "ha": "center", "va": "bottom", "fontsize": 8, "color": INK}
    label = ax.annotate(text, place, (0, 4), **look)
    label.set_path_effects(halo(1.0))


def few_ticks(ax: Axes) -> None:
    """Three or four round ticks on the horizontal axis, none where no share can lie if all its data are shares.

    Call it once the limits are final. More ticks would run into those of the neighbouring panel.

    Args:
        ax: the panel.
    """
    low, high = ax.get_xlim()
    data = ax.dataLim.intervalx
    ticks = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high)
    kept = [
        tick for tick in ticks if low <= tick <= high and not (0 <= data[0] and data[1] <= 1 and not 0 <= tick <= 1)
    ]
    ax.set_xticks(kept)


def new_figure(height: float, width: float = WIDTH, layout: str = "constrained") -> StyledFigure:
    """An empty figure.

    Args:
        height: inches.
        width: inches.
        layout: matplotlib's layout engine, ``constrained`` or ``compressed`` (closes gaps beside pictures).
    """
    return StyledFigure(figsize=(width, height), dpi=DPI, layout=layout)


def _blank() -> tuple[StyledFigure, Axes]:
    fig = new_figure(1.0, 2.0)
    return fig, fig.subplots()


def to_array(values) -> np.ndarray:
    """Numbers of any kind (tensor on any device, bfloat16, list) as a NumPy array of the same shape."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return (values.float() if values.is_floating_point() else values).numpy()
    return np.asarray(values)


def to_image(image) -> np.ndarray:
    """An image as matplotlib wants it, in [0, 1]: (H, W) grey or (H, W, 3) colour.

    Args:
        image: (H, W), (C, H, W) or (H, W, C) with C = 1 or 3; uint8, or float in [0, 1].

    Raises:
        ValueError: if the shape is none of these.

    Example:
        >>> to_image(torch.zeros(1, 176, 976)).shape
        (176, 976)
    """
    array = to_array(image)
    if array.dtype == np.uint8:
        array = array / np.float32(255)
    if array.ndim == 3 and array.shape[0] in (1, 3):
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 2 and array.shape[2:] != (3,):
        raise ValueError(f"an image must have shape (H, W), (C, H, W) or (H, W, C) with C = 1 or 3, got {array.shape}")
    return np.clip(array.astype(np.float32), 0, 1)


def to_images(images) -> list[np.ndarray]:
    """A list of images, a batch (B, C, H, W) or a single image, as a list of `to_image` arrays."""
    if isinstance(images, (list, tuple)):
        return [to_image(image) for image in images]
    return [to_image(image) for image in (images if images.ndim == 4 else [images])]


def to_maps(maps) -> list[np.ndarray]:
    """A list of maps or masks, a batch (B, H, W) or a single (H, W), as a list of (H, W) arrays."""
    if isinstance(maps, (list, tuple)):
        return [to_array(a_map) for a_map in maps]
    maps = to_array(maps)
    return list(maps) if maps.ndim == 3 else [maps]


def to_masks(masks) -> list[np.ndarray]:
    """As `to_maps`, bool."""
    return [mask.astype(bool) for mask in to_maps(masks)]
