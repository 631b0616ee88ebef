"""Lines: training over its steps, ROC and PRO over the false positive rate, a quantity over a parameter."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import FuncFormatter, LogLocator

from adkit.figures.style import COLOURS, DIM, GREY, INK, LINES, MARKERS, new_figure, styled, to_array
from adkit.metrics import pixel_metrics
from adkit.metrics.curves import pro_curve, roc_curve

# Numbers of a training history that are no part of the loss.
NOT_PARTS = ("step", "epoch", "loss", "validation", "lr", "learning_rate", "seconds")
SYMBOLS = {"kl": "KL", "beta": "β"}


@styled
def training_curves(history: Sequence[Mapping], parts: Sequence[str] | None = None):
    """Loss and validation over steps, the parts of the loss, and the learning rate, each where the history has it.

    Args:
        history: rows with ``step`` and any of ``loss``, ``validation``, ``learning_rate`` (or ``lr``) and parts of the
            loss such as ``mse`` or ``ssim``. A row need not have every key; ``None`` and NaN are left out.
        parts: names of the parts to show; None: every other number of the history.

    Returns:
        ``(fig, axes)``, axes an array of one to three.

    Raises:
        ValueError: if the history holds neither a loss nor a validation.

    Example:
        >>> fig, axes = training_curves([{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.3, "validation": 0.4}])
        >>> len(axes)
        1
    """
    keys = list(dict.fromkeys(key for row in history for key in row))
    series = {key: _series(history, key) for key in keys if key != "step"}
    series = {key: points for key, points in series.items() if len(points[0])}
    main = [key for key in ("loss", "validation") if key in series]
    if not main:
        raise ValueError(f"a history needs rows with 'step' and 'loss' or 'validation', got the keys {keys}")
    parts = [key for key in series if key not in NOT_PARTS] if parts is None else list(parts)
    rate = [key for key in ("learning_rate", "lr") if key in series][:1]
    groups = [
        (title, names) for title, names in (("loss", main), ("its parts", parts), ("learning rate", rate)) if names
    ]
    fig = new_figure(2.6)
    axes = fig.subplots(1, len(groups), squeeze=False)[0]
    for ax, (title, names) in zip(axes, groups, strict=True):
        label = {"loss": "training"} if title == "loss" else SYMBOLS
        ax.set(title=title, xlabel="step")
        _lines(ax, {label.get(name, name): series[name] for name in names}, log=names is not rate)
    if "validation" in series:
        _mark_best(axes[0], *series["validation"])
    return fig, axes


def _series(history: Sequence[Mapping], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of one key, where they are finite numbers."""
    rows = [(row["step"], row[key]) for row in history if isinstance(row.get(key), (int, float)) and "step" in row]
    points = [(step, value) for step, value in rows if math.isfinite(value)]
    return tuple(np.array(points, dtype=float).reshape(-1, 2).T)


def _lines(ax: Axes, series: Mapping[str, tuple], log: bool) -> None:
    """Lines with their names at their ends; a log scale, where it is wanted and all values are positive."""
    looks = zip(series.values(), cycle(COLOURS), cycle(LINES), strict=False)
    for (x, y), colour, line in looks:
        ax.plot(x, y, color=colour, linestyle=line, marker="o" if len(x) < 3 else None)
    values = np.concatenate([y for _, y in series.values()])
    if log and values.min() > 0:
        near = values.max() < 100 * values.min()
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5) if near else (1,)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_locator(LogLocator(subs=()))
    ax.grid(axis="y")
    if len(series) > 1:
        name_ends(ax, [(name, x[-1], y[-1]) for name, (x, y) in series.items()], COLOURS)


def _mark_best(ax: Axes, steps: np.ndarray, values: np.ndarray) -> None:
    best = int(values.argmin())
    ax.plot(steps[best], values[best], "o", color=COLOURS[1], markersize=7, fillstyle="none", markeredgewidth=1.4)
    ax.set_title(f"loss; best validation {values[best]:.3g} at step {steps[best]:g}")


def name_ends(ax: Axes, ends: Sequence[tuple[str, float, float]], colours: Sequence[str]) -> None:
    """Write each line's name beside its end, moved apart where names would overlap.

    Args:
        ax: where the lines are; its limits must be final.
        ends: name, x and y of the end of each line.
        colours: colours of the lines, used again from the first where there are more lines.
    """
    bottom, top = ax.transAxes.inverted().transform(ax.transData.transform([(0, v) for v in ax.get_ylim()]))[:, 1]
    heights = ax.transAxes.inverted().transform(ax.transData.transform([(x, y) for _, x, y in ends]))[:, 1]
    heights = spread(np.clip(heights, bottom, top), gap=0.085)
    heights += max(0.0, 0.02 - min(heights, default=1.0))  # none beside the labels of the axis below
    for (name, _, _), height, colour in zip(ends, heights, cycle(colours), strict=False):
        # Thin letters need more contrast than a line.
        shade = [0.75 * channel for channel in to_rgb(colour)]
        ax.text(1.02, height, name, transform=ax.transAxes, color=shade, va="center", fontsize=9)


def spread(heights: Sequence[float], gap: float) -> np.ndarray:
    """Move heights apart, in their order and about their common middle.

    Args:
        heights: where the names would stand, in any unit.
        gap: least distance of two of them, in that unit.

    Returns:
        The heights to take instead, in the order of ``heights``.

    Example:
        >>> spread([0.5, 0.5, 0.9], gap=0.1).round(3).tolist()
        [0.45, 0.55, 0.9]
    """
    heights = np.asarray(heights, dtype=float)
    order = np.argsort(heights, kind="stable")
    # Middle and size of each run of names that touch.
    groups: list[tuple[float, int]] = []
    for height in heights[order]:
        middle, size = float(height), 1
        while groups and middle - size * gap / 2 < groups[-1][0] + groups[-1][1] * gap / 2:
            before, count = groups.pop()
            middle, size = (before * count + middle * size) / (count + size), count + size
        groups.append((middle, size))
    apart = [middle + (k - (size - 1) / 2) * gap for middle, size in groups for k in range(size)]
    placed = np.empty_like(heights)
    placed[order] = apart
    return placed


@styled
def roc_pro_curves(methods: Mapping, fpr_limit: float = 0.3):
    """Pixel ROC and PRO curves of one or several methods; what lies beyond the PRO limit is shaded.

    Args:
        methods: name → ``(masks, maps)``, such as the ``masks`` and ``maps`` of a detector's predictions: (N, H, W) or
            lists of N arrays (H, W), masks bool; images whose mask is None are left out. Or name → what
            :func:`pixel_curves` returns, where ``auroc`` and ``pro_area`` may be missing.
        fpr_limit: false positive rate up to which the PRO score counts, above 0 and up to 1.

    Returns:
        ``(fig, axes)`` with the axes of ROC and PRO; the legends name the areas.

    Raises:
        ValueError: if there is no method, or masks and maps do not fit, see :func:`adkit.metrics.pixel_metrics`.

    Example:
        >>> mask = np.zeros((1, 8, 8), bool)
        >>> mask[0, 2:4, 2:4] = True
        >>> fig, (roc, pro) = roc_pro_curves({"blurred truth": (mask, 0.5 * mask + np.roll(mask, 1, axis=2))})
        >>> roc.get_legend().get_texts()[0].get_text()
        'blurred truth  0.983'
    """
    if not methods:
        raise ValueError('expected at least one method, as {"mse": (masks, maps)}, got none')
    curves = {}
    for name, entry in methods.items():
        curves[name] = entry if isinstance(entry, Mapping) else pixel_curves(*entry, fpr_limit)
    fig = new_figure(3.9)
    axes = fig.subplots(1, 2)
    for ax, kind, number in zip(axes, ("roc", "pro"), ("auroc", "pro_area"), strict=True):
        for (name, curve), colour, line in zip(curves.items(), cycle(COLOURS), cycle(LINES), strict=False):
            value = f"  {curve[number]:.3f}" if number in curve else ""
            ax.plot(*curve[kind][:2], color=colour, linestyle=line, label=name + value)
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
        ax.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal", xlabel="false positive rate of pixels")
        ax.grid()
        ax.legend(loc="lower right", frameon=True, facecolor="white", framealpha=0.9, edgecolor="none")
    axes[0].set(title="ROC (area under the whole curve)", ylabel="true positive rate")
    axes[1].set(title=f"PRO (area up to {fpr_limit:g}, divided by it)", ylabel="mean overlap with the regions")
    axes[1].axvspan(fpr_limit, 1, color="#E9E9E9", zorder=0)
    axes[1].axvline(fpr_limit, color=INK, linewidth=0.8)
    axes[1].text(fpr_limit + 0.02, 0.965, "does not count", fontsize=9, va="top")
    return fig, axes


def pixel_curves(masks: Sequence, maps: Sequence, fpr_limit: float = 0.3, points: int = 400) -> dict:
    """ROC and PRO curve of anomaly maps, with the areas under them, for :func:`roc_pro_curves`.

    Args:
        masks: N true masks, bool (H, W); images whose mask is None are left out.
        maps: N anomaly maps (H, W) of the same sizes; higher is more anomalous.
        fpr_limit: false positive rate up to which the PRO score counts, above 0 and up to 1.
        points: at most so many points of each curve, at least 2.

    Returns:
        ``roc`` and ``pro``: tuples of false positive rates, heights and thresholds; ``auroc`` and ``pro_area``: numbers
        between 0 and 1.

    Raises:
        ValueError: if masks and maps do not fit, see :func:`adkit.metrics.pixel_metrics`.

    Example:
        >>> mask = np.arange(64).reshape(8, 8) > 60
        >>> curves = pixel_curves([mask, None], [mask + 0.0, 0.0 * mask])
        >>> float(curves["auroc"]), float(curves["pro_area"])
        (1.0, 1.0)
    """
    pairs = [(mask, a_map) for mask, a_map in zip(masks, maps, strict=True) if mask is not None]
    masks, maps = [mask for mask, _ in pairs], [a_map for _, a_map in pairs]
    areas = pixel_metrics(masks, maps, fpr_limit)
    curves = {"roc": roc_curve(masks, maps, points), "pro": pro_curve(masks, maps, points)}
    return curves | {"auroc": areas.auroc, "pro_area": areas.pro}


@styled
def sweep(x, ys: Mapping, *, xlabel: str, ylabel: str, log: bool = True, chance: float | None = None):
    """Quantities over a parameter, with the range over seeds or an interval as a band.

    Args:
        x: (N,) values of the parameter; positive where the axis is logarithmic.
        ys: name → (N,) values, or (N, seeds) whose mean is the line and whose range is the band, or a list of N
            intervals with ``value``, ``low`` and ``high``.
        xlabel: name of the parameter.
        ylabel: name of the quantity.
        log: a logarithmic axis for the parameter.
        chance: height of a thin line for guessing; None: no line.

    Returns:
        ``(fig, ax)``.

    Raises:
        ValueError: if a line has not as many values as ``x``.

    Example:
        >>> auroc = [[0.6, 0.7], [0.8, 0.9], [0.7, 0.8]]  # two seeds at each of three sizes
        >>> fig, ax = sweep([4, 8, 16], {"bright": auroc}, xlabel="latent channels", ylabel="AUROC")
    """
    x = to_array(x)
    fig = new_figure(3.1, 6.4)
    ax = fig.subplots()
    ends = []
    for (name, values), colour, line, marker in zip(
        ys.items(), cycle(COLOURS), cycle(LINES), cycle(MARKERS), strict=False
    ):
        middle, low, high = _band(values)
        if len(middle) != len(x):
            raise ValueError(f"{name!r} has {len(middle)} values for {len(x)} values of {xlabel}")
        ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        ax.plot(x, middle, color=colour, linestyle=line, marker=marker)
        ends.append((name, x[-1], middle[-1]))
    if log:
        ax.set_xscale("log")
        ax.minorticks_off()
    if len(x) <= 12:  # more labels would run into one another
        ax.set_xticks(x, labels=[f"{value:g}" for value in x])
    if chance is not None:
        ax.axhline(chance, color=GREY, linewidth=0.8)
        ax.text(0.012, chance, "chance", transform=ax.get_yaxis_transform(), va="bottom", color=DIM)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(axis="y")
    name_ends(ax, ends, COLOURS)
    return fig, ax


def _band(values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle, low and high of numbers, of numbers over seeds, or of intervals."""
    if hasattr(values[0], "low"):
        return tuple(np.array([getattr(v, end) for v in values], dtype=float) for end in ("value", "low", "high"))
    numbers = to_array(values).astype(float)
    if numbers.ndim == 1:
        return numbers, numbers, numbers
    return numbers.mean(1), numbers.min(1), numbers.max(1)
