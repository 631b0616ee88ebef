"""Where a threshold falls, and what it makes of a frame: a histogram with its cuts, masks of several methods."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np

from adkit.figures.curves import spread
from adkit.figures.marks import fill, outline, show
from adkit.figures.panels import is_wide
from adkit.figures.style import (
    COLOURS,
    GREY,
    INK,
    LINES,
    PREDICTED,
    TRUE,
    VERMILLION,
    WIDTH,
    new_figure,
    styled,
    to_array,
    to_image,
    to_masks,
)


@styled
def split(normal, defective, curve: Sequence, cuts: Mapping[str, float], *, xlabel="anomaly map", bins=80):
    """Above, how many normal and defective pixels have which value; below, the between-class variance of each cut.

    Args:
        normal: values of the normal pixels, of any shape.
        defective: values of the defective pixels.
        curve: two arrays (K,): cuts, and the variance between the two classes that each makes.
        cuts: name → threshold, drawn as lines in both.
        xlabel: what the values are.
        bins: of the histogram.

    Returns:
        ``(fig, axes)``, two axes.

    Raises:
        ValueError: if there are no normal values.

    Example:
        >>> fig, axes = split([0.1, 0.2], [0.9], ([0.15, 0.5], [0.02, 0.1]), {"Otsu": 0.5})
        >>> len(axes)
        2
    """
    normal, defective = to_array(normal).ravel(), to_array(defective).ravel()
    if not normal.size:
        raise ValueError("split needs the values of normal pixels, got none")
    edges = np.histogram_bin_edges(np.concatenate([normal, defective]), bins)
    fig = new_figure(4.0)
    axes = fig.subplots(2, 1, sharex=True, height_ratios=[1.3, 1])
    axes[0].hist(normal, edges, color=GREY, alpha=0.45, label=f"normal ({normal.size:,} pixels)")
    axes[0].hist(
        defective, edges, color=VERMILLION, histtype="step", linewidth=1.6, label=f"defective ({defective.size:,})"
    )
    axes[0].set(yscale="log", ylabel="pixels")
    axes[0].legend(loc="upper right")
    axes[1].plot(*(to_array(part) for part in curve), color=INK)
    axes[1].set(xlabel=xlabel, ylabel="variance between")
    axes[1].set_ylim(bottom=0)
    axes[1].grid(axis="y")
    low, high = axes[1].get_xlim()
    for cut, colour, line in zip(cuts.values(), cycle(COLOURS), cycle(LINES), strict=False):
        for ax in axes:
            ax.axvline(cut, color=colour, linestyle=line, linewidth=1.2)
    gap = 0.02 + 0.011 * max(map(len, cuts), default=0)  # of the names above their lines
    places = spread([(cut - low) / (high - low) for cut in cuts.values()], gap)
    for name, place, colour in zip(cuts, places, cycle(COLOURS), strict=False):
        axes[0].text(place, 1.02, name, color=colour, transform=axes[0].transAxes, ha="center", va="bottom")
    return fig, axes


@styled
def mask_rows(image, mask, predictions: Mapping[str, np.ndarray], title: str = ""):
    """One frame, cut in several ways: each mask over the whole frame, with its IoU and false area.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        mask: bool (H, W), the true one.
        predictions: method → bool (H, W).
        title: of the image.

    Returns:
        ``(fig, axes)``, one axes for the image and one a method; wide frames below one another in two columns.

    Raises:
        ValueError: if there are no predictions.

    Example:
        >>> frame, mask = np.zeros((44, 244)), np.zeros((44, 244), bool)
        >>> fig, axes = mask_rows(frame, mask, {"Otsu": mask})
        >>> len(axes)
        2
    """
    if not predictions:
        raise ValueError("mask_rows needs at least one prediction, as method -> mask, got none")
    image, (mask, *found) = to_image(image), to_masks([mask, *predictions.values()])
    columns = 2 if is_wide(mask.shape) else 4
    rows = -(-(1 + len(found)) // columns)
    cell = WIDTH / columns
    fig = new_figure(rows * (cell * mask.shape[0] / mask.shape[1] + 0.26) + 0.1, layout="compressed")
    fig.get_layout_engine().set(h_pad=0.02, w_pad=0.03)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[1 + len(found) :]:
        ax.remove()
    axes = axes[: 1 + len(found)]
    show(axes[0], image, title)
    for ax, name, predicted in zip(axes[1:], predictions, found, strict=True):
        union = (predicted | mask).sum()
        overlap = f"IoU {(predicted & mask).sum() / union:.2f}" if union else "rightly nothing"
        wrong = f"{100 * (predicted & ~mask).mean():.2f} % false"
        show(ax, fill(image, predicted, PREDICTED), f"{name}: {overlap}, {wrong}")
    for ax in axes:
        outline(ax, mask, TRUE, 1.0)
    return fig, axes
