"""What a fitted detector makes of a few items of a dataset, in the five panels."""

from collections.abc import Mapping, Sequence

from adkit.figures.panels import panels
from adkit.figures.style import Drawing


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
    redraw = getattr(detector, "reconstruct", None)
    rebuilt = [redraw(image[None])[0] for image in images] if redraw else None
    found = [one >= detector.pixel_threshold for one in maps]
    titles = [item["kind"] for item in items] if titles is None else titles
    return panels(images, rebuilt, maps, found, [item["mask"] for item in items], scale=scale, titles=titles)
