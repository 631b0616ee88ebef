"""A table of numbers as a figure: every cell says its number, and is shaded by it.

A table of unlike numbers: every column has a unit of its own, and so shades of its own.

What is called what: a confusion matrix whose cells are shaded by the share of their row.
"""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np

from adkit.figures.style import INK, new_figure, styled, to_array

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


@styled
def column_table(table: Mapping[str, Mapping[str, float]], *, form: str = "{:.3g}", label: str = ""):
    """A table whose cells are shaded column by column: light is the lowest of its column, dark the highest.

    Args:
        table: row → column → number; None or NaN leaves a cell empty.
        form: format of a number.
        label: title of the figure.

    Returns:
        ``(fig, ax)``.

    Raises:
        ValueError: if the table is empty, or its rows have different columns.

    Example:
        >>> fig, ax = column_table({"plain": {"KL": 30.2, "AP": 0.21}, "add": {"KL": 0.4, "AP": 0.19}})
    """
    named = [tuple(row) for row in table.values()]
    if not table or not named[0] or len(set(named)) > 1:
        raise ValueError(f"expected rows with the same columns, as row -> column -> number, got {named}")
    values = np.array([[np.nan if value is None else value for value in row.values()] for row in table.values()], float)
    shades = np.array([_ranked(column) for column in values.T]).T
    fig, ax = shaded_grid(values, shades, list(table), named[0], form)
    ax.set_title(label, pad=22)
    return fig, ax


def _ranked(column: np.ndarray) -> np.ndarray:
    """Where each value lies between the lowest (0) and the highest (1) of its column; NaN stays NaN.

    Example:
        >>> _ranked(np.array([2.0, np.nan, 4.0, 3.0])).tolist()
        [0.0, nan, 1.0, 0.5]
    """
    known = column[np.isfinite(column)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    return (column - low) / ((high - low) or 1.0)


@styled
def confusion(counts, rows: Sequence[str], columns: Sequence[str] | None = None, *, title: str = ""):
    """Counts by the truth (rows) and by what it was called (columns); empty cells stay empty.

    Args:
        counts: (R, C), not negative.
        rows: R names, the truth.
        columns: C names; default: the rows'.
        title: of the figure.

    Returns:
        ``(fig, ax)``.

    Raises:
        ValueError: if names and counts do not fit, or a count is negative.

    Example:
        >>> fig, ax = confusion([[9, 1], [2, 8]], ["good", "spike"])
    """
    counts, columns = to_array(counts), list(rows if columns is None else columns)
    if counts.shape != (len(rows), len(columns)) or (counts < 0).any():
        raise ValueError(
            f"expected {len(rows)} x {len(columns)} counts of at least 0, as rows and columns, got {counts.shape} "
            f"with the smallest {counts.min(initial=0):g}"
        )
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    longest = max(len(name) for name in [*rows, *columns])
    margin = 0.3 + 0.07 * longest  # inches for the names
    fig = new_figure(margin + 0.55 + 0.32 * len(rows), min(9.2, margin + 0.3 + 0.5 * len(columns)))
    ax = fig.subplots()
    ax.pcolormesh(shares, cmap=matplotlib.colormaps["Blues"], vmin=0, vmax=1.25, edgecolor="white", linewidth=2)
    for (y, x), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[y, x] > 0.62 else INK
            ax.text(x + 0.5, y + 0.5, f"{count:g}", ha="center", va="center", color=colour)
    ax.set_xticks(np.arange(len(columns)) + 0.5, labels=columns, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(np.arange(len(rows)) + 0.5, labels=rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    ax.set(xlabel="is called", ylabel="is", title=title)
    return fig, ax
