"""The playbook as pictures: the evidence of a diagnosis in six panels, and the decision tree with a way through it."""

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from adkit.figures.style import BLUE, DIM, GREY, INK, VERMILLION, halo, new_figure, number, styled
from adkit.losses.divergence import ACTIVE_VARIANCE

PATCH = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.8}
PANELS = ("latent code", "reconstructions", "maps of normal images", "image scores", "ROC AUC", "maps and masks")
# The readings that colour a panel.
KEYS = {
    "latent code": ("active_units", "mutual_information", "noise"),
    "reconstructions": ("variance_ratio", "gain_over_mean", "retention"),
    "maps of normal images": ("share_above", "same_top"),
    "image scores": ("threshold_over_normals", "flagged_normals", "f1"),
    "ROC AUC": ("image_auroc", "pixel_auroc"),
    "maps and masks": ("shift_gain",),
}


@styled
def evidence_figure(diagnosis):
    """Latent code, reconstructions, maps, scores, ROC AUC and alignment of one diagnosis, a panel each.

    A panel's title is red where one of its readings lies on the wrong side of its limit. What could not be measured
    says so.

    Args:
        diagnosis: what :func:`adkit.diagnose.diagnose` returned.

    Returns:
        ``(fig, axes)`` with axes (6,).
    """
    fig = new_figure(4.9)
    axes = fig.subplots(2, 3).ravel()
    fillers = (_codes, _reconstruction, _maps, _scores, _auroc, _shifts)
    for ax, name, fill_panel in zip(axes, PANELS, fillers, strict=True):
        alarming = any(diagnosis.evidence[key].exceeds_limit for key in KEYS[name])
        ax.set_title(name, color=VERMILLION if alarming else INK, fontweight="bold" if alarming else "normal")
        fill_panel(ax, diagnosis)
    return fig, axes


def _missing(ax: Axes, why: str) -> None:
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=GREY)


def _codes(ax: Axes, diagnosis) -> None:
    """σ² and the variance of μ of each dimension: a silent one sits at (1, 0), a noiseless one far left."""
    codes = diagnosis.figure_data.codes
    if codes is None:
        return _missing(ax, diagnosis.evidence["active_units"].note)
    ax.loglog(codes.variance.mean(0).clip(1e-6), codes.spread.clip(1e-6), "o", color=BLUE, alpha=0.6)
    ax.axhline(ACTIVE_VARIANCE, color=GREY, linewidth=0.8)
    ax.axvline(diagnosis.limits.noise, color=GREY, linewidth=0.8, linestyle="--")
    ax.set(xlim=(1e-4, 3), ylim=(5e-7, 30), xlabel="σ² of a dimension", ylabel="variance of its μ")
    ax.minorticks_off()
    ax.text(0.03, 0.03, str(diagnosis.evidence["active_units"].note) + " active", transform=ax.transAxes)


def _bars(ax: Axes, readings: dict) -> None:
    """Numbers between 0 and 1 as bars, each with its limit as a tick."""
    for height, reading in enumerate(readings.values()):
        colour = VERMILLION if reading.exceeds_limit else BLUE
        if reading.value is None:
            ax.text(0.02, height, reading.note, va="center", color=GREY)
            continue
        ax.barh(height, np.clip(reading.value, 0, 1), color=colour, height=0.5)
        end = min(max(reading.value, 0), 1) + 0.02
        if reading.limit is not None and end - 0.02 <= reading.limit < end + 0.2:  # the stroke would cross the number
            end = reading.limit + 0.03
        ax.text(end, height, number(reading.value, "{:.2f}"), va="center", bbox=PATCH)
        if reading.limit is not None:
            ax.plot([reading.limit] * 2, [height - 0.42, height + 0.42], color=INK, linewidth=1.2)
    ax.set_yticks(range(len(readings)), labels=list(readings))
    ax.set(xlim=(0, 1.22), xticks=[0, 0.5, 1])
    ax.set_ylim(len(readings) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _reconstruction(ax: Axes, diagnosis) -> None:
    names = {"variance_ratio": "variance", "gain_over_mean": "gain on mean", "retention": "defect kept"}
    if diagnosis.figure_data.reconstruction is None:
        return _missing(ax, diagnosis.evidence["retention"].note)
    _bars(ax, {name: diagnosis.evidence[key] for key, name in names.items()})


def _maps(ax: Axes, diagnosis) -> None:
    data = diagnosis.figure_data
    pixels = data.pixels
    high = max(np.quantile(pixels, 0.999), min(data.pixel_threshold, 3 * pixels.max())) * 1.05
    ax.hist(pixels, np.linspace(0, high, 60), color=GREY, alpha=0.6)
    ax.axvline(data.pixel_threshold, color=INK, linewidth=1.2)
    above = diagnosis.evidence["share_above"].value
    ax.set(xlabel=f"map value ({100 * above:.2g} % above the line)", yticks=[], xlim=(0, high))


def _scores(ax: Axes, diagnosis) -> None:
    data = diagnosis.figure_data
    groups = {"validation": data.scores}
    if data.test_scores is not None:
        for label, name in enumerate(("test, good", "test, defective")):
            groups[name] = data.test_scores[data.test_labels == label]
    looks = zip(groups.items(), (GREY, BLUE, VERMILLION), strict=False)
    for height, ((_, scores), colour) in enumerate(looks):
        ax.plot(scores, np.full(len(scores), height), "|", color=colour, markersize=11)
    everything = np.concatenate([*groups.values(), [data.threshold]])
    if everything.min() > 0 and everything.max() > 20 * np.median(everything):
        ax.set_xscale("log")
        ax.minorticks_off()
    ax.axvline(data.threshold, color=INK, linewidth=1.2)
    ax.set_yticks(range(len(groups)), labels=list(groups))
    ax.set_ylim(len(groups) - 0.4, -0.6)
    ax.set(xlabel="score (line: threshold)")
    ax.tick_params(axis="y", length=0)


def _auroc(ax: Axes, diagnosis) -> None:
    if diagnosis.figure_data.test_scores is None:
        return _missing(ax, "needs test")
    names = {"image_auroc": "AUC, images", "pixel_auroc": "AUC, pixels", "recall": "recall", "precision": "precision"}
    _bars(ax, {name: diagnosis.evidence[key] for key, name in names.items()})
    ax.axvline(0.5, color=GREY, linewidth=0.8, linestyle=":")


def _shifts(ax: Axes, diagnosis) -> None:
    alignment = diagnosis.figure_data.alignment
    if alignment is None:
        return _missing(ax, diagnosis.evidence["shift"].note)
    reach = alignment.fits.shape[0] // 2
    ax.imshow(alignment.fits, extent=(-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5), cmap="Blues")
    (cross,) = ax.plot(0, 0, "+", color=INK, markersize=10)
    cross.set_path_effects(halo(1.6))
    ax.plot(alignment.dx, alignment.dy, "o", fillstyle="none", color=VERMILLION, markersize=9, markeredgewidth=1.4)
    ax.set(xlabel="masks moved right, pixels", ylabel="down")


WIDE, TALL = 0.86, 0.72  # of a box, in columns and rows
LINE = 30  # letters a line


@styled
def tree_figure(tree, answers=()):
    """A tree of questions, with the way of some answers marked.

    Args:
        tree: nodes with ``text``, and ``yes`` and ``no`` where they ask, such as the tree of the playbook.
        answers: bools, from the first question on.

    Returns:
        ``(fig, ax)``.

    Example:
        >>> from types import SimpleNamespace as Node
        >>> fig, ax = tree_figure(Node(text="Is it?", yes=Node(text="it is"), no=Node(text="it is not")), [True])
    """
    places: list[tuple] = []  # node, column, row, way there
    rows = _place(tree, 0, 0, (), places)
    columns = 1 + max(column for _, column, _, _ in places)
    fig = new_figure(0.68 * rows + 0.1, min(9.2, 2.5 * columns), layout="compressed")
    ax = fig.subplots()
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.45, -0.55))
    ax.set_axis_off()
    answered = tuple(answers)
    positions = {way: (column, row) for _, column, row, way in places}
    for node, column, row, way in places:
        marked = answered[: len(way)] == way
        _box(ax, node, column, row, marked)
        if way:
            _arrow(ax, positions[way[:-1]], (column, row), way[-1], marked)
    return fig, ax


def _place(node, column: int, row: int, way: tuple, places: list) -> int:
    """Put a node and all below it; returns the first free row."""
    places.append((node, column, row, way))
    if not hasattr(node, "yes"):
        return row + 1
    below = _place(node.yes, column + 1, row, (*way, True), places)
    return _place(node.no, column, max(below, row + 1), (*way, False), places)


def _box(ax: Axes, node, column: int, row: int, marked: bool) -> None:
    asks = hasattr(node, "yes")
    edge = VERMILLION if marked else (GREY if asks else BLUE)
    corner = (column - WIDE / 2, row - TALL / 2)
    style = "round,pad=0,rounding_size=0.08" if asks else "square,pad=0"
    width = 1.8 if marked else 1.0
    face = "white" if asks else "#E8F1F8"
    ax.add_patch(FancyBboxPatch(corner, WIDE, TALL, boxstyle=style, facecolor=face, edgecolor=edge, linewidth=width))
    text = "\n".join(textwrap.wrap(node.text, LINE if asks else LINE + 2))
    ax.text(column, row, text, ha="center", va="center", fontsize=8, color=INK, linespacing=1.05)


def _arrow(ax: Axes, start: tuple, end: tuple, answer: bool, marked: bool) -> None:
    colour = VERMILLION if marked else DIM
    if answer:
        tail, head = (start[0] + WIDE / 2, start[1]), (end[0] - WIDE / 2, end[1])
    else:
        tail, head = (start[0], start[1] + TALL / 2), (end[0], end[1] - TALL / 2)
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6 if marked else 0.9, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", head, tail, arrowprops=look)
    middle = ((tail[0] + head[0]) / 2, (tail[1] + head[1]) / 2)
    offset = (0, 3) if answer else (3, 0)
    ax.annotate(
        "yes" if answer else "no", middle, offset, textcoords="offset points", fontsize=8, color=colour,
        ha="center" if answer else "left", va="bottom" if answer else "center",
    )  # fmt: skip
