"""Numbers over images and methods: score histograms, dot plots with intervals, tables of values.

What accuracy costs: one panel for each kind of cost, all with the same height.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from adkit.figures.style import BLUE, COLOURS, GREY, INK, LINES, MARKERS, VERMILLION, new_figure, styled, to_array
from adkit.figures.tables import shaded_grid


@styled
def score_histograms(normal, anomalous=None, threshold=None, by_kind: Mapping | None = None, *, xlabel="image score"):
    """How scores of normal and anomalous images lie, and where the threshold cuts; below, each defect kind on a row.

    Args:
        normal: (N,) scores of normal images.
        anomalous: (M,) scores of anomalous images; default: all of ``by_kind``.
        threshold: a number, or a threshold with ``value``, ``low`` and ``high``, whose spread is drawn as a band.
        by_kind: kind → scores; with a threshold each row says how many lie above it.
        xlabel: name of the score.

    Returns:
        ``(fig, axes)``, axes an array of one, or two with ``by_kind``.

    Raises:
        ValueError: if neither ``anomalous`` nor ``by_kind`` is given.

    Example:
        >>> fig, axes = score_histograms([1.0, 2.0], [2.5, 4.0], threshold=2.2)
    """
    kinds = {kind: to_array(scores) for kind, scores in (by_kind or {}).items()}
    if anomalous is None and not kinds:
        raise ValueError("score_histograms needs the scores of anomalous images, or by_kind; got neither")
    normal = to_array(normal)
    anomalous = np.concatenate(list(kinds.values())) if anomalous is None else to_array(anomalous)
    rows = {"normal": normal, **kinds} if kinds else {}
    fig = new_figure(2.3 + 0.24 * len(rows))
    axes = fig.subplots(
        2 if rows else 1, 1, sharex=True, squeeze=False, height_ratios=[2.0, 0.24 * len(rows)][: 1 + bool(rows)]
    )
    axes = axes[:, 0]
    _histograms(axes[0], normal, anomalous)
    if rows:
        _score_rows(axes[1], rows, threshold)
    for ax in axes:
        if threshold is not None:
            _threshold_line(ax, threshold)
    if threshold is not None:
        axes[0].text(_value(threshold), 1.0, " threshold", transform=axes[0].get_xaxis_transform(), va="top")
    axes[-1].set_xlabel(xlabel)
    return fig, axes


def _histograms(ax: Axes, normal: np.ndarray, anomalous: np.ndarray) -> None:
    edges = np.histogram_bin_edges(np.concatenate([normal, anomalous]), bins=40)
    looks = ((normal, GREY, "stepfilled", 0.45, "normal"), (anomalous, VERMILLION, "step", 1.0, "anomalous"))
    for scores, colour, kind, alpha, name in looks:
        ax.hist(scores, edges, color=colour, histtype=kind, alpha=alpha, linewidth=1.6, label=f"{name} ({len(scores)})")
    ax.set_ylabel("images")
    ax.legend(loc="upper right")


def _score_rows(ax: Axes, rows: Mapping[str, np.ndarray], threshold) -> None:
    for height, (kind, scores) in enumerate(rows.items()):
        colour = GREY if kind == "normal" else VERMILLION
        ax.plot(scores, np.full(len(scores), height), "|", color=colour, markersize=9, markeredgewidth=1.2)
        if threshold is not None:
            above = f"{int((scores > _value(threshold)).sum())} of {len(scores)} above"
            ax.text(1.01, height, above, transform=ax.get_yaxis_transform(), va="center")
    ax.set_yticks(range(len(rows)), labels=list(rows))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _threshold_line(ax: Axes, threshold) -> None:
    if getattr(threshold, "low", None) is not None:
        ax.axvspan(threshold.low, threshold.high, color=BLUE, alpha=0.15, linewidth=0)
    ax.axvline(_value(threshold), color=INK, linewidth=1.2)


def _value(number) -> float:
    return float(getattr(number, "value", number))


@styled
def comparison(table: Sequence[Mapping], reference: Mapping[str, float] | None = None):
    """Methods against one another: a row each, a panel for each metric, a dot with its interval.

    Args:
        table: one dict a method: its first entry is the row's name, the others metric → number, ``(value, low, high)``,
            or an interval with ``value``, ``low`` and ``high``; ``None`` leaves a place empty.
        reference: metric → a value to mark with a thin line, such as chance.

    Returns:
        ``(fig, axes)``, one axes a metric.

    Raises:
        ValueError: if the table is empty or has no metrics.

    Example:
        >>> fig, axes = comparison([{"loss": "mse", "AUROC": (0.8, 0.7, 0.9)}, {"loss": "ssim", "AUROC": 0.9}])
    """
    metrics = list(dict.fromkeys(key for row in table for key in list(row)[1:]))
    if not metrics:
        raise ValueError('expected rows such as {"loss": "mse", "AUROC": (0.8, 0.7, 0.9)}, got a table without metrics')
    names = [str(next(iter(row.values()))) for row in table]
    fig = new_figure(0.65 + 0.27 * len(table))
    axes = fig.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        for height, row in enumerate(table):
            if row.get(metric) is not None:
                _dot(ax, height, *_interval(row[metric]))
        if metric in (reference or {}):
            ax.axvline(reference[metric], color=GREY, linewidth=0.8, linestyle=":")
        ax.set_title(metric)
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.grid(axis="x")
        ax.margins(x=0.18)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(table)), labels=names)
    axes[0].set_ylim(len(table) - 0.4, -0.75)
    return fig, axes


def _interval(entry) -> tuple[float, float, float]:
    if hasattr(entry, "low"):
        return float(entry.value), float(entry.low), float(entry.high)
    value, low, high = np.broadcast_to(to_array(entry).astype(float), 3)
    return float(value), float(low), float(high)


def _dot(ax: Axes, height: int, value: float, low: float, high: float) -> None:
    ax.plot([low, high], [height, height], color=COLOURS[0], linewidth=2.2, alpha=0.45, solid_capstyle="butt")
    ax.plot(value, height, MARKERS[0], color=COLOURS[0], markersize=5.5)
    ax.annotate(
        f"{value:.3f}", (value, height), (0, 4), textcoords="offset points", ha="center", va="bottom", fontsize=8
    )


@styled
def heat_table(values, rows: Sequence[str], columns: Sequence[str], *, limits=None, form="{:.2f}", label=""):
    """A table of numbers whose cells are shaded by value: light is low, dark is high, also in grey print.

    Args:
        values: (R, C); NaN leaves a cell empty.
        rows: R names.
        columns: C names.
        limits: ``(low, high)`` of the shades; default: the smallest and largest value.
        form: format of a number.
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
    fig, ax = shaded_grid(values, (values - low) / ((high - low) or 1.0), rows, columns, form)
    ax.set_title(label, pad=22)
    return fig, ax


HEIGHT = 3.4  # inches


@styled
def costs(groups: Mapping, labels: Sequence[str], *, ylabel: str):
    """Accuracy over its costs, logarithmic; points of one group are joined in the order in which they come.

    The same colour and marker stand for a group in every panel, so a point is found again at its height.

    Args:
        groups: name → rows (N, K + 1): K costs, all positive, and the accuracy they buy.
        labels: of the K costs.
        ylabel: name of the accuracy.

    Returns:
        ``(fig, axes)``, one axes a cost.

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
    markers = chain(MARKERS, MARKERS[1:], MARKERS[:1])  # where colours come again, they have other markers
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
