"""Where a threshold cuts: histograms of image scores and of pixel values, with the thresholds as lines."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from adkit.figures.curves import spread
from adkit.figures.style import BLUE, COLOURS, GREY, INK, LINES, VERMILLION, new_figure, styled, to_array

PAPER = {"frameon": True, "facecolor": "white", "framealpha": 0.9, "edgecolor": "none"}  # of a legend over lines


@styled
def score_histograms(normal, anomalous=None, threshold=None, by_kind: Mapping | None = None, *, xlabel="image score"):
    """How scores of normal and anomalous images lie, and where the threshold cuts; below, each defect type on a row.

    Args:
        normal: (N,) scores of normal images.
        anomalous: (M,) scores of anomalous images; default: all of ``by_kind``.
        threshold: a number, or a threshold with ``value``, ``low`` and ``high``, whose spread is shown as a band.
        by_kind: defect type → scores; with a threshold each row says how many lie above it.
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
        low, high = axes[0].get_xlim()
        side = "right" if _value(threshold) > (low + high) / 2 else "left"  # the word stays within the panel
        places = {"transform": axes[0].get_xaxis_transform(), "va": "bottom", "ha": side}
        axes[0].text(_value(threshold), 1.0, " threshold ", **places)
    axes[-1].set_xlabel(xlabel)
    return fig, axes


def _histograms(ax: Axes, normal: np.ndarray, anomalous: np.ndarray) -> None:
    edges = np.histogram_bin_edges(np.concatenate([normal, anomalous]), bins=40)
    looks = ((normal, GREY, "stepfilled", 0.45, "normal"), (anomalous, VERMILLION, "step", 1.0, "anomalous"))
    for scores, colour, kind, alpha, name in looks:
        ax.hist(scores, edges, color=colour, histtype=kind, alpha=alpha, linewidth=1.6, label=f"{name} ({len(scores)})")
    ax.set_ylabel("images")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.legend(loc="upper right", **PAPER)


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
def threshold_split(normal, defective, curve: Sequence, cuts: Mapping[str, float], *, xlabel="anomaly map", bins=80):
    """Above, how many normal and defective pixels have which value; below, the between-class variance of each cut.

    Args:
        normal: values of the normal pixels, of any shape.
        defective: values of the defective pixels.
        curve: two arrays (K,): cuts, and the variance between the two classes that each makes.
        cuts: name → threshold, shown as lines in both.
        xlabel: what the values are.
        bins: number of the histogram's bins.

    Returns:
        ``(fig, axes)``, axes an array of two.

    Raises:
        ValueError: if there are no normal values.

    Example:
        >>> fig, axes = threshold_split([0.1, 0.2], [0.9], ([0.15, 0.5], [0.02, 0.1]), {"Otsu": 0.5})
        >>> len(axes)
        2
    """
    normal, defective = to_array(normal).ravel(), to_array(defective).ravel()
    if not normal.size:
        raise ValueError("threshold_split needs the values of normal pixels, got none")
    edges = np.histogram_bin_edges(np.concatenate([normal, defective]), bins)
    fig = new_figure(4.0)
    axes = fig.subplots(2, 1, sharex=True, height_ratios=[1.3, 1])
    axes[0].hist(normal, edges, color=GREY, alpha=0.45, label=f"normal ({normal.size:,} pixels)")
    axes[0].hist(
        defective, edges, color=VERMILLION, histtype="step", linewidth=1.6, label=f"defective ({defective.size:,})"
    )
    axes[0].set(yscale="log", ylabel="pixels")
    axes[0].legend(loc="upper right", **PAPER)
    axes[1].plot(*(to_array(part) for part in curve), color=INK)
    axes[1].set(xlabel=xlabel, ylabel="variance between")
    axes[1].set_ylim(bottom=0)
    axes[1].grid(axis="y")
    low, high = axes[1].get_xlim()
    colours = [colour for colour in COLOURS if colour != VERMILLION]  # which is the defective pixels'
    for cut, colour, line in zip(cuts.values(), cycle(colours), cycle(LINES), strict=False):
        for ax in axes:
            ax.axvline(cut, color=colour, linestyle=line, linewidth=1.2)
    # So far apart that the names above the lines do not overlap.
    gap = 0.02 + 0.011 * max(map(len, cuts), default=0)
    places = spread([(cut - low) / (high - low) for cut in cuts.values()], gap)
    for name, place, colour in zip(cuts, places, cycle(colours), strict=False):
        axes[0].text(place, 1.02, name, color=colour, transform=axes[0].transAxes, ha="center", va="bottom")
    return fig, axes
