"""What is called what: a confusion matrix whose cells are shaded by the share of their row."""

from collections.abc import Sequence

import matplotlib
import numpy as np

from adkit.figures.style import INK, new_figure, styled, to_array


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
