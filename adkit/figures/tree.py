"""A decision tree as a picture: a yes leads to the right, a no leads down."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from adkit.figures.style import BLUE, GREY, INK, VERMILLION, new_figure, styled

WIDE, TALL = 0.86, 0.72  # of a box, in columns and rows
LINE = 25  # letters a line


@styled
def tree_figure(tree, answers=()):
    """A tree of questions, with the way of some answers marked.

    Args:
        tree: nodes with ``text``, and ``yes`` and ``no`` where they ask, such as :data:`adkit.decision_tree.TREE`.
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
    fig = new_figure(0.56 * rows + 0.1, min(9.2, 2.5 * columns), layout="compressed")
    ax = fig.subplots()
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.45, -0.55))
    ax.set_axis_off()
    taken = tuple(answers)
    positions = {way: (column, row) for _, column, row, way in places}
    for node, column, row, way in places:
        marked = taken[: len(way)] == way
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
    ax.text(column, row, text, ha="center", va="center", fontsize=7.2, color=INK, linespacing=1.05)


def _arrow(ax: Axes, start: tuple, end: tuple, answer: bool, marked: bool) -> None:
    colour = VERMILLION if marked else GREY
    if answer:
        tail, head = (start[0] + WIDE / 2, start[1]), (end[0] - WIDE / 2, end[1])
    else:
        tail, head = (start[0], start[1] + TALL / 2), (end[0], end[1] - TALL / 2)
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6 if marked else 0.9, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", head, tail, arrowprops=look)
    middle = ((tail[0] + head[0]) / 2, (tail[1] + head[1]) / 2)
    offset = (0, 3) if answer else (3, 0)
    ax.annotate(
        "yes" if answer else "no", middle, offset, textcoords="offset points", fontsize=6.8, color=colour,
        ha="center" if answer else "left", va="bottom" if answer else "center",
    )  # fmt: skip
