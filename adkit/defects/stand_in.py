"""A test set made of validation normals: what a choice may be made by, while the real test part stays unseen.

Two things make it harder than normal images with the defects of the training. The defect types are others
(:data:`HELD_OUT`), so that a network is not asked for what it was taught. And every image drifts before a defect comes
on it (:class:`adkit.data.drift.Drift`): ten images of one afternoon resemble each other, and a method that only works
for their light and focus would be chosen for that.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.data.drift import Drift
from adkit.data.samples import NORMAL
from adkit.defects.mixture import SyntheticDefects
from adkit.metrics import auroc, pixel_metrics
from adkit.runtime import generator

# types that training may show, and types that only choices are made by
TRAINED = ("mask", "noise", "perlin", "cutpaste")
HELD_OUT = ("line", "missing_yarn", "stain", "blur", "warp", "brightness")
# pixels of all images together, about; at least 3 and at most 20 images of a type
PIXELS = 2**24


@dataclass(frozen=True)
class StandIn:
    """One image of the test set, ready to be judged.

    Attributes:
        image: (1, C, H, W) in [0, 1].
        foreground: bool (1, H, W).
        mask: bool (H, W), where the defect is.
        kind: type of defect, or ``good``.
    """

    image: Tensor
    foreground: Tensor
    mask: np.ndarray
    kind: str


@dataclass(frozen=True)
class StandInMetrics:
    """How well defects were found, in [0, 1].

    Attributes:
        pro: of each type of defect against the normal images, mean over the types.
        ap: pixel average precision, the same mean.
        image_auroc: of all defective against all normal images.
        by_kind: type → (PRO, pixel AP).
    """

    pro: float
    ap: float
    image_auroc: float
    by_kind: dict[str, tuple[float, float]]

    @property
    def quality(self) -> float:
        """What methods are ranked by: the mean of PRO and pixel AP; one finds every defect, the other nothing else."""
        return (self.pro + self.ap) / 2


def stand_ins(
    validation: AnomalyDataset,
    kinds: Sequence[str] = HELD_OUT,
    drift: float = 1.0,
    per_kind: int | None = None,
    seed: int = 0,
) -> list[StandIn]:
    """Validation normals that drift, with one type of defect each, and twice as many without any.

    Args:
        validation: normal images that nothing was trained on.
        kinds: names of defect types.
        drift: strength of the drift, at least 0.
        per_kind: images of each type; None: as many as make :data:`PIXELS`.
        seed: whole number; equal seeds make equal images.

    Raises:
        ValueError: if a type is unknown, or a number is out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> images = stand_ins(load_dataset("textile", image_size=(64, 64)).validation, per_kind=1)
        >>> [image.kind for image in images]
        ['line', 'missing_yarn', 'stain', 'blur', 'warp', 'brightness', 'good', 'good']
    """
    if per_kind is None:
        shown = min(PIXELS // (len(kinds) + 2) // validation[0]["image"][0].numel(), 20)
        per_kind = max(3, shown)
    varied, made = Drift(drift), []
    for number, kind in enumerate([kind for kind in (*kinds, NORMAL, NORMAL) for _ in range(per_kind)]):
        item = validation[number % len(validation)]
        image, foreground = item["image"][None], item["foreground"][None]
        image = varied(image, generator(seed, number, 0))
        mask = torch.zeros_like(foreground)
        if kind != NORMAL:
            defects = SyntheticDefects(defect_types=[kind], clean=0.0)
            image, mask, _ = defects(image, foreground, generator(seed, number, 1))
        made.append(StandIn(image, foreground, mask[0].bool().numpy(), kind))
    return made


def stand_in_metrics(maps: Sequence[np.ndarray], scores: Sequence[float], images: Sequence[StandIn]) -> StandInMetrics:
    """How well the maps and scores of stand-ins tell defects from the rest.

    Args:
        maps: (H, W) of each image.
        scores: of each image.
        images: of :func:`stand_ins`; a type without any defective pixel is left out.

    Raises:
        ValueError: if no image has a defect.
    """
    by_kind = {}
    for kind in dict.fromkeys(image.kind for image in images if image.mask.any()):
        rows = [i for i, image in enumerate(images) if image.kind in (kind, NORMAL)]
        found = pixel_metrics([images[i].mask for i in rows], [maps[i] for i in rows])
        by_kind[kind] = (found.pro, found.ap)
    if not by_kind:
        raise ValueError("no stand-in has a defect; give more validation images, or larger ones")
    pro, ap = (statistics.fmean(values) for values in zip(*by_kind.values(), strict=True))
    return StandInMetrics(pro, ap, auroc([image.kind != NORMAL for image in images], list(scores)), by_kind)
