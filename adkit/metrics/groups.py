"""Metrics of one defect type or one defect size at a time, always against the same normals."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from adkit.metrics import operating_points as formulas
from adkit.metrics.components import Pixels, collect_pixels
from adkit.metrics.image import ImageMetrics, image_metrics
from adkit.metrics.inputs import Images, as_images, check_limit, to_numpy
from adkit.metrics.operating_points import check_classes, exact_points
from adkit.metrics.pixel import PixelMetrics, pixel_metrics


@dataclass(frozen=True)
class SizeGroup:
    """PRO of the regions with an area above ``low`` and up to ``high`` pixels.

    Attributes:
        low: area in pixels, excluded.
        high: area in pixels, included.
        n_regions: number of regions of such an area.
        pro: their PRO in [0, 1]; None where there are none.
    """

    low: float
    high: float
    n_regions: int
    pro: float | None


def pro_by_size(
    masks: Images, maps: Images, edges: Sequence[float] | None = None, fpr_limit: float = 0.3
) -> list[SizeGroup]:
    """PRO of small, medium and large regions.

    The FPR axis is the same for all groups, all normal pixels of all images, so their PROs compare; the mean of them,
    weighted by the numbers of regions, is the PRO of the whole set.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes, higher = more anomalous.
        edges: rising areas in pixels that part the groups, an area equal to an edge belonging below it; None: the
            terciles of the areas at hand.
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Raises:
        ValueError: as ``pixel_metrics``, or if ``edges`` do not rise.

    Example:
        >>> masks = np.zeros((1, 8, 8), dtype=bool)
        >>> masks[0, 0, 0] = masks[0, 4:, 4:] = True
        >>> [(group.high, group.n_regions) for group in pro_by_size(masks, masks.astype(float), edges=[4])]
        [(4.0, 1), (inf, 1)]
    """
    check_limit(fpr_limit)
    pixels = collect_pixels(masks, maps)
    check_classes(pixels.normal.size, pixels.defective.size)
    edges = np.quantile(pixels.areas, [1 / 3, 2 / 3]) if edges is None else np.asarray(edges, dtype=np.float64)
    if np.any(np.diff(edges) < 0):
        raise ValueError(f"edges must rise, got {edges.tolist()}; sort them")
    bounds = np.concatenate([[0.0], edges, [np.inf]])
    group = np.searchsorted(edges, pixels.areas, side="left")
    return [
        SizeGroup(
            float(low), float(high), int((group == index).sum()), _pro_of_regions(pixels, group == index, fpr_limit)
        )
        for index, (low, high) in enumerate(pairwise(bounds))
    ]


def pixel_metrics_by_kind(
    masks: Images, maps: Images, kinds: Sequence[str], normal: str = "good", fpr_limit: float = 0.3
) -> dict[str, PixelMetrics]:
    """Pixel metrics of each defect type: the images of that kind and all normal images.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes, higher = more anomalous.
        kinds: (N,) the kind of each image.
        normal: the kind of normal images.
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Returns:
        Kind → metrics, in the order in which the kinds first appear.

    Raises:
        ValueError: as ``pixel_metrics``, or if ``kinds`` are not one an image.

    Example:
        >>> masks = np.zeros((3, 2, 2), dtype=bool)
        >>> masks[:2, 0, 0] = True
        >>> metrics = pixel_metrics_by_kind(masks, masks.astype(float), ["hole", "stain", "good"])
        >>> {kind: of_kind.n_images for kind, of_kind in metrics.items()}
        {'hole': 2, 'stain': 2}
    """
    masks, maps = as_images(masks, maps)
    chosen = _rows_by_kind(kinds, len(masks), normal)
    return {
        kind: pixel_metrics([masks[row] for row in rows], [maps[row] for row in rows], fpr_limit)
        for kind, rows in chosen.items()
    }


def image_metrics_by_kind(kinds: Sequence[str], scores: Images, normal: str = "good") -> dict[str, ImageMetrics]:
    """Image metrics of each defect type: the images of that kind against all normal images.

    Args:
        kinds: (N,) the kind of each image.
        scores: (N,) image scores, float, higher = more anomalous.
        normal: the kind of normal images.

    Returns:
        Kind → metrics, in the order in which the kinds first appear.

    Raises:
        ValueError: as ``image_metrics``, or if ``kinds`` are not one an image.

    Example:
        >>> {k: m.auroc for k, m in image_metrics_by_kind(["good", "hole", "stain"], [0.5, 0.9, 0.1]).items()}
        {'hole': 1.0, 'stain': 0.0}
    """
    scores = to_numpy(scores)
    chosen = _rows_by_kind(kinds, len(scores), normal)
    return {kind: image_metrics([kinds[row] != normal for row in rows], scores[rows]) for kind, rows in chosen.items()}


def _pro_of_regions(pixels: Pixels, chosen: np.ndarray, fpr_limit: float) -> float | None:
    """PRO of the chosen regions (R,), None where none is chosen."""
    if not chosen.any():
        return None
    inside = chosen[pixels.region]
    points = exact_points(pixels.normal, pixels.defective[inside], pixels.weights[inside])
    return float(formulas.pro_area(points, fpr_limit))


def _rows_by_kind(kinds: Sequence[str], count: int, normal: str) -> dict[str, list[int]]:
    """Of each kind but the normal one: the indices of its images and of all normal images."""
    if len(kinds) != count:
        raise ValueError(f"kinds must be one an image, got {len(kinds)} kinds and {count} images")
    return {
        kind: [row for row, kind_of_row in enumerate(kinds) if kind_of_row in (kind, normal)]
        for kind in dict.fromkeys(kinds)
        if kind != normal
    }
