"""Connected regions of masks, and the pixels of a test set sorted into normal and defective ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from adkit.metrics.inputs import Images, as_images, as_truth, check_finite, split_images

EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


def regions(mask: ArrayLike) -> tuple[np.ndarray, int]:
    """Number the connected regions of one mask; pixels that touch at a corner belong together (8-connectivity).

    Args:
        mask: (H, W), bool or 0 and 1.

    Returns:
        Labels (H, W) int32, 0 outside and 1 … n inside, and n.

    Raises:
        ValueError: if the mask is not two-dimensional or not binary.

    Example:
        >>> labels, count = regions(np.eye(3, dtype=bool))
        >>> count
        1
    """
    mask = as_truth(mask, "mask")
    if mask.ndim != 2:
        raise ValueError(f"mask must be (H, W), got shape {mask.shape}; call regions once for each image")
    labels = np.zeros(mask.shape, dtype=np.int32)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return labels, 0
    # only the bounding box is labelled: a defect is small beside its frame
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    labels[box], count = ndimage.label(mask[box], structure=EIGHT_NEIGHBOURS)
    return labels, count


def region_areas(masks: Images) -> np.ndarray:
    """Areas in pixels of all regions of all masks, image by image.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.

    Returns:
        (R,) int64, one number a region.

    Raises:
        ValueError: if there is no mask, or one is not two-dimensional or not binary.

    Example:
        >>> region_areas(np.eye(3, dtype=bool)[None])
        array([3])
    """
    labels = [regions(mask)[0] for mask in split_images(masks, "masks")]
    return np.concatenate([np.bincount(image_labels.ravel())[1:] for image_labels in labels])


@dataclass(frozen=True)
class Pixels:
    """All pixels of a set of images: normal scores sorted, defective scores with the region that each lies in.

    Attributes:
        normal: (N,) scores of defect-free pixels, float32 or float64, ascending.
        defective: (P,) scores of defective pixels, in any order.
        region: (P,) int64, the region of each, as an index into ``areas``.
        areas: (R,) int64, pixels of each region.
        n_images: number of images.
    """

    normal: np.ndarray
    defective: np.ndarray
    region: np.ndarray
    areas: np.ndarray
    n_images: int

    @property
    def weights(self) -> np.ndarray:
        """(P,) float64: 1 / area of the pixel's region, so that every region weighs the same."""
        return 1.0 / self.areas[self.region]


def collect_pixels(masks: Images, maps: Images) -> Pixels:
    """Sort the pixels of whole images into normal and defective ones.

    Args:
        masks: (N, H, W) bool or 0 and 1, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes.

    Raises:
        ValueError: if the images are refused by ``as_images``, or a score is NaN or infinite.
    """
    masks, maps = as_images(masks, maps)
    normal, defective, region, areas, count = [], [], [], [], 0
    for mask, scores in zip(masks, maps, strict=True):
        if not mask.any():
            normal.append(scores.ravel())
            continue
        labels, regions_here = regions(mask)
        inside = labels[mask]
        normal.append(scores[~mask])
        defective.append(scores[mask])
        region.append(inside.astype(np.int64) + (count - 1))
        areas.append(np.bincount(inside, minlength=regions_here + 1)[1:])
        count += regions_here
    normal = np.concatenate(normal)
    normal.sort()
    defective = np.concatenate(defective or [normal[:0]])
    # sorting has put NaN and infinity at the ends
    check_finite(normal[:1], normal[-1:], defective)
    none = np.empty(0, dtype=np.int64)
    return Pixels(normal, defective, np.concatenate(region or [none]), np.concatenate(areas or [none]), len(masks))
