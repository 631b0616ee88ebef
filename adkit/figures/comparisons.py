"""Methods against one another: their metrics with intervals, and what accuracy costs."""

from collections.abc import Mapping, Sequence
from itertools import chain, cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from adkit.figures.style import (
    COLOURS,
    GREY,
    LINES,
    MARKERS,
    few_ticks,
    headline,
    new_figure,
    number,
    styled,
    to_array,
    write_number,
)

# Inches: the height of the panels of costs.
HEIGHT = 3.4


@styled
def comparison(
    table: Sequence[Mapping],
    reference: Mapping[str, float] | None = None,
    limits: tuple[float, float] | None = None,
    label: str = "",
):
    """Methods against one another: a row each, a panel for each metric, a dot with its interval.

    Args:
        table: one dict a method: its first entry is the row's name, the others metric → number, ``(value, low, high)``,
            or an interval with ``value``, ``low`` and ``high``; ``None`` leaves a place empty.
        reference: metric → a value to mark with a thin line, such as chance.
        limits: ``(low, high)`` of every panel, where all metrics have one unit; None: each its own.
        label: title of the figure, such as the metric where the panels are defect types.

    Returns:
        ``(fig, axes)``, axes an array of one a metric.

    Raises:
        ValueError: if the table is empty or has no metrics.

    Example:
        >>> fig, axes = comparison([{"loss": "mse", "AUROC": (0.8, 0.7, 0.9)}, {"loss": "ssim", "AUROC": 0.9}])
    """
    metrics = list(dict.fromkeys(key for row in table for key in list(row)[1:]))
    if not metrics:
        raise ValueError('expected rows such as {"loss": "mse", "AUROC": (0.8, 0.7, 0.9)}, got a table without metrics')
    names = [str(next(iter(row.values()))) for row in table]
    fig = new_figure(0.65 + 0.27 * len(table) + 0.2 * bool(label))
    axes = fig.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        for height, row in enumerate(table):
            if row.get(metric) is not None:
                _dot(ax, height, *_interval(row[metric]))
        if metric in (reference or {}):
            ax.axvline(reference[metric], color=GREY, linewidth=0.8, linestyle=":")
        ax.set_title(metric)
        ax.grid(axis="x")
        ax.margins(x=0.18)
        if limits:
            beyond = 0.05 * (limits[1] - limits[0])  # room for a dot that lies on a limit
            ax.set(xlim=(limits[0] - beyond, limits[1] + beyond), xticks=np.linspace(*limits, 3))
        else:
            few_ticks(ax)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(table)), labels=names)
    axes[0].set_ylim(len(table) - 0.4, -0.75)
    headline(fig, label)
    return fig, axes


def _interval(entry) -> tuple[float, float, float]:
    if hasattr(entry, "low"):
        return float(entry.value), float(entry.low), float(entry.high)
    value, low, high = np.broadcast_to(to_array(entry).astype(float), 3)
    return float(value), float(low), float(high)


def _dot(ax: Axes, height: int, value: float, low: float, high: float) -> None:
    ax.plot([low, high], [height, height], color=COLOURS[0], linewidth=2.2, alpha=0.45, solid_capstyle="butt")
    ax.plot(value, height, MARKERS[0], color=COLOURS[0], markersize=5.5)
    write_number(ax, (value, height), number(value, "{:.3f}" if abs(value) < 10 else "{:.1f}"))


@styled
def costs(groups: Mapping, labels: Sequence[str], *, ylabel: str):
    """Accuracy over its costs, logarithmic; points of one group are joined in the order in which they come.

    The same colour and marker stand for a group in every panel, so a point is found again at its height.

    Args:
        groups: name → rows (N, K + 1): K costs, all positive, and the accuracy they buy.
        labels: names of the K costs with their units, such as ``"time per frame, ms"``.
        ylabel: name of the accuracy.

    Returns:
        ``(fig, axes)``, axes an array of one a cost.

    Raises:
        ValueError: if there is no group, a row has another length, or a cost is not positive.

    Example:
        >>> rows = {"coreset": [(10, 1.2, 0.1), (100, 2.5, 0.2)], "all": [(500, 9.0, 0.21)]}
        >>> fig, axes = costs(rows, ["memory, KiB", "time per frame, ms"], ylabel="pixel AP")
        >>> len(axes)
        2
    """
    groups = {name: to_array(rows).astype(float) for name, rows in groups.items()}
    for name, rows in groups.items() or [("none", np.zeros(0))]:
        if rows.ndim != 2 or rows.shape[1] != len(labels) + 1 or not (rows[:, :-1] > 0).all():
            raise ValueError(
                f"a group must hold rows of {len(labels)} positive costs and the accuracy, got {name!r} of the shape "
                f"{rows.shape}"
            )
    fig = new_figure(HEIGHT)
    axes = fig.subplots(1, len(labels), sharey=True, squeeze=False)[0]
    # Where colours come again, they have other markers.
    markers = chain(MARKERS, MARKERS[1:], MARKERS[:1])
    looks = list(zip(cycle(COLOURS), cycle(LINES), cycle(markers), groups, strict=False))
    for column, (ax, label) in enumerate(zip(axes, labels, strict=True)):
        for (name, rows), (colour, line, marker, _) in zip(groups.items(), looks, strict=True):
            joined = line if len(rows) > 1 else "none"
            ax.plot(rows[:, column], rows[:, -1], color=colour, linestyle=joined, marker=marker, label=name)
        ax.set(xlabel=label, xscale="log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
        ax.grid()
    axes[0].set_ylabel(ylabel)
    axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig, axes
