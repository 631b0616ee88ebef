"""One defect, redrawn by several networks: what each makes of it, and what it leaves as residual."""

from collections.abc import Mapping

import numpy as np

from adkit.figures.marks import outline, show, zoom_box
from adkit.figures.style import MAP, TRUE, WIDTH, new_figure, styled, to_images, to_masks


@styled
def redraws(image, mask, redrawn: Mapping, *, gain: float = 4.0, smallest: int = 64):
    """A window around the largest defect: the image beside its reconstructions; below each, its residual.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        mask: bool (H, W).
        redrawn: name → reconstruction, as ``image``.
        gain: the residual, the absolute difference, is shown from 0 (dark) to 1 / gain (bright) in all panels.
        smallest: side of the smallest window, in pixels.

    Returns:
        ``(fig, axes)`` with axes (2, 1 + reconstructions); the first column holds the image and the true mask.

    Raises:
        ValueError: if there are no reconstructions, or ``gain`` is not positive.

    Example:
        >>> image, mask = np.zeros((64, 64)), np.zeros((64, 64), bool)
        >>> fig, axes = redraws(image, mask, {"plain": image, "U-Net": image})
        >>> axes.shape
        (2, 3)
    """
    if not redrawn:
        raise ValueError("redraws needs at least one reconstruction, as name -> image, got none")
    if not gain > 0:
        raise ValueError(f"gain must be a positive number, got {gain}")
    (image, *others), (mask,) = to_images([image, *redrawn.values()]), to_masks(mask)
    top, left, height, width = zoom_box(mask, smallest=min(smallest, *mask.shape))
    window = np.s_[top : top + height, left : left + width]
    columns = 1 + len(others)
    side = WIDTH / max(columns, 4)
    fig = new_figure(2 * side * height / width + 0.6, columns * side, layout="compressed")
    axes = fig.subplots(2, columns, squeeze=False)
    show(axes[0, 0], image[window], "image")
    show(axes[1, 0], image[window], "true mask")
    for (upper, lower), name, other in zip(axes.T[1:], redrawn, others, strict=True):
        residual = np.abs(image - other).reshape(*mask.shape, -1).mean(axis=-1)
        show(upper, other[window], name)
        show(lower, residual[window], "residual", cmap=MAP, vmin=0, vmax=1 / gain)
    for ax in axes[1]:
        outline(ax, mask[window], TRUE, 1.0, rings=False)
    return fig, axes
