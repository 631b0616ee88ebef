"""What a detector makes of a few images: the five panels, or image, map and mask beside one another."""

from collections.abc import Mapping, Sequence

import numpy as np

from adkit.figures.marks import fill, outline, show
from adkit.figures.panels import colour_bar, colour_limits, frame_grid, is_wide, panels
from adkit.figures.style import MAP, PREDICTED, TRUE, Drawing, styled, to_images, to_maps, to_masks

PARTS = ("image", "map", "mask")


def detector_panels(detector, items: Sequence[Mapping], *, scale, titles: Sequence[str] | None = None) -> Drawing:
    """Image, reconstruction, anomaly map, predicted and true mask of items of a dataset.

    Args:
        detector: a fitted detector; one without ``reconstruct`` gets no panel for it.
        items: dicts with ``image``, ``mask`` and ``kind``, as a dataset gives them; of one size.
        scale: of the maps' colours, from validation normals; see :func:`adkit.figures.colour_scale`.
        titles: one an item; default: their kinds.

    Returns:
        ``(fig, axes)``, see :func:`adkit.figures.panels`.
    """
    images = [item["image"] for item in items]
    maps = [detector.anomaly_map(image[None])[0] for image in images]
    reconstruct = getattr(detector, "reconstruct", None)
    rebuilt = [reconstruct(image[None])[0] for image in images] if reconstruct else None
    found = [one >= detector.pixel_threshold for one in maps]
    titles = [item["kind"] for item in items] if titles is None else titles
    return panels(images, rebuilt, maps, found, [item["mask"] for item in items], scale=scale, titles=titles)


@styled
def detections(images, maps, masks, captions, *, scale, thresholds=None, parts=PARTS, columns: int = 3):
    """A few detections beside one another: image, anomaly map, and mask with its IoU and false-positive area.

    Args:
        images: a list of (C, H, W) or (H, W) images in [0, 1].
        maps: a list of anomaly maps (H, W).
        masks: a list of true masks, bool (H, W).
        captions: one a frame.
        scale: of the maps' colours, from validation normals.
        thresholds: of the maps, one a frame, for the predicted masks; None: the true masks are shown.
        parts: which of ``image``, ``map`` and ``mask`` to draw.
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
                outline(ax, mask, TRUE, 1.0)
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
