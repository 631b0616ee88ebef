"""A drawing of a method: what happens to images on their way, box after box, in one row for each way."""

from collections.abc import Mapping, Sequence

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from adkit.figures.style import BLUE, GREY, INK, new_figure, styled

# of a box, in the unit of the drawing
WIDE, TALL = 1.5, 0.72
# from one box to the next, and from one row to the next
STEP, DOWN = 2.0, 1.55


@styled
def pipeline(rows: Mapping[str, Sequence[str]], links: Sequence[tuple[str, str]] = ()):
    """How images go through a method.

    Args:
        rows: name of a way, such as ``training`` → the texts of its boxes in order; a text may have line breaks.
        links: pairs of texts: an arrow leads from the first box that has the first text to the first that has the
            second one, such as from a memory to those who ask it.

    Returns:
        ``(fig, ax)``.

    Raises:
        ValueError: if there is no box, or a link names none.

    Example:
        >>> rows = {"training": ["images", "memory"], "a new image": ["image", "distance"]}
        >>> fig, ax = pipeline(rows, [("memory", "distance")])
        >>> [text.get_text() for text in ax.texts]
        ['training', 'images', 'memory', 'a new image', 'image', 'distance']
    """
    longest = max((len(texts) for texts in rows.values()), default=0)
    if not longest:
        raise ValueError("a pipeline needs boxes, as name of a way -> texts, got none")
    fig = new_figure(0.25 + 1.0 * len(rows))
    ax = fig.subplots()
    places: dict[str, tuple[float, float]] = {}
    for number, (name, texts) in enumerate(rows.items()):
        y = -DOWN * number
        ax.text(-WIDE / 2, y + TALL / 2 + 0.14, name, ha="left", va="bottom", color=GREY, fontsize=9)
        for column, text in enumerate(texts):
            x = STEP * column
            _box(ax, x, y, text)
            places.setdefault(text, (x, y))
            if column:
                _arrow(ax, (x - STEP + WIDE / 2, y), (x - WIDE / 2, y))
    for first, last in links:
        if missing := {first, last} - places.keys():
            raise ValueError(f"a link names {sorted(missing)[0]!r}; the boxes are {', '.join(map(repr, places))}")
        (x, y), (to_x, to_y) = places[first], places[last]
        side = TALL / 2 if to_y < y else -TALL / 2
        _arrow(ax, (x, y - side), (to_x, to_y + side))
    ax.set(xlim=(-WIDE / 2 - 0.1, STEP * (longest - 1) + WIDE / 2 + 0.1))
    ax.set(ylim=(-DOWN * (len(rows) - 1) - TALL / 2 - 0.1, TALL / 2 + 0.55))
    ax.axis("off")
    return fig, ax


def _box(ax, x: float, y: float, text: str) -> None:
    look = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": "#E8F1F8", "edgecolor": BLUE, "linewidth": 1.0}
    ax.add_patch(FancyBboxPatch((x - WIDE / 2, y - TALL / 2), WIDE, TALL, **look))
    ax.text(x, y, text, ha="center", va="center", color=INK, fontsize=8.5)


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 10, "shrinkA": 1, "shrinkB": 1, "color": INK}
    ax.add_patch(FancyArrowPatch(start, end, **style))
