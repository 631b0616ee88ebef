"""Frames to look at, whatever their shape: a grid of them, strips with defects outlined, defects magnified."""

from collections.abc import Mapping

from adkit.figures.marks import mark_box, outline, show, zoom_box
from adkit.figures.style import MAP, TRUE, WIDTH, new_figure, styled, to_images, to_maps, to_masks

# Frames longer than this (width / height) are stacked, the others stand side by side.
WIDE = 2.0


def is_wide(shape: tuple[int, ...]) -> bool:
    """Whether frames of this (H, W) are stacked rather than set side by side."""
    return shape[1] > WIDE * shape[0]


def frame_grid(count: int, parts: int, shape: tuple[int, int], columns: int = 2):
    """A grid of axes for ``count`` frames with ``parts`` pictures each, sized to the frames.

    Wide frames have their pictures stacked, some frames beside one another; others have one frame a row.

    Args:
        count: number of frames, at least 1.
        parts: number of pictures a frame.
        shape: (H, W) of a frame, in pixels.
        columns: at most so many wide frames beside one another.

    Returns:
        The figure, and its axes as an array (count, parts).
    """
    wide = is_wide(shape)
    columns = min(count, columns) if wide else parts
    rows = parts * -(-count // columns) if wide else count
    cell = (WIDTH - 0.1 * columns) / columns
    fig = new_figure(rows * (cell * shape[0] / shape[1] + 0.26) + 0.25, layout="compressed")
    fig.get_layout_engine().set(h_pad=0.02, w_pad=0.03)
    grid = fig.subplots(rows, columns, squeeze=False)
    if not wide:
        return fig, grid
    spare = grid.reshape(-1, parts, columns).transpose(0, 2, 1).reshape(-1, parts)
    for ax in spare[count:].ravel():
        ax.remove()
    return fig, spare[:count]


@styled
def strips(images, titles, masks=None, *, zoom=False):
    """Frames one below another at full width; where masks are given, with the defects outlined.

    Args:
        images: a list of (C, H, W) or (H, W) images in [0, 1], or a batch (B, C, H, W).
        titles: a text for each frame.
        masks: bool, a list of (H, W) or (B, H, W); None: no outlines.
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
    # Inches: the side of the magnified square, and the length of a frame beside it.
    side = max(WIDTH / (aspect + 1.05), 1.0) if zoom else 0.0
    length = WIDTH - side - 0.1
    height = len(images) * (max(length / aspect, side) + 0.26) + 0.1
    # Compressing wants equal shapes, and a square beside a frame is none.
    fig = new_figure(height, layout="constrained" if zoom else "compressed")
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
def gallery(images: Mapping, *, columns: int = 6, maps: bool = False, scale=None):
    """Patches side by side, each under its name.

    Args:
        images: name → (C, H, W) or (H, W) image in [0, 1]; or with ``maps``, name → (H, W) of any range.
        columns: at most so many in a row.
        maps: show numbers by colour instead of grey values.
        scale: of maps, ``(low, high)`` of the colours, the same for all; None: from the lowest to the highest number.

    Returns:
        ``(fig, axes)``, axes an array of one an image.

    Raises:
        ValueError: if there is no image.

    Example:
        >>> import numpy as np
        >>> fig, axes = gallery({"clean": np.zeros((32, 32)), "noise": np.ones((32, 32))})
        >>> [ax.get_title(loc="left") for ax in axes]
        ['clean', 'noise']
    """
    if not images:
        raise ValueError("gallery needs at least one image, as name -> image, got none")
    shown = to_maps(list(images.values())) if maps else to_images(list(images.values()))
    if maps and scale is None:
        scale = min(one.min() for one in shown), max(one.max() for one in shown)
    look = {"cmap": MAP, "vmin": scale[0], "vmax": scale[1]} if maps else {}
    columns = min(columns, len(shown))
    rows, side = -(-len(shown) // columns), WIDTH / max(columns, 4)
    height = max(one.shape[0] / one.shape[1] for one in shown)
    fig = new_figure(rows * (side * height + 0.26) + 0.1, columns * side, layout="compressed")
    fig.get_layout_engine().set(w_pad=0.04, h_pad=0.03)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(shown) :]:
        ax.remove()
    for ax, name, one in zip(axes, images, shown, strict=False):
        show(ax, one, name, **look)
    return fig, axes[: len(shown)]


@styled
def samples(images, masks, kinds):
    """Defects by type, each with a magnified square: the untouched frame, its zoom box, and the zoom with the outline.

    Args:
        images: a list of (C, H, W) or (H, W) images in [0, 1], or a batch (B, C, H, W); all wide, or all not.
        masks: bool, a list of (H, W) or (B, H, W).
        kinds: the title of each frame, such as its defect type.

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
