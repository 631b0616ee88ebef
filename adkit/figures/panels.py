"""What a detector sees, image by image: five panels with one colour scale.

Frames to look at: stacked strips with defects outlined, and defects by kind with a zoom on each.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from adkit.figures.marks import fill, mark_box, outline, show, zoom_box
from adkit.figures.style import MAP, PREDICTED, TRUE, WIDTH, new_figure, styled, to_array, to_images, to_maps, to_masks

WIDE = 2.0  # frames longer than this (width / height) are stacked, the others stand side by side


def colour_scale(maps) -> tuple[float, float]:
    """The colour scale of a figure from the anomaly maps of validation normals.

    It starts at their median and ends at twice the distance to their 99.9th percentile: the brightest spots of normal
    images come out half-way, so that what is brighter than mid-scale was not seen on normals.

    Args:
        maps: (N, H, W) anomaly maps of validation normals, or a list of maps of unequal sizes.

    Returns:
        ``(low, high)``.

    Example:
        >>> low, high = colour_scale(np.linspace(0, 1, 1001).reshape(1, 7, 143))
        >>> round(low, 3), round(high, 3)
        (0.5, 1.498)
    """
    scores = np.concatenate([a_map.ravel() for a_map in to_maps(maps)])
    middle, top = (float(q) for q in np.percentile(scores, [50, 99.9]))
    return middle, middle + 2 * max(top - middle, 1e-12)


def colour_limits(scale) -> tuple[float, float]:
    """``(low, high)`` of a scale that may also be a single upper limit.

    Raises:
        ValueError: unless low < high.
    """
    low, high = (0.0, float(scale)) if np.ndim(to_array(scale)) == 0 else (float(end) for end in scale)
    if not low < high:
        raise ValueError(f"a colour scale needs low < high, got ({low}, {high}); take colour_scale(validation_maps)")
    return low, high


def colour_bar(ax: Axes, scale: tuple[float, float], wide: bool) -> Axes:
    """A colour bar for a map: right of a wide frame, below others."""
    place = [1.012, 0.0, 0.012, 1.0] if wide else [0.08, -0.11, 0.84, 0.05]
    bar_axes = ax.inset_axes(place)
    shades = ScalarMappable(Normalize(*scale), MAP)
    bar = ax.figure.colorbar(shades, cax=bar_axes, orientation="vertical" if wide else "horizontal", extend="max")
    ticks = [scale[0], sum(scale) / 2, scale[1]]
    bar.set_ticks(ticks, labels=[f"{tick:.3g}" for tick in ticks])
    bar.outline.set_visible(False)
    return bar_axes


def frame_grid(count: int, parts: int, shape: tuple[int, int], columns: int = 2):
    """A grid of axes for ``count`` frames with ``parts`` pictures each, sized to the frames.

    Wide frames have their pictures stacked, some frames beside one another; others have one frame a row.

    Args:
        count: number of frames.
        parts: number of pictures a frame.
        shape: (H, W) of a frame.
        columns: at most so many wide frames beside one another.

    Returns:
        The figure and its axes as an array (count, parts).
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


def is_wide(shape: tuple[int, ...]) -> bool:
    """Whether frames of this (H, W) are stacked rather than set side by side."""
    return shape[1] > WIDE * shape[0]


@styled
def panels(image, reconstruction, anomaly_map, mask_predicted, mask_true, *, scale, titles=None):
    """Image, reconstruction, anomaly map, predicted mask and true mask, for one frame or several.

    The true outline is drawn over the map and over the predicted mask; a ring marks regions too small to be seen.

    Args:
        image: (C, H, W) or (H, W) in [0, 1]; or a batch (B, C, H, W); or a list.
        reconstruction: the same, or ``None`` for a method that reconstructs nothing: four panels then.
        anomaly_map: (H, W), (B, H, W) or a list.
        mask_predicted: bool, as ``anomaly_map``.
        mask_true: bool, as ``anomaly_map``.
        scale: ``(low, high)`` or the upper limit of the map's colours, from validation normals: see `colour_scale`.
        titles: one a frame, in front of the first panel's title.

    Returns:
        ``(fig, axes)`` with axes (B, panels).

    Raises:
        ValueError: if the arguments hold different numbers of frames, or the scale is empty.

    Example:
        >>> frame, mask = np.zeros((176, 976)), np.zeros((176, 976), bool)
        >>> fig, axes = panels(frame, frame, frame, mask, mask, scale=0.1, titles=["normal"])
        >>> axes.shape
        (1, 5)
    """
    images, maps = to_images(image), to_maps(anomaly_map)
    rebuilt = [None] * len(images) if reconstruction is None else to_images(reconstruction)
    predicted, true = to_masks(mask_predicted), to_masks(mask_true)
    titles = [""] * len(images) if titles is None else titles
    counts = [len(part) for part in (images, rebuilt, maps, predicted, true, titles)]
    if len(set(counts)) > 1:
        raise ValueError(
            "panels needs as many reconstructions, maps, predicted masks, true masks and titles as images, got "
            f"{counts[1:]} for {counts[0]} images"
        )
    limits, wide = colour_limits(scale), is_wide(maps[0].shape)
    fig, axes = frame_grid(len(images), 5 if reconstruction is not None else 4, maps[0].shape)
    frames = zip(axes, images, rebuilt, maps, predicted, true, titles, strict=True)
    for number, (row, *frame) in enumerate(frames):
        _draw_frame(row, *frame, limits, headed=wide or number == 0)
    colour_bar(axes[min(1, len(axes) - 1) if wide else -1, -3], limits, wide)
    return fig, axes


def _draw_frame(row, image, rebuilt, a_map, predicted, true, title, limits, headed) -> None:
    head = (lambda text: text) if headed else (lambda text: "")
    first = " · ".join(part for part in (title, head("image")) if part)
    show(row[0], image, first)
    if rebuilt is not None:
        show(row[1], rebuilt, head("reconstruction"))
    show(row[-3], a_map, head("anomaly map"), cmap=MAP, vmin=limits[0], vmax=limits[1])
    outline(row[-3], true, TRUE, 1.0)
    show(row[-2], fill(image, predicted, PREDICTED), head("mask predicted"))
    outline(row[-2], true, TRUE, 1.0, rings=False)
    outline(row[-2], predicted, PREDICTED, 0.6, rings=False)
    show(row[-1], fill(image, true, TRUE), head("mask true"))
    outline(row[-1], true, TRUE, 0.6)
    for ax, mask, note in ((row[-2], predicted, "nothing predicted"), (row[-1], true, "no defect")):
        if not mask.any():
            ax.text(0.5, 0.5, note, transform=ax.transAxes, ha="center", va="center", fontsize=10)


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
