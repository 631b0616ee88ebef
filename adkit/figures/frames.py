"""Frames to look at: stacked strips with defects outlined, and defects by kind with a zoom on each."""

from adkit.figures.marks import mark_box, outline, show, zoom_box
from adkit.figures.panels import is_wide
from adkit.figures.style import TRUE, WIDTH, new_figure, styled, to_images, to_masks


@styled
def strips(images, titles, masks=None, *, zoom=False):
    """Frames one below another at full width, defects outlined.

    Args:
        images: a list of (C, H, W) or (H, W) images in [0, 1], or a batch (B, C, H, W).
        titles: one a frame.
        masks: bool, a list of (H, W) or (B, H, W); ``None`` draws no outlines.
        zoom: set a magnified square beside each frame, on its largest defect.

    Returns:
        ``(fig, axes)`` with axes (B, 1), or (B, 2) with zooms.

    Raises:
        ValueError: if there are not as many titles or masks as images, or a zoom is wanted without masks.

    Example:
        >>> import numpy as np
        >>> fig, axes = strips(np.zeros((2, 1, 176, 976)), ["first", "second"])
        >>> axes.shape
        (2, 1)
    """
    images, masks = _paired(images, titles, masks, zoom)
    aspect = max(image.shape[1] / image.shape[0] for image in images)
    side = max(WIDTH / (aspect + 1.05), 1.0) if zoom else 0.0  # of the square, in inches
    length = WIDTH - side - 0.1
    height = len(images) * (max(length / aspect, side) + 0.26) + 0.1
    fig = new_figure(height, layout="constrained" if zoom else "compressed")  # compressing wants equal shapes
    fig.get_layout_engine().set(h_pad=0.02, w_pad=0.03)
    axes = fig.subplots(len(images), 2 if zoom else 1, squeeze=False, width_ratios=[length, side] if zoom else None)
    for row, image, title, mask in zip(axes, images, titles, masks, strict=True):
        show(row[0], image, title)
        if zoom:
            _zoom(row[0], row[1], image, mask)
        elif mask is not None:
            outline(row[0], mask, TRUE)
    return fig, axes


@styled
def samples(images, masks, kinds):
    """Defects by kind, each with a magnified square: the untouched frame, its zoom box, and the zoom with the outline.

    Args:
        images: a list of (C, H, W) or (H, W) images in [0, 1], or a batch (B, C, H, W); all wide, or all not.
        masks: bool, a list of (H, W) or (B, H, W).
        kinds: the title of each frame.

    Returns:
        ``(fig, axes)`` with axes (B, 2): frame and zoom.

    Raises:
        ValueError: if there are not as many masks or kinds as images.

    Example:
        >>> import numpy as np
        >>> fig, axes = samples(np.zeros((5, 1, 64, 64)), np.zeros((5, 64, 64), bool), list("abcde"))
        >>> axes.shape
        (5, 2)
    """
    images, masks = _paired(images, kinds, masks, zoom=True)
    if is_wide(images[0].shape):
        return strips(images, kinds, masks, zoom=True)
    side = WIDTH / max(len(images), 3)
    fig = new_figure(2 * side + 0.3, side * len(images), layout="compressed")
    axes = fig.subplots(2, len(images), squeeze=False).T
    for row, image, mask, kind in zip(axes, images, masks, kinds, strict=True):
        show(row[0], image, kind)
        _zoom(row[0], row[1], image, mask)
    return fig, axes


def _paired(images, titles, masks, zoom: bool):
    images = to_images(images)
    if zoom and masks is None:
        raise ValueError("a zoom is centred on the defect, so it needs masks; got masks=None")
    masks = [None] * len(images) if masks is None else to_masks(masks)
    if not len(images) == len(titles) == len(masks):
        raise ValueError(
            f"expected one title and one mask a frame, got {len(titles)} titles and {len(masks)} masks "
            f"for {len(images)} frames"
        )
    return images, masks


def _zoom(ax, zoomed, image, mask) -> None:
    top, left, height, width = box = zoom_box(mask, smallest=min(48, max(8, min(mask.shape) // 3)))
    inside = slice(top, top + height), slice(left, left + width)
    mark_box(ax, box)
    show(zoomed, image[inside], f"{width} × {height} px")
    outline(zoomed, mask[inside], TRUE, 0.8, rings=False)
