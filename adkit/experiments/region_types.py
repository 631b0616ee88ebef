"""From *where* to *what*: the regions that a detector has found, called by the type of a few labelled ones.

Nothing is trained but a mean and a scale for each type: a region is described by what the detector's own encoder makes
of it, *less* what it makes of the region's surroundings, and takes the name of the nearest type. So a handful of
labelled regions of each type is enough to begin with, and a new type costs a handful more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.detectors.network import NetworkDetector
from adkit.metrics.components import regions
from adkit.models.autoencoder import Autoencoder
from adkit.models.latent_space import encoder_levels, level_stride, pool, shown_positions

SHRINK = 0.1  # share of the variance over all types that is added to that within types
RING = 8  # pixels around a region that are its surroundings, at least


@dataclass(frozen=True)
class FoundRegion:
    """A region of an image, described.

    Attributes:
        image: number of the image in its dataset.
        box: top, left, height and width, in pixels of the network's image.
        area: in pixels.
        features: (D,) what the encoder makes of it, less its surroundings, and the logarithm of its area.
        kind: of the true defect that it lies on; None where it lies on none.
    """

    image: int
    box: tuple[int, int, int, int]
    area: int
    features: np.ndarray
    kind: str | None


def describe_regions(
    detector: NetworkDetector, dataset: AnomalyDataset, masks: Sequence[np.ndarray] | None = None, smallest: int = 8
) -> list[FoundRegion]:
    """The regions of a dataset's images, by the features of the detector's own encoder.

    Args:
        detector: fitted, around an autoencoder.
        dataset: labelled images, for example ``splits.test``; a region that lies on no defect has no kind.
        masks: bool (h, w) of each item, where the regions are; None: where the detector's map reaches its pixel
            threshold.
        smallest: area in pixels below which a region is left out.

    Raises:
        TypeError: if the detector has no encoder of its own.
        ValueError: if there are not as many masks as items.
    """
    model = getattr(detector, "model", None)
    if not isinstance(model, Autoencoder):
        raise TypeError(
            f"regions are described by an encoder, and a {type(detector).__name__} has none that is known here; use an "
            "AutoencoderDetector"
        )
    if masks is not None and len(masks) != len(dataset):
        raise ValueError(f"expected a mask for each of {len(dataset)} items, got {len(masks)}")
    found = []
    for number in range(len(dataset)):
        item = dataset[number]
        if masks is None:
            mask = detector.anomaly_map(item["image"][None])[0].numpy() >= detector.pixel_threshold
        else:
            mask = np.asarray(masks[number], bool)
        labels, count = regions(mask)
        if count:
            with torch.inference_mode():
                levels = encoder_levels(model, item["image"][None].float().to(detector.device))
        for region in (labels == place for place in range(1, count + 1)):
            if (area := int(region.sum())) >= smallest:
                hit = bool((region & item["mask"].numpy()).any())
                vector = _described(levels, region, model.depth)
                found.append(FoundRegion(number, _box(region), area, vector, item["kind"] if hit else None))
    return found


class RegionTypes:
    """Types of regions, each by the mean of a few labelled ones.

    The distance to a mean is measured in units of the spread *within* types, which all types share: with few labels a
    spread of each type's own would be noise.

    Attributes:
        kinds: the types, in alphabetic order; empty before ``fit``.

    Example:
        >>> def region(kind, x):
        ...     return FoundRegion(0, (0, 0, 9, 9), 81, np.array([x, 0.0]), kind)
        >>> types = RegionTypes().fit([region(kind, x) for kind in ("dark", "bright") for x in (len(kind), 6.5)])
        >>> types.name([region(None, 3.0), region(None, 6.4)])
        ['dark', 'bright']
    """

    def __init__(self):
        self.kinds: list[str] = []

    def fit(self, labelled: Sequence[FoundRegion]) -> "RegionTypes":
        """Learn the types of labelled regions.

        Args:
            labelled: regions with a kind, of at least two kinds; others are passed over.

        Raises:
            ValueError: if there are fewer than two kinds.
        """
        known = [region for region in labelled if region.kind is not None]
        self.kinds = sorted({region.kind for region in known})
        if len(self.kinds) < 2:
            raise ValueError(f"types need labelled regions of at least two kinds, got {self.kinds}")
        vectors = np.stack([region.features for region in known])
        truth = np.array([self.kinds.index(region.kind) for region in known])
        self.means = np.stack([vectors[truth == place].mean(axis=0) for place in range(len(self.kinds))])
        within = np.square(vectors - self.means[truth]).sum(axis=0) / max(len(known) - len(self.kinds), 1)
        # a feature that happens not to vary within these few would else outweigh all others
        self.scale = np.sqrt(within + SHRINK * vectors.var(axis=0) + 1e-12)
        return self

    def distances(self, regions: Sequence[FoundRegion]) -> np.ndarray:
        """To the mean of each type, (N, types), root mean square over the features.

        Args:
            regions: described by the same detector.

        Raises:
            RuntimeError: before ``fit``.
        """
        if not self.kinds:
            raise RuntimeError("these RegionTypes have not been fitted; call fit(labelled) first")
        vectors = np.stack([region.features for region in regions]) if regions else np.empty((0, self.means.shape[1]))
        gaps = (vectors[:, None] - self.means) / self.scale
        return np.sqrt(np.square(gaps).mean(axis=2))

    def name(self, regions: Sequence[FoundRegion]) -> list[str]:
        """The nearest type of each region.

        Args:
            regions: described by the same detector; raises as ``distances``.
        """
        return [self.kinds[place] for place in self.distances(regions).argmin(axis=1)] if regions else []


def few_of_each(found: Sequence[FoundRegion], each: int, seed: int = 0) -> tuple[list[FoundRegion], list[FoundRegion]]:
    """Labelled regions to learn from, and the rest to judge by; the regions of one image stay together.

    Args:
        found: regions; those without a kind go to neither.
        each: images of each kind that are labelled.
        seed: integer; another seed labels other images.

    Returns:
        Regions of the labelled images, and those of all others.
    """
    known, random = [region for region in found if region.kind is not None], np.random.default_rng(seed)
    chosen: set[int] = set()
    for kind in sorted({region.kind for region in known}):
        images = sorted({region.image for region in known if region.kind == kind})
        chosen |= set(random.permutation(images)[:each].tolist())
    return [r for r in known if r.image in chosen], [r for r in known if r.image not in chosen]


def _described(levels: Sequence[Tensor], region: np.ndarray, depth: int) -> np.ndarray:
    """Mean features of a region less those of a ring around it, level by level, and the logarithm of its area."""
    shape = torch.from_numpy(region).to(levels[0].device)
    top, left, height, width = _box(region)
    margin = max(RING, height, width)
    around = torch.zeros_like(shape)
    around[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin] = True
    parts = []
    for number, level in enumerate(levels):
        size, stride = tuple(level.shape[-2:]), level_stride(number, depth)
        inside = shown_positions(shape[None], size, stride)
        outside = shown_positions(around[None], size, stride) & ~inside
        ring = pool(level, outside) if outside.any() else torch.zeros_like(level[:, :, 0, 0])
        parts.append((pool(level, inside) - ring)[0])
    area = torch.tensor([np.log(region.sum())], device=parts[0].device, dtype=parts[0].dtype)
    return torch.cat([*parts, area]).double().cpu().numpy()


def _box(region: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
