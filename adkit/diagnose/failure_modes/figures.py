"""How reconstructions fail: the table of verdicts, and one picture for each way of failing."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator
from PIL import Image

from adkit.diagnose.failure_modes import VERDICTS, Case, Shade, TypeVerdict
from adkit.figures.animation import raster
from adkit.figures.frames import is_wide
from adkit.figures.latents import scatter
from adkit.figures.marks import brackets, fill, outline, show, zoom_box
from adkit.figures.panels import colour_bar, colour_limits
from adkit.figures.style import (
    COLOURS,
    GREY,
    INK,
    MAP,
    PREDICTED,
    TRUE,
    WIDTH,
    Plot,
    new_figure,
    styled,
    to_images,
    to_masks,
)
from adkit.figures.tables import tabular
from adkit.runtime import atomic_path

SHADES = {  # of a cell, and of a bar
    "found": ("#CDE7DC", COLOURS[2]),
    "segmentation missed": ("#FCE8BF", COLOURS[3]),
    "copied": ("#CFE3F2", COLOURS[0]),
    "below texture noise": ("#ECECEC", GREY),
    "inverted": ("#F6D3BF", COLOURS[1]),
}
ROW = 0.62  # inches


@styled
def verdict_table(verdicts: Mapping[str, Mapping[str, TypeVerdict]], title: str = ""):
    """A row an architecture, a column a defect type: the verdict, how sure it is, and the numbers behind it.

    Args:
        verdicts: architecture → defect type → verdict, see :func:`adkit.diagnose.failure_modes.type_verdicts`.
        title: in front of what the numbers are, such as the set's name.

    Returns:
        ``(fig, ax)``.

    Raises:
        ValueError: if there are no verdicts.

    Example:
        >>> from adkit.diagnose.failure_modes import DefectMeasurement, type_verdicts
        >>> dots = DefectMeasurement(0, "dots", "dot", 40, 0.2, surround=0.9, retention=0.1, iou=0.02, iou_otsu=0.01)
        >>> fig, ax = verdict_table(type_verdicts({"plain": [[dots]]}))
    """
    kinds = list(dict.fromkeys(kind for row in verdicts.values() for kind in row))
    if not kinds:
        raise ValueError("expected architecture → defect type → verdict, got no verdicts at all; see type_verdicts")
    fig, ax = tabular(list(verdicts), kinds, height=0.95 + ROW * len(verdicts), width=1.3 + 1.55 * len(kinds))
    for y, row in enumerate(verdicts.values()):
        for x, kind in enumerate(kinds):
            if kind in row:
                _cell(ax, x, y, row[kind])
    numbers = "verdict, its support; surround AUROC · share let through · IoU of the mask; below, the single frames"
    ax.set_title(": ".join(filter(None, [title, numbers])), pad=22)
    handles = [Rectangle((0, 0), 1, 1, color=SHADES[name][1]) for name in VERDICTS]
    ax.legend(handles, VERDICTS, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=len(VERDICTS), handlelength=1.2)
    return fig, ax


def _cell(ax, x: int, y: int, cell: TypeVerdict) -> None:
    ax.add_patch(Rectangle((x, y), 1, 1, facecolor=SHADES[cell.verdict][0], edgecolor="white", linewidth=2))
    numbers = " · ".join(_number(interval.value) for interval in cell.numbers.values())
    ax.text(x + 0.5, y + 0.30, f"{cell.verdict}, {100 * cell.support:.0f} %", ha="center", va="center", fontsize=7)
    ax.text(x + 0.5, y + 0.60, numbers, ha="center", va="center", fontsize=8, color=INK)
    left = x + 0.06
    for name, share in cell.shares.items():
        ax.add_patch(Rectangle((left, y + 0.79), 0.88 * share, 0.11, facecolor=SHADES[name][1], linewidth=0))
        left += 0.88 * share


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def shade_rule(shades: Mapping[str, Sequence[Shade]]) -> Plot:
    """What the rule of shades expects, and what was measured: a point is a defect, on the diagonal the rule is right.

    Left of the vertical line the rule expects a residual below that of the clean twin, below the horizontal line it is.

    Args:
        shades: network → what :func:`adkit.diagnose.failure_modes.measure_shades` returned.

    Returns:
        ``(fig, axes)``, axes an array of one.

    Raises:
        ValueError: if there is no shade.

    Example:
        >>> dark = Shade(0, "dark", gain=0.8, shift=-0.1, share=1.0, grain=0.01, measured=0.7, surround=0.4)
        >>> len(shade_rule({"plain": [dark]}).axes)
        1
    """
    points: dict[str, list] = {}
    for name, found in shades.items():
        for one in found:
            tone = "darker" if one.shift < 0 else "lighter"
            points.setdefault(f"{name}, {tone}", []).append((one.predicted, one.measured))
    plot = scatter(points, labels=("relative residual by the rule", "relative residual, measured"))
    ax = plot.axes[0]
    ax.axvline(1, color=INK, linewidth=0.8)
    ax.axhline(1, color=INK, linewidth=0.8)
    ax.axline((1, 1), (2, 2), color=GREY, linewidth=0.8)
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4, 8, 16, 32]))
        axis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    return plot


@styled
def failure(image, reconstructed, a_map, predicted, mask, *, scale, caption: str, smallest: int = 96):
    """One defect close up: image, reconstruction, map and mask; below, the mask over the whole frame.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        reconstructed: its reconstruction.
        a_map: (H, W).
        predicted: bool (H, W).
        mask: bool (H, W), the true one; outlined in the masks, and marked by corners in image and map.
        scale: of the map's colours, from validation normals: see :func:`adkit.figures.colour_scale`.
        caption: over the whole picture.
        smallest: side of the smallest window, in pixels.

    Returns:
        ``(fig, axes)``, axes a list of five, or of four where the frame is not wide and so has no place below.

    Example:
        >>> frame, mask = np.zeros((176, 976)), np.zeros((176, 976), bool)
        >>> fig, axes = failure(frame, frame, frame, mask, mask, scale=0.1, caption="nothing")
        >>> len(axes)
        5
    """
    (image, reconstructed), (predicted, mask) = to_images([image, reconstructed]), to_masks([predicted, mask])
    top, left, height, width = zoom_box(mask, smallest=min(smallest, *mask.shape))
    window, limits = np.s_[top : top + height, left : left + width], colour_limits(scale)
    rows, heights = [list("abcd")], [WIDTH / 4.2]
    if is_wide(mask.shape):
        rows, heights = [*rows, ["whole"] * 4], [*heights, WIDTH * mask.shape[0] / mask.shape[1]]
    fig = new_figure(sum(heights) + 0.45 + 0.35 * len(rows))
    fig.get_layout_engine().set(h_pad=0.08)  # between the caption and the names of the panels
    axes = fig.subplot_mosaic(rows, height_ratios=heights)
    show(axes["a"], image[window], "image")
    show(axes["b"], reconstructed[window], "reconstruction")
    show(axes["c"], np.asarray(a_map)[window], "anomaly map", cmap=MAP, vmin=limits[0], vmax=limits[1])
    show(axes["d"], fill(image, predicted, PREDICTED)[window], "mask predicted")
    for name in "ac":
        brackets(axes[name], mask[window])
    outline(axes["d"], mask[window], TRUE, 1.0, rings=False)
    if "whole" in axes:
        areas = f"{100 * (predicted & ~mask).mean():.2f} % false, defect {100 * mask.mean():.2f} %"
        show(axes["whole"], fill(np.ones(mask.shape), predicted, PREDICTED), f"mask predicted, whole frame: {areas}")
        outline(axes["whole"], mask, TRUE, 1.0)
    colour_bar(axes["c"], limits, wide=False)
    fig.suptitle(caption, x=0.01, ha="left", fontsize=9, fontweight="bold")
    return fig, list(axes.values())


def failure_pictures(cases: Mapping[str, Case], views: Mapping[str, dict], *, scales: Mapping) -> dict[str, Plot]:
    """The picture of each case.

    Args:
        cases: of :func:`adkit.diagnose.failure_modes.choose_cases`.
        views: the arrays of each, of :func:`adkit.diagnose.failure_modes.view_cases`.
        scales: architecture → colours of its maps, from validation normals: see :func:`adkit.figures.colour_scale`.

    Returns:
        Name → `Plot`.
    """
    return {
        name: failure(**views[name], scale=scales[case.architecture], caption=case.caption)
        for name, case in cases.items()
    }


def save_pictures(pictures: Mapping[str, Plot], folder: str | os.PathLike) -> list[Path]:
    """Write each picture as ``<name>.png``, with 256 colours, so that it stays small; returns the files.

    Args:
        pictures: name → `Plot`.
        folder: where to; it is made if it is not there.

    Example:
        >>> import tempfile
        >>> from adkit.figures import sweep
        >>> plot = sweep([1, 2], {"y": [1, 2]}, xlabel="x", ylabel="y")
        >>> [path.name for path in save_pictures({"white_anomaly": plot}, tempfile.mkdtemp())]
        ['white_anomaly.png']
    """
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, plot in pictures.items():
        files.append(folder / f"{name}.png")
        quantised = Image.fromarray(raster(plot)).quantize(palette=_palette(), dither=Image.Dither.NONE)
        with atomic_path(files[-1]) as temporary:
            quantised.save(temporary, "PNG", optimize=True)
    return files


def _palette() -> Image.Image:
    """What such a picture is made of: 80 greys, 96 shades of the map, and both masks' colours mixed with white."""
    ramp = np.linspace(0, 1, 40)[:, None]
    marks = [ramp * to_rgb(colour) + (1 - ramp) for colour in (TRUE, PREDICTED)]
    shades = matplotlib.colormaps[MAP](np.linspace(0, 1, 96))[:, :3]
    colours = np.concatenate([np.repeat(np.linspace(0, 1, 80)[:, None], 3, axis=1), shades, *marks])
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * colours).round().astype(np.uint8).tobytes())
    return palette
