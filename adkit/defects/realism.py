"""How large, how strong and how fine a defect is, measured on the image alone: so that synthetic and real ones compare.

A real defect has no clean twin. What it did to the image is read off against its own surroundings: a ring of normal
material around it. The same numbers can be had of a synthetic defect, and so of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy import ndimage

from adkit.data import AnomalyDataset

GAP, RING = 2, 10  # pixels: what may be blurred by the optics is left out, the ring reaches this far
LEAST = 16  # pixels of a ring: fewer say nothing


@dataclass(frozen=True)
class RegionLook:
    """How one defective region looks.

    Attributes:
        size: longer side of its box, in pixels.
        contrast: mean inside minus mean of the ring around it, in standard deviations of the ring; negative: darker.
        grain: log2 of how much neighbouring pixels differ inside, over the same in the ring: 0 is as grainy as the
            material, -1 half as grainy, so blurred.
    """

    size: float
    contrast: float
    grain: float


def region_looks(image: np.ndarray, mask: np.ndarray) -> list[RegionLook]:
    """Measure each defective region of an image.

    Args:
        image: (H, W) or (1, H, W), in any unit.
        mask: bool (H, W); pixels that touch by a side or a corner are one region.

    Returns:
        One entry a region, without those that have hardly any normal pixels around them.

    Raises:
        ValueError: if image and mask are not of one size.

    Example:
        >>> image = np.random.default_rng(0).normal(0.5, 0.1, (64, 64))
        >>> mask = np.zeros((64, 64), bool)
        >>> mask[20:30, 20:40] = True
        >>> (look,) = region_looks(image + 0.5 * mask, mask)
        >>> look.size, 4 < look.contrast < 6, abs(look.grain) < 0.5
        (20.0, True, True)
    """
    grey = np.asarray(image, dtype=np.float64).reshape(np.shape(image)[-2:])
    mask = np.asarray(mask, dtype=bool)
    if grey.shape != mask.shape:
        raise ValueError(f"image and mask must be of one size, got {grey.shape} and {mask.shape}")
    named, count = ndimage.label(mask, np.ones((3, 3)))
    looks = []
    for number, box in enumerate(ndimage.find_objects(named)[:count], start=1):
        window = tuple(slice(max(side.start - RING, 0), side.stop + RING) for side in box)
        inside, near = named[window] == number, grey[window]
        ring = _grown(inside, RING) & ~_grown(mask[window], GAP)
        if ring.sum() >= LEAST:
            size = max(side.stop - side.start for side in box)
            looks.append(RegionLook(float(size), _contrast(near, inside, ring), _grain(near, inside, ring)))
    return looks


def looks_of(images: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The regions of many images as columns.

    Args:
        images: each (H, W) or (1, H, W).
        masks: bool (H, W) each.

    Returns:
        ``size``, ``contrast`` and ``grain`` → (regions,).

    Example:
        >>> looks_of([], [])["size"].shape
        (0,)
    """
    looks = [look for pair in zip(images, masks, strict=True) for look in region_looks(*pair)]
    return {each.name: np.array([getattr(look, each.name) for look in looks]) for each in fields(RegionLook)}


def looks_in(dataset: AnomalyDataset) -> dict[str, np.ndarray]:
    """The regions of a part of a data set as columns, see :func:`looks_of`; images without a mask are left out.

    Args:
        dataset: such as ``splits.test``.

    Example:
        >>> from adkit import load_dataset
        >>> test = load_dataset("textile", image_size=(64, 64)).test
        >>> looks = looks_in(test.subset(range(50, 55)))
        >>> len(looks["size"]) == len(looks["grain"]) > 0
        True
    """
    images, masks = [], []
    for i in np.flatnonzero(dataset.labels == 1):
        item = dataset[int(i)]
        if item["has_mask"] and item["mask"].any():
            images.append(item["image"].mean(0).numpy())
            masks.append(item["mask"].numpy())
    return looks_of(images, masks)


def covered(real: np.ndarray, synthetic: np.ndarray, share: float = 0.9) -> float:
    """The share of real values that lie where most synthetic ones lie: as large as ``share`` if both are alike.

    Args:
        real: (n,) values of one measure.
        synthetic: (m,) values of the same measure.
        share: of the synthetic values, the middle ones, that span the range; in (0, 1].

    Returns:
        In [0, 1]; NaN where either is empty.

    Example:
        >>> covered(np.array([1.0, 5.0, 50.0]), np.linspace(0, 10, 101))
        0.6666666666666666
    """
    if not len(real) or not len(synthetic):
        return float("nan")
    low, high = np.quantile(synthetic, [(1 - share) / 2, (1 + share) / 2])
    return float(np.mean((real >= low) & (real <= high)))


def defect_windows(images: Sequence[np.ndarray], masks: Sequence[np.ndarray], side: int = 64) -> list[np.ndarray]:
    """Square windows, one around the largest region of each image: what spectra are taken of.

    Args:
        images: each (H, W) or (1, H, W), at least ``side`` high and wide.
        masks: bool (H, W) each; an image without a region is left out.
        side: of the windows, in pixels.

    Example:
        >>> mask = np.zeros((80, 90), bool)
        >>> mask[3, 4] = True
        >>> [window.shape for window in defect_windows([np.zeros((1, 80, 90))], [mask])]
        [(64, 64)]
    """
    windows = []
    for image, mask in zip(images, masks, strict=True):
        grey = np.asarray(image).reshape(np.shape(image)[-2:])
        named, count = ndimage.label(np.asarray(mask, dtype=bool), np.ones((3, 3)))
        if count:
            largest = 1 + np.bincount(named.ravel())[1:].argmax()
            windows.append(grey[_window(named == largest, side)])
    return windows


def _window(region: np.ndarray, side: int) -> tuple[slice, ...]:
    middles = [round(middle) for middle in ndimage.center_of_mass(region)]
    starts = [min(max(m - side // 2, 0), max(n - side, 0)) for m, n in zip(middles, region.shape, strict=True)]
    return tuple(slice(start, start + side) for start in starts)


def _grown(region: np.ndarray, pixels: int) -> np.ndarray:
    return ndimage.maximum_filter(region, 2 * pixels + 1, mode="constant")


def _contrast(image: np.ndarray, inside: np.ndarray, ring: np.ndarray) -> float:
    spread = image[ring].std()
    return float((image[inside].mean() - image[ring].mean()) / max(spread, 1e-6))


def _grain(image: np.ndarray, inside: np.ndarray, ring: np.ndarray) -> float:
    """Pixels of a region that has no two neighbours are as grainy as they may be: 0."""
    differences = [_neighbours(image, part) for part in (inside, ring)]
    if min(len(part) for part in differences) == 0:
        return 0.0
    within, around = (float(np.mean(np.square(part))) for part in differences)
    return float(np.log2(max(within, 1e-12) / max(around, 1e-12)) / 2)


def _neighbours(image: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Differences of neighbours that both lie in a part."""
    down, right = np.diff(image, axis=0), np.diff(image, axis=1)
    return np.concatenate([down[part[1:] & part[:-1]], right[part[:, 1:] & part[:, :-1]]])
