"""A table of unlike numbers: every column has a unit of its own, and so shades of its own."""

from collections.abc import Mapping

import numpy as np

from adkit.figures.grid import shaded_grid
from adkit.figures.style import styled


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
