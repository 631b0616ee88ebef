"""A table of numbers as a figure: every cell says its number, and is shaded by it."""

from collections.abc import Sequence

import matplotlib
import numpy as np

from adkit.figures.style import INK, new_figure

DARK = 0.62  # from this shade on, white letters read better than dark ones


def shaded_grid(values: np.ndarray, shades: np.ndarray, rows: Sequence[str], columns: Sequence[str], form: str):
    """Draw a grid of numbers with the names of rows and columns around it.

    Args:
        values: (R, C); NaN leaves a cell empty.
        shades: (R, C) from 0, light, to 1, dark.
        rows: R names.
        columns: C names.
        form: format of a number.

    Returns:
        ``(fig, ax)``.
    """
    longest, widest = max(map(len, rows)), max(map(len, columns))
    width = 0.4 + 0.075 * longest + max(0.95, 0.085 * widest) * len(columns)
    fig = new_figure(0.6 + 0.34 * len(rows), min(9.2, width))
    ax = fig.subplots()
    light = matplotlib.colormaps["Blues"].with_extremes(bad="white")
    ax.pcolormesh(np.ma.masked_invalid(shades), cmap=light, vmin=0, vmax=1.25, edgecolor="white", linewidth=2)
    for (y, x), value in np.ndenumerate(values):
        text = form.format(value) if np.isfinite(value) else "–"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", color="white" if shades[y, x] > DARK else INK)
    ax.set_xticks(np.arange(len(columns)) + 0.5, labels=columns)
    ax.set_yticks(np.arange(len(rows)) + 0.5, labels=rows)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    return fig, ax
