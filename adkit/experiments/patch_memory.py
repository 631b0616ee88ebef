"""PatchCore taken apart: what its cells see, the distances of its patches, and maps and costs of other memories."""

import statistics
import time
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.patchcore import PatchCoreDetector
from adkit.metrics import PixelMetrics, pixel_metrics
from adkit.models.backbones import Backbone, EncoderBackbone, patch_features
from adkit.models.memory import PatchMemory, nearest
from adkit.scoring import gaussian_smooth


def receptive_fields(backbone: Backbone | EncoderBackbone, channels: int, side: int = 512) -> list[int]:
    """How many pixels across the middle cell of each level depends on, measured by its gradient.

    A cell *stands for* as many pixels as its stride; what it *sees* is more.

    Args:
        backbone: the frozen network.
        channels: of the images, 1 or 3.
        side: of the square image that it is measured on, in pixels; what a cell sees must fit into it.

    Returns:
        Pixels of each level, in the order of ``backbone.strides``.

    Example:
        >>> from adkit.models.autoencoder import Autoencoder
        >>> receptive_fields(EncoderBackbone(Autoencoder(width=4, depth=3), layers=(0, 1)), channels=1, side=64)
        [4, 10]
    """
    device = next(backbone.parameters()).device
    seen = []
    for level in range(len(backbone.strides)):
        image = torch.rand(1, channels, side, side, device=device, generator=torch.Generator(device).manual_seed(0))
        cells = backbone(image.requires_grad_())[level]
        cells[..., cells.shape[2] // 2, cells.shape[3] // 2].sum().backward()
        seen.append(int(image.grad.abs().sum(dim=(0, 1, 2)).count_nonzero()))
    return seen


def fitted_for_maps(detector: Detector, train: AnomalyDataset, validation: AnomalyDataset) -> Detector:
    """A detector that is fitted for its maps alone: its thresholds come from two images and mean nothing.

    Args:
        detector: not fitted; it stays as it is.
        train: normal images to learn from.
        validation: normal images, of which two are used.
    """
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # about thresholds that nobody reads
        return detector.fresh().fit(train, validation.subset(range(min(2, len(validation)))))


@torch.inference_mode()
def patches_of(detector: PatchCoreDetector, image: Tensor) -> Tensor:
    """The feature vectors of all cells of an image, (D, h, w).

    Args:
        detector: fitted, with ``reference="train"``.
        image: (C, H, W) in [0, 1].
    """
    return patch_features(detector.backbone, image[None].to(detector.device), detector.settings.neighbourhood)[0]


@torch.inference_mode()
def patches_in(detector: PatchCoreDetector, image: Tensor, mask: Tensor) -> Tensor:
    """The feature vectors of those cells of an image that show something of a mask, (n, D).

    Args:
        detector: fitted, with ``reference="train"``.
        image: (C, H, W) in [0, 1].
        mask: bool (H, W).
    """
    features = patches_of(detector, image)
    cell = min(detector.backbone.strides)
    height, width = (side * cell for side in features.shape[1:])
    padded = F.pad(mask.float(), (0, width - mask.shape[1], 0, height - mask.shape[0]))
    shown = F.max_pool2d(padded[None, None], cell)[0, 0] > 0
    return features[:, shown.to(features.device)].T


def map_of_distances(distances: Tensor, detector: PatchCoreDetector, size: tuple[int, int]) -> Tensor:
    """From a distance for each cell (h, w) to the detector's map (H, W): brought to pixels, and smoothed.

    Args:
        distances: float (h, w).
        detector: whose cells they are.
        size: (H, W) of the image.
    """
    cell = min(detector.backbone.strides)
    whole = F.interpolate(distances[None, None], scale_factor=cell, mode="bilinear", align_corners=False)
    return gaussian_smooth(whole[:, 0, : size[0], : size[1]], detector.settings.smoothing)[0].cpu()


@torch.inference_mode()
def metrics_by_neighbours(
    detector: PatchCoreDetector, frames: Sequence[Mapping], neighbours: Sequence[int]
) -> dict[int, PixelMetrics]:
    """Pixel metrics of maps that are the *mean* distance to several nearest patches of the memory.

    Args:
        detector: fitted, with ``reference="train"``.
        frames: with ``image`` (C, H, W) and ``mask`` (H, W), such as those of
            :func:`adkit.experiments.synthetic_frames.synthetic_frames`.
        neighbours: how many; more than the memory holds are as many as it holds.

    Returns:
        Number of neighbours → metrics.
    """
    most = min(max(neighbours), len(detector.memory))
    maps: dict[int, list[np.ndarray]] = {k: [] for k in neighbours}
    for frame in frames:
        features = patches_of(detector, frame["image"])
        far = detector.memory.nearest(features.flatten(1).T, most)[0]  # (h · w, most)
        for k in neighbours:
            distances = far[:, :k].mean(dim=1).view(features.shape[1:])
            maps[k].append(map_of_distances(distances, detector, frame["image"].shape[1:]).numpy())
    masks = [np.asarray(frame["mask"], dtype=bool) for frame in frames]
    return {k: pixel_metrics(masks, several) for k, several in maps.items()}


@torch.inference_mode()
def worst_patches(detector: PatchCoreDetector, frames: Sequence[Mapping]) -> tuple[Tensor, list[np.ndarray]]:
    """Of each image the patch that is furthest from the memory, (N, D), and its anomaly map, (H, W).

    Args:
        detector: fitted, with ``reference="train"``.
        frames: with ``image`` (C, H, W).
    """
    worst, maps = [], []
    for frame in frames:
        features = patches_of(detector, frame["image"])
        vectors = features.flatten(1).T
        distances = detector.memory.nearest(vectors)[0][:, 0]
        worst.append(vectors[distances.argmax()])
        height, width = frame["image"].shape[1:]
        maps.append(map_of_distances(distances.view(features.shape[1:]), detector, (height, width)).numpy())
    return torch.stack(worst), maps


def coverage_radius(points: Tensor, chosen: Tensor) -> float:
    """The distance of the worst covered point to its nearest chosen one.

    Args:
        points: (N, D).
        chosen: (n, D).

    Example:
        >>> coverage_radius(torch.tensor([[0.0], [1.0], [2.0], [10.0]]), torch.tensor([[0.0], [10.0]]))
        2.0
    """
    return float(nearest(points, chosen)[0].max())


def memory_costs(
    detector: PatchCoreDetector, bank: Tensor, sizes: Sequence[int], image: Tensor, repeats: int = 3
) -> list[tuple[float, float]]:
    """What memories of several sizes cost: KiB, and milliseconds for one map; the detector's own memory stays.

    Args:
        detector: fitted; its network describes the patches.
        bank: (N, D), patches in the order of a coreset: the first m are the coreset of m.
        sizes: numbers of patches, at most N.
        image: (C, H, W) that is timed.
        repeats: timings of each; their median counts.
    """
    own, costs = detector.memory, []
    for size in sizes:
        detector.memory = PatchMemory(bank[:size])
        taken = []
        for _ in range(repeats):
            start = time.perf_counter()
            detector.anomaly_map(image[None])
            taken.append(1000 * (time.perf_counter() - start))
        costs.append((detector.memory.n_bytes / 1024, statistics.median(taken)))
    detector.memory = own
    return costs
