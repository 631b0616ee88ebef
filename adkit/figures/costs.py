"""What accuracy costs: one panel for each kind of cost, all with the same height."""

from collections.abc import Mapping, Sequence
from itertools import chain, cycle

import numpy as np
from matplotlib.ticker import LogLocator

from adkit.figures.style import COLOURS, LINES, MARKERS, new_figure, styled, to_array

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
