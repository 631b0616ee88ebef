"""Tables as figures: every cell says its number and is shaded by it, light for low and dark for high."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from adkit.figures.style import INK, WIDTH, StyledFigure, headline, new_figure, number, styled, to_array

# From this shade on, white letters have more contrast than dark ones (as WCAG 2 defines it, 3.8 : 1 here).
DARK = 0.83
MOST_DECIMALS = 3  # of a column, where its largest number does not need more
MINUTE = 0.001  # columns of smaller numbers are written with powers of ten


def tabular(
    rows: Sequence[str], columns: Sequence[str], *, height: float, width: float, slanted: bool = False
) -> tuple[StyledFigure, Axes]:
    """An empty table: cell (row r, column c) is the unit square from (c, r) to (c + 1, r + 1), row 0 on top.

    Args:
        rows: R names, written at the left.
        columns: C names, written above the table.
        height: of the figure, in inches.
        width: of the figure, in inches; at most that of a page.
        slanted: write the columns' names below the table, slanted, for many of them in narrow columns.

    Returns:
        ``(fig, ax)``.
    """
    fig = new_figure(height, min(WIDTH, width))
    ax = fig.subplots()
    ax.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    ax.set_xticks(np.arange(len(columns)) + 0.5, labels=columns, **turned)
    ax.set_yticks(np.arange(len(rows)) + 0.5, labels=rows)
    ax.tick_params(length=0, labeltop=not slanted, labelbottom=slanted)
    ax.spines[:].set_visible(False)
    return fig, ax


def _shade(ax: Axes, shades: np.ndarray, texts: np.ndarray) -> None:
    """Shade the cells of a table from 0, light, to 1, dark (NaN: white), and write their texts in them."""
    blues = matplotlib.colormaps["Blues"].with_extremes(bad="white")
    # 1.25: the darkest blues would hide the difference between high values.
    ax.pcolormesh(np.ma.masked_invalid(shades), cmap=blues, vmin=0, vmax=1.25, edgecolor="white", linewidth=2)
    for (row, column), text in np.ndenumerate(texts):
        if text:
            colour = "white" if shades[row, column] > DARK else INK
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour)


def _shaded_numbers(values: np.ndarray, shades: np.ndarray, rows: Sequence[str], columns: Sequence[str], forms):
    """A shaded table of numbers, a format for each column, wide enough for their names; NaN is a dash."""
    longest, widest = max(map(len, rows)), max(map(len, columns))
    width = 0.4 + 0.075 * longest + max(0.95, 0.085 * widest) * len(columns)
    fig, ax = tabular(rows, columns, height=0.6 + 0.34 * len(rows), width=width)
    texts = [[number(value, form) for value, form in zip(row, forms, strict=True)] for row in values]
    _shade(ax, shades, np.array(texts, dtype=object))
    return fig, ax


def aligned_form(column: np.ndarray) -> str:
    """A format that gives all numbers of a column as many decimals, and each of them at least two digits that count.

    Args:
        column: numbers; NaN are left out.

    Example:
        >>> [aligned_form(np.array(column)) for column in ([1, 0.24, 0.0613], [5560.0, 320.0], [0.2, 30])]
        ['{:.3f}', '{:,.0f}', '{:.1f}']
        >>> aligned_form(np.array([0.000171, 8.82e-05]))
        '{:.2e}'
    """
    sizes = np.abs(column[np.isfinite(column) & (column != 0)])
    if not sizes.size:
        return "{:.0f}"
    if sizes.max() < MINUTE:
        return "{:.2e}"
    wanted = max(2 - np.floor(np.log10(sizes.max())), min(1 - np.floor(np.log10(sizes.min())), MOST_DECIMALS))
    # no zeros behind the last digit of all: 0.2 stays 0.2
    decimals = next((few for few in range(int(max(wanted, 0))) if np.allclose(sizes, sizes.round(few), 1e-4)), wanted)
    return f"{{:{',' if sizes.max() >= 1000 else ''}.{int(max(decimals, 0))}f}}"


@styled
def heat_table(values, rows: Sequence[str], columns: Sequence[str], *, limits=None, form="{:.2f}", label=""):
    """A table of numbers of one unit, shaded by value: light is low, dark is high, also in grey print.

    Args:
        values: (R, C) numbers; NaN leaves a cell empty.
        rows: R names.
        columns: C names.
        limits: ``(low, high)``, the values of the lightest and of the darkest shade; None: the smallest and the
            largest value of the table.
        form: format of a number, such as ``"{:.3f}"``.
        label: title, such as the metric's name.

    Returns:
        ``(fig, ax)``.

    Raises:
        ValueError: if names and values do not fit.

    Example:
        >>> fig, ax = heat_table([[0.5, 0.9]], ["mse"], ["bright", "dots"], label="pixel AP")
    """
    values = to_array(values).astype(float)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(
            f"expected values of shape ({len(rows)}, {len(columns)}), as rows and columns, got {values.shape}"
        )
    low, high = limits or (np.nanmin(values), np.nanmax(values))
    fig, ax = _shaded_numbers(values, (values - low) / ((high - low) or 1.0), rows, columns, [form] * len(columns))
    ax.set_title(label, pad=22)
    return fig, ax


@styled
def heat_panels(tables: Mapping[str, np.ndarray], rows: Sequence[str], columns: Sequence[str], *, label: str = ""):
    """Tables of one shape below one another, each shaded for itself, the highest number of each framed.

    Args:
        tables: title → (R, C) numbers; NaN leaves a cell empty.
        rows: R names.
        columns: C names, above the first table, slanted.
        label: title of the figure, such as the metric's name.

    Returns:
        ``(fig, axes)``, axes an array of one a table.

    Raises:
        ValueError: if there is no table, or names and values do not fit.

    Example:
        >>> fig, axes = heat_panels({"dots": [[0.5, 0.9]], "dark": [[0.7, 0.6]]}, ["mse"], ["l2, 4", "ssim, 4"])
        >>> [len(ax.texts) for ax in axes]
        [2, 2]
    """
    tables = {title: to_array(values).astype(float) for title, values in tables.items()}
    if not tables or any(values.shape != (len(rows), len(columns)) for values in tables.values()):
        shapes = {title: values.shape for title, values in tables.items()}
        raise ValueError(f"expected tables of shape ({len(rows)}, {len(columns)}), as rows and columns, got {shapes}")
    fig = new_figure(1.1 + len(tables) * (0.35 + 0.2 * len(rows)))
    axes = fig.subplots(len(tables), 1, squeeze=False)[:, 0]
    for ax, (title, values) in zip(axes, tables.items(), strict=True):
        ax.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
        shades = _ranked(values.ravel()).reshape(values.shape)
        texts = [[number(value, "{:.2f}") for value in row] for row in values]
        _shade(ax, shades, np.array(texts, dtype=object))
        if np.isfinite(values).any():
            row, column = np.unravel_index(np.nanargmax(values), values.shape)
            ax.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=INK, linewidth=2))
        ax.set_yticks(np.arange(len(rows)) + 0.5, labels=rows)
        ax.set_xticks([])
        ax.set_title(title)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    axes[0].set_xticks(np.arange(len(columns)) + 0.5, labels=columns, rotation=45, ha="left", rotation_mode="anchor")
    axes[0].tick_params(length=0, labeltop=True, labelbottom=False)
    headline(fig, label)
    return fig, axes


@styled
def column_table(
    table: Mapping[str, Mapping[str, float]],
    *,
    form: str | None = None,
    label: str = "",
    shaded: Sequence[str] | None = None,
):
    """A table of unlike numbers; where columns are shaded, light is the lowest of a column and dark the highest.

    Args:
        table: row → column → number; None or NaN leaves a cell empty.
        form: format of a number, such as ``"{:.3f}"``; None: as many decimals as a column needs, see `aligned_form`.
        label: title of the figure.
        shaded: columns that are shaded, such as those where high is good; None: all of them.

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
    plain = [shaded is not None and name not in shaded for name in named[0]]
    forms = [form or aligned_form(column) for column in values.T]
    fig, ax = _shaded_numbers(values, np.where(plain, np.nan, shades), list(table), named[0], forms)
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
    """A confusion matrix: counts by the truth (rows) and by the verdict (columns), shaded by the share of their row.

    Args:
        counts: (R, C) numbers of images, not negative; a cell of 0 stays empty.
        rows: R names, the truth.
        columns: C names, the verdicts; None: the rows' names.
        title: title of the figure.

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
    # Inches for the names.
    margin = 0.3 + 0.07 * max(len(name) for name in [*rows, *columns])
    height, width = margin + 0.55 + 0.32 * len(rows), margin + 0.3 + 0.5 * len(columns)
    fig, ax = tabular(rows, columns, height=height, width=width, slanted=True)
    texts = [[f"{count:g}" if count else "" for count in row] for row in counts]
    _shade(ax, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.array(texts, dtype=object))
    ax.set(xlabel="is called (shade: share of the row)", ylabel="is in truth", title=title)
    return fig, ax
