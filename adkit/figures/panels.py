"""What a detector makes of frames: maps on one colour scale, and the masks that are cut from them."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from adkit.figures.frames import frame_grid, is_wide
from adkit.figures.marks import brackets, fill, outline, show
from adkit.figures.style import (
    MAP,
    PREDICTED,
    TRUE,
    WIDTH,
    new_figure,
    styled,
    to_array,
    to_image,
    to_images,
    to_maps,
    to_masks,
)

PARTS = ("image", "map", "mask")


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
    """A colour bar for a map.

    Args:
        ax: the map's axes.
        scale: ``(low, high)`` of the colours.
        wide: set the bar right of the map (a wide frame), not below it.
    """
    place = [1.012, 0.0, 0.012, 1.0] if wide else [0.08, -0.11, 0.84, 0.05]
    bar_axes = ax.inset_axes(place)
    shades = ScalarMappable(Normalize(*scale), MAP)
    bar = ax.figure.colorbar(shades, cax=bar_axes, orientation="vertical" if wide else "horizontal", extend="max")
    ticks = [scale[0], sum(scale) / 2, scale[1]]
    bar.set_ticks(ticks, labels=[f"{tick:.2g}" for tick in ticks])
    bar.outline.set_visible(False)
    return bar_axes


@styled
def panels(image, reconstruction, anomaly_map, mask_predicted, mask_true, *, scale, titles=None):
    """Frames with what a method makes of them, and the true mask: a row each, a panel for each picture.

    On the map, corners mark the true regions, so that nothing of it is covered; the predicted mask shows the true
    outline.

    Args:
        image: (C, H, W) or (H, W) in [0, 1]; or a batch (B, C, H, W); or a list.
        reconstruction: the same, or None for a method that reconstructs nothing: four panels then.
        anomaly_map: (H, W), (B, H, W) or a list.
        mask_predicted: bool, as ``anomaly_map``.
        mask_true: bool, as ``anomaly_map``.
        scale: ``(low, high)`` or the upper limit of the map's colours, from validation normals: see `colour_scale`.
        titles: a text for each frame, in front of the first panel's title; None: none.

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
    reconstructed = [None] * len(images) if reconstruction is None else to_images(reconstruction)
    predicted, true = to_masks(mask_predicted), to_masks(mask_true)
    titles = [""] * len(images) if titles is None else titles
    counts = [len(part) for part in (images, reconstructed, maps, predicted, true, titles)]
    if len(set(counts)) > 1:
        raise ValueError(
            "panels needs as many reconstructions, maps, predicted masks, true masks and titles as images, got "
            f"{counts[1:]} for {counts[0]} images"
        )
    limits, wide = colour_limits(scale), is_wide(maps[0].shape)
    fig, axes = frame_grid(len(images), 5 if reconstruction is not None else 4, maps[0].shape)
    frames = zip(axes, images, reconstructed, maps, predicted, true, titles, strict=True)
    for number, (row, *frame) in enumerate(frames):
        _show_frame(row, *frame, limits, headed=wide or number == 0)
    colour_bar(axes[min(1, len(axes) - 1) if wide else -1, -3], limits, wide)
    return fig, axes


def _show_frame(row, image, reconstructed, a_map, predicted, true, title, limits, headed) -> None:
    head = (lambda text: text) if headed else (lambda text: "")
    first = " · ".join(part for part in (title, head("image")) if part)
    show(row[0], image, first)
    if reconstructed is not None:
        show(row[1], reconstructed, head("reconstruction"))
    show(row[-3], a_map, head("anomaly map"), cmap=MAP, vmin=limits[0], vmax=limits[1])
    brackets(row[-3], true)
    show(row[-2], fill(image, predicted, PREDICTED), head("mask predicted"))
    outline(row[-2], true, TRUE, 1.0, rings=False)
    outline(row[-2], predicted, PREDICTED, 0.6, rings=False)
    show(row[-1], fill(image, true, TRUE), head("mask true"))
    outline(row[-1], true, TRUE, 0.6)
    for ax, mask, note in ((row[-2], predicted, "nothing predicted"), (row[-1], true, "no defect")):
        if not mask.any():
            paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2}
            ax.text(0.5, 0.5, note, transform=ax.transAxes, ha="center", va="center", fontsize=10, bbox=paper)


@styled
def detections(images, maps, masks, captions, *, scale, thresholds=None, parts=PARTS, columns: int = 3):
    """A few detections beside one another, each with its pictures; a mask predicted has its IoU and its false area.

    Args:
        images: a list of (C, H, W) or (H, W) images in [0, 1].
        maps: a list of anomaly maps (H, W).
        masks: a list of true masks, bool (H, W).
        captions: a text for each frame.
        scale: ``(low, high)`` or the upper limit of the map's colours, from validation normals: see `colour_scale`.
        thresholds: a number for each frame, from which on a pixel of its map is predicted as defective; None: the true
            masks are shown.
        parts: which of ``image``, ``map`` and ``mask`` to show.
        columns: at most so many wide frames beside one another.

    Returns:
        ``(fig, axes)`` with axes (B, parts).

    Example:
        >>> frame, mask = np.eye(8), np.eye(8) > 0
        >>> fig, axes = detections([frame], [frame], [mask], ["above 0.5"], scale=1.0, thresholds=[0.5])
        >>> axes[0, 2].get_title(loc="left")
        'IoU 1.00, false area 0.00 %'
    """
    images, maps, masks = to_images(images), to_maps(maps), to_masks(masks)
    limits, wide = colour_limits(scale), is_wide(masks[0].shape)
    fig, axes = frame_grid(len(images), len(parts), masks[0].shape, columns)
    thresholds = [None] * len(images) if thresholds is None else thresholds
    for row, image, a_map, mask, threshold, caption in zip(
        axes, images, maps, masks, thresholds, captions, strict=True
    ):
        for ax, part in zip(row, parts, strict=True):
            if part == "image":
                show(ax, image)
            elif part == "map":
                show(ax, a_map, "anomaly map", cmap=MAP, vmin=limits[0], vmax=limits[1])
                brackets(ax, mask)
            else:
                _show_mask(ax, image, a_map, mask, threshold)
        row[0].set_title(": ".join(filter(None, [caption, row[0].get_title(loc="left")])))
    if "map" in parts:
        colour_bar(axes[min(columns, len(axes)) - 1 if wide else -1, parts.index("map")], limits, wide)
    return fig, axes


def _show_mask(ax, image: np.ndarray, a_map: np.ndarray, mask: np.ndarray, threshold: float | None) -> None:
    """The mask predicted above a threshold, with its IoU and its false-positive area; without one, the true mask."""
    if threshold is None:
        show(ax, fill(image, mask, TRUE), "mask true")
    else:
        predicted = a_map >= threshold
        union = int((predicted | mask).sum())
        iou = f"IoU {(predicted & mask).sum() / union:.2f}" if union else "rightly nothing"
        show(ax, fill(image, predicted, PREDICTED), f"{iou}, false area {100 * (predicted & ~mask).mean():.2f} %")
    outline(ax, mask, TRUE, 1.0)


@styled
def mask_rows(image, mask, predictions: Mapping[str, np.ndarray], title: str = ""):
    """One frame, cut in several ways: each mask over the whole frame, with its IoU and false area.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        mask: bool (H, W), the true one.
        predictions: method → predicted mask, bool (H, W).
        title: title of the image.

    Returns:
        ``(fig, axes)``, axes an array of one for the image and one a method; wide frames stand in two columns.

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
    image, (mask, *predicted_masks) = to_image(image), to_masks([mask, *predictions.values()])
    columns, count = 2 if is_wide(mask.shape) else 4, 1 + len(predicted_masks)
    rows = -(-count // columns)
    cell = WIDTH / columns
    fig = new_figure(rows * (cell * mask.shape[0] / mask.shape[1] + 0.26) + 0.1, layout="compressed")
    fig.get_layout_engine().set(h_pad=0.02, w_pad=0.03)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.remove()
    axes = axes[:count]
    show(axes[0], image, title)
    for ax, name, predicted in zip(axes[1:], predictions, predicted_masks, strict=True):
        union = (predicted | mask).sum()
        overlap = f"IoU {(predicted & mask).sum() / union:.2f}" if union else "rightly nothing"
        wrong = f"{100 * (predicted & ~mask).mean():.2f} % false"
        show(ax, fill(image, predicted, PREDICTED), f"{name}: {overlap}, {wrong}")
    for ax in axes:
        outline(ax, mask, TRUE, 1.0)
    return fig, axes
