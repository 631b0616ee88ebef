"""Can these defects be told from cloth at all? A classifier that is given the labels, on patches, says whether.

Where it succeeds, patches of this size hold what is sought, and a better detector may find it. Where it fails, either
they do not, or the labels were too few: with few labels a detector that has seen normal images only can be ahead of it
(notebook 07b). So it bounds what is known to be possible from below, and nothing from above.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.detectors.base import Detector
from adkit.metrics import auroc
from adkit.runtime import generator

WIDTHS = (16, 32, 64)
RATE = 3e-3  # peak of the one-cycle schedule


@dataclass(frozen=True)
class Patches:
    """Squares of labelled images.

    Attributes:
        pixels: (N, C, side, side) in [0, 1].
        labels: bool (N,): it shows a part of a defect.
        kinds: of each patch the defect type, or that of normal images.
        places: of each patch (image, top, left).
    """

    pixels: Tensor
    labels: np.ndarray
    kinds: np.ndarray
    places: list[tuple[int, int, int]]

    @property
    def side(self) -> int:
        """Of a patch, in pixels."""
        return self.pixels.shape[-1]


def cut_patches(dataset: AnomalyDataset, side: int = 32, least: int = 8) -> Patches:
    """Cut labelled images into squares that do not overlap.

    Args:
        dataset: labelled images with masks.
        side: of a square, in pixels.
        least: pixels of a defect from which on a patch counts as defective; patches with fewer, but some, are left out.

    Raises:
        ValueError: if the images are smaller than a patch, or no patch is defective, or none is normal.
    """
    pixels, labels, kinds, places = [], [], [], []
    for i in range(len(dataset)):
        item = dataset[i]
        height, width = item["image"].shape[-2:]
        for top in range(0, height - side + 1, side):
            for left in range(0, width - side + 1, side):
                window = np.s_[..., top : top + side, left : left + side]
                defective = int(item["mask"][window].sum())
                if 0 < defective < least or (item["label"] and not item["has_mask"]):
                    continue
                pixels.append(item["image"][window])
                labels.append(defective > 0)
                kinds.append(item["kind"] if defective else NORMAL)
                places.append((i, top, left))
    if len(set(labels)) < 2:
        raise ValueError(
            f"expected defective and normal patches of {side} × {side} pixels, got {sum(labels)} defective ones of "
            f"{len(labels)}; take a smaller side, or images with masks"
        )
    return Patches(torch.stack(pixels), np.array(labels), np.array(kinds), places)


def classifier_scores(patches: Patches, steps: int = 300, batch: int = 64, seed: int = 0) -> np.ndarray:
    """What a small network that learns from the labels of one half of the images says of the patches of the other.

    Each half is judged by a network that has seen the other one only. Defect types are shared among the halves evenly,
    and half of every batch is defective.

    Args:
        patches: of at least two images with defects.
        steps: optimiser steps of each of the two networks.
        batch: patches a step.
        seed: whole number.

    Returns:
        (N,): higher where it sees a defect.

    Raises:
        ValueError: if a half of the images holds no defective or no normal patch.
    """
    halves, scores = _halves(patches), np.zeros(len(patches.labels), dtype=np.float32)
    for half in (0, 1):
        learned = _learned(patches, np.flatnonzero(halves != half), steps, batch, seed)
        judged = np.flatnonzero(halves == half)
        with torch.inference_mode():
            parts = [learned(patches.pixels[rows])[:, 0] for rows in np.array_split(judged, 1 + len(judged) // 512)]
        scores[judged] = torch.cat(parts).numpy()
    return scores


def map_scores(detector: Detector, dataset: AnomalyDataset, patches: Patches) -> np.ndarray:
    """The highest value of a detector's anomaly map in each patch, (N,).

    Args:
        detector: fitted.
        dataset: that the patches were cut from.
        patches: of it.
    """
    scores, of_image, known = [], None, -1
    for i, top, left in patches.places:
        if i != known:
            of_image, known = detector.anomaly_map(dataset[i]["image"][None])[0], i
        scores.append(float(of_image[top : top + patches.side, left : left + patches.side].max()))
    return np.array(scores)


def patch_aurocs(patches: Patches, scores: Sequence[float]) -> dict[str, float]:
    """AUROC of patches: of all defects (``all``), and of each defect type against all normal patches.

    Args:
        patches: of labelled images.
        scores: (N,).

    Example:
        >>> kinds = np.array(["dots", "good", "good"])
        >>> cut = Patches(torch.zeros(3, 1, 8, 8), kinds == "dots", kinds, [])
        >>> patch_aurocs(cut, [0.9, 0.1, 0.2])
        {'all': 1.0, 'dots': 1.0}
    """
    scores, kinds = np.asarray(scores), sorted(set(patches.kinds[patches.labels]))
    found = {"all": float(auroc(patches.labels, scores))}
    for kind in kinds:
        counted = ~patches.labels | (patches.kinds == kind)
        found[str(kind)] = float(auroc(patches.labels[counted], scores[counted]))
    return found


def _halves(patches: Patches) -> np.ndarray:
    """0 or 1 for each patch: images of each defect type are dealt out in turn."""
    kind_of, dealt, half_of = {}, {}, {}
    for (image, *_), kind in zip(patches.places, patches.kinds, strict=True):
        if kind != NORMAL or image not in kind_of:
            kind_of[image] = kind
    for image, kind in kind_of.items():
        half_of[image] = dealt.get(kind, 0) % 2
        dealt[kind] = dealt.get(kind, 0) + 1
    return np.array([half_of[image] for image, *_ in patches.places])


def _learned(patches: Patches, rows: np.ndarray, steps: int, batch: int, seed: int) -> nn.Module:
    """A network that was trained on some of the patches, in evaluation mode."""
    groups = [rows[patches.labels[rows] == label] for label in (False, True)]
    if not all(map(len, groups)):
        raise ValueError(
            f"each half of the images needs defective and normal patches, got {len(groups[1])} and {len(groups[0])}; "
            "take more images"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(patches.pixels.shape[1])
    random, optimiser = generator(seed), torch.optim.AdamW(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(steps):
        drawn = [group[torch.randint(len(group), (batch // 2,), generator=random).numpy()] for group in groups]
        images = patches.pixels[np.concatenate(drawn)]
        flipped = [axis for axis in (2, 3) if torch.rand((), generator=random) < 0.5]
        target = torch.arange(2).repeat_interleave(batch // 2).float()
        loss = nn.functional.binary_cross_entropy_with_logits(network(images.flip(flipped))[:, 0], target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def _network(channels: int) -> nn.Sequential:
    """Three strided convolutions, the highest answer of each channel, and one number."""
    layers = []
    for inputs, outputs in zip((channels, *WIDTHS), WIDTHS, strict=False):
        layers += [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], 1))
