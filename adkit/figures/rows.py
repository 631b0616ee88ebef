"""Rows of dots: differences to one method with their intervals, and numbers of unlike units, each on its own scale."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from adkit.figures.style import BLUE, GREY, few_ticks, headline, new_figure, number, styled, write_number


@styled
def differences(table: Mapping[str, Mapping[str, object]], *, label: str = ""):
    """Differences with their intervals, a row for each pair and a panel for each measure; filled where shown.

    Args:
        table: name of the row → measure → a difference with ``value``, ``low``, ``high`` and ``shown``; a measure that
            is missing leaves a place empty.
        label: title of the figure, such as what is subtracted from what.

    Returns:
        ``(fig, axes)``, axes an array of one a measure.

    Raises:
        ValueError: if there is no difference.

    Example:
        >>> from adkit.metrics.significance import Difference
        >>> large, none = Difference(0.1, 0.05, 0.16, p=0.004), Difference(0.0, -0.1, 0.1, p=1.0)
        >>> differences({"a − b": {"PRO": large}, "a − c": {"PRO": none}}).axes.shape
        (1,)
    """
    measures = list(dict.fromkeys(name for row in table.values() for name in row))
    if not measures:
        raise ValueError("expected differences, as row -> measure -> difference, got none")
    fig, axes = _panels(table, measures)
    for ax, measure in zip(axes, measures, strict=True):
        ax.axvline(0, color=GREY, linewidth=0.8)
        for height, row in enumerate(table.values()):
            if (gap := row.get(measure)) is not None:
                _difference(ax, height, gap)
        ax.margins(x=0.12)
        few_ticks(ax)
    headline(fig, label)
    return fig, axes


def _difference(ax: Axes, height: int, gap) -> None:
    colour = BLUE if gap.shown else GREY
    ax.plot([gap.low, gap.high], [height, height], color=colour, linewidth=2.2, alpha=0.5, solid_capstyle="butt")
    face = colour if gap.shown else "white"
    ax.plot(gap.value, height, "o", color=colour, markersize=5.5, markerfacecolor=face)
    write_number(ax, (gap.value, height), number(gap.value, "{:+.3f}"))


@styled
def dot_rows(table: Mapping[str, Mapping[str, float | None]], logarithmic: Sequence[str] = (), form: str = "{:.3g}"):
    """Numbers of unlike units: a row for each name, a panel for each measure, on its own scale.

    The name at the left is the label of all dots of its row, so nothing has to be told apart by colour.

    Args:
        table: name → measure → number; None leaves a place empty.
        logarithmic: measures on a logarithmic scale, all positive.
        form: format of the numbers beside the dots.

    Returns:
        ``(fig, axes)``, axes an array of one a measure.

    Raises:
        ValueError: if there is no number, or one on a logarithmic scale is not positive.

    Example:
        >>> dot_rows({"a": {"PRO": 0.7, "fit, s": 3.0}, "b": {"PRO": 0.8, "fit, s": 90.0}}, ["fit, s"]).axes.shape
        (2,)
    """
    measures = list(dict.fromkeys(name for row in table.values() for name in row))
    if not measures:
        raise ValueError("expected numbers, as name -> measure -> number, got none")
    if bad := [name for name, row in table.items() for m in logarithmic if row.get(m) is not None and row[m] <= 0]:
        raise ValueError(f"numbers on a logarithmic scale must be positive; those of {bad[0]!r} are not")
    fig, axes = _panels(table, measures)
    for ax, measure in zip(axes, measures, strict=True):
        if measure in logarithmic:
            ax.set_xscale("log")
            known = [row[measure] for row in table.values() if row.get(measure) is not None]
            ax.xaxis.set_major_locator(LogLocator(subs=(1,) if np.nanmax(known) > 30 * np.nanmin(known) else (1, 2, 5)))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
        for height, row in enumerate(table.values()):
            if (value := row.get(measure)) is not None and np.isfinite(value):
                ax.plot(value, height, "o", color=BLUE, markersize=5.5)
                write_number(ax, (value, height), number(value, form))
        ax.margins(x=0.2)
        if measure not in logarithmic:
            few_ticks(ax)
    return fig, axes


def _panels(rows: Mapping, measures: Sequence[str]):
    """An empty panel for each measure, the rows named at the left and ruled lightly."""
    fig = new_figure(0.75 + 0.27 * len(rows))
    axes = fig.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for ax, measure in zip(axes, measures, strict=True):
        ax.set_title(measure)
        ax.grid(axis="both")
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(rows)), labels=list(rows))
    axes[0].set_ylim(len(rows) - 0.4, -0.75)
    return fig, axes
