"""Defects magnified, each in a row: the image, and beside it any other pictures and maps of the same window."""

from collections.abc import Mapping, Sequence

import numpy as np

from adkit.figures.marks import brackets, show, zoom_box
from adkit.figures.panels import colour_limits
from adkit.figures.style import INK, MAP, WIDTH, new_figure, styled, to_image, to_maps, to_masks


@styled
def magnified(rows: Mapping[str, Mapping], masks: Sequence, *, scales: Mapping | None = None, smallest: int = 64):
    """A window around the largest defect of each image: one row an image, one column a picture of it.

    On maps, corners mark the true regions, so that nothing of them is covered; on pictures there are no marks but on
    the first one.

    Args:
        rows: title → name of a column → (C, H, W) or (H, W) in [0, 1], or, of a name in ``scales``, a map (H, W).
        masks: the true masks, bool (H, W), one a row.
        scales: name of a column of maps → ``(low, high)`` or the upper limit of its colours, see `colour_scale`.
        smallest: side of the smallest window, in pixels.

    Returns:
        ``(fig, axes)`` with axes (rows, columns).

    Raises:
        ValueError: if there is no row, the rows have other columns, or not as many masks as rows.

    Example:
        >>> frame, mask = np.zeros((44, 244)), np.zeros((44, 244), bool)
        >>> fig, axes = magnified({"dots": {"image": frame, "residual": frame}}, [mask], scales={"residual": 0.1})
        >>> axes.shape
        (1, 2)
    """
    named = [tuple(row) for row in rows.values()]
    if not rows or len(set(named)) > 1 or len(masks) != len(rows):
        raise ValueError(f"expected rows with the same columns and a mask for each, got {named} and {len(masks)} masks")
    limits = {name: colour_limits(scale) for name, scale in (scales or {}).items()}
    columns, masks = named[0], to_masks(list(masks))
    side = WIDTH / max(len(columns), 5)
    fig = new_figure(len(rows) * (side + 0.08) + 0.35, len(columns) * side, layout="compressed")
    fig.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    axes = fig.subplots(len(rows), len(columns), squeeze=False)
    for number, (line, title, row, mask) in enumerate(zip(axes, rows, rows.values(), masks, strict=True)):
        top, left, height, width = zoom_box(mask, smallest=min(smallest, *mask.shape))
        window = np.s_[top : top + height, left : left + width]
        for ax, (name, one) in zip(line, row.items(), strict=True):
            head = "" if number else name
            if name in limits:
                low, high = limits[name]
                show(ax, to_maps(one)[0][window], head, cmap=MAP, vmin=low, vmax=high)
            else:
                show(ax, to_image(one)[window], head)
            if name in limits or ax is line[0]:
                brackets(ax, mask[window], "white" if name in limits else INK)
        line[0].set_ylabel(title)
    return fig, axes
