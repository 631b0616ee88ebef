"""What one detector makes of one defective frame: does the map rise at the defect, is it copied, does a mask hold it?

The map is read where it matters, at the defect and in a ring of cloth around it. A whole frame has hundreds of times
more normal than defective pixels, most of them far away; whether a defect stands out is decided next to it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import ndimage
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset, Textile
from adkit.data.textile.samples import TextileSample
from adkit.detectors.base import Detector
from adkit.metrics import auroc, iou, regions
from adkit.scoring import thresholds

GAP, WIDTH = 4, 16  # pixels: what the usual smoothing carries over the rim is left out; the ring beyond it
LONG, DOT = 4.0, 200  # a line is so many times longer than wide; a dot has at most so many pixels


@dataclass(frozen=True)
class Look:
    """One defective frame, seen by one detector. What cannot be measured is NaN.

    Attributes:
        index: of the frame in its dataset.
        kind: the defect type.
        shape: ``line``, ``dot`` or ``area``, of the largest region.
        pixels: of the mask.
        grey: mean grey level of the defect less that of the ring, in [-1, 1]: positive where it is lighter.
        ring: AUROC of the map's defective pixels against those of the ring; below 0.5 the map is *lower* at the defect.
        let_through: share of the defect that the network reconstructs, as :func:`.defect_retention` has it; NaN
            where the frame has no clean twin.
        iou: of the mask above the detector's own pixel threshold with the true one, over the whole frame.
        iou_otsu: of the mask above the frame's own Otsu threshold.
    """

    index: int
    kind: str
    shape: str
    pixels: int
    grey: float
    ring: float
    let_through: float
    iou: float
    iou_otsu: float


def examine(detector: Detector, dataset: AnomalyDataset, residual: str | None = None) -> list[Look]:
    """Look at every defective frame that has a mask, one reconstruction each, and one of its clean twin.

    Args:
        detector: a fitted detector that reconstructs, and maps by its residual.
        dataset: for example ``splits.test``.
        residual: how image and reconstruction are compared, see :func:`adkit.scoring.anomaly_map`; None: as the
            detector does. The detector's threshold means nothing to another residual: ``iou`` is NaN then.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> looks = examine(detector, splits.test)
        >>> len(looks), all(0 <= look.ring <= 1 for look in looks)
        (50, True)
    """
    own, sigma = detector.settings["residual"], detector.settings["smoothing"]
    threshold = detector.pixel_threshold if residual in (None, own) else np.nan
    looks = []
    for i in range(len(dataset)):
        item = dataset[i]
        if item["label"] and item["has_mask"] and item["mask"].any():
            (sample,), image = dataset.subset([i]).samples, item["image"][None]
            clean = _clean_twin(sample)
            reconstructed = detector.reconstruct(image if clean is None else torch.cat([image, clean]))
            a_map = scoring.anomaly_map(image, reconstructed[:1], residual or own, sigma)[0] * item["foreground"]
            kept = (
                np.nan if clean is None else _slope(image - clean, reconstructed[:1] - reconstructed[1:], item["mask"])
            )
            looks.append(look_at(i, item, a_map, kept, threshold))
    return looks


@lru_cache(maxsize=256)
def _clean_twin(sample: object) -> Tensor | None:
    """A textile frame without its defect, (1, 1, H, W) in [0, 1]; kept, since every detector asks for it."""
    if not isinstance(sample, TextileSample):
        return None
    cloth = Textile(sample.record.fabric, sample.frame, sample.record.seed)
    return torch.from_numpy(cloth.weave(sample.record.index)[0])[None, None] / 255


def _slope(before: Tensor, after: Tensor, mask: Tensor) -> float:
    """Of the change in the output on the change in the input, (1, C, H, W) each, inside the mask."""
    x, y = (change[0].mean(0)[mask] for change in (before, after))
    return float((x * y).sum() / x.square().sum())


def look_at(index: int, item: dict[str, Tensor], a_map: Tensor, kept: float, threshold: float) -> Look:
    """What a map (H, W) shows at the defect of an item of a dataset.

    Args:
        index: of the item.
        item: ``image``, ``mask``, ``foreground`` and ``kind``, as a dataset gives them.
        a_map: (H, W).
        kept: share of the defect that was let through, or NaN.
        threshold: of the mask; NaN: no mask is judged.
    """
    mask, inside, a_map = (np.asarray(part) for part in (item["mask"], item["foreground"], a_map))
    grey = np.asarray(item["image"]).mean(axis=0)
    around = ring(mask) & inside
    masks = {"iou": threshold, "iou_otsu": thresholds.otsu(a_map) if np.ptp(a_map) else np.nan}
    return Look(
        index=index,
        kind=item["kind"],
        shape=shape_of(mask),
        pixels=int(mask.sum()),
        grey=float(grey[mask].mean() - grey[around].mean()) if around.any() else np.nan,
        ring=ring_auroc(mask, a_map, inside),
        let_through=float(kept),
        **{name: iou(mask, a_map >= cut) if np.isfinite(cut) else np.nan for name, cut in masks.items()},
    )


def ring(mask: ArrayLike, gap: int = GAP, width: int = WIDTH) -> np.ndarray:
    """The pixels around a defect: further than ``gap`` from it, and at most ``gap + width``.

    Args:
        mask: bool (H, W), with a defect in it.
        gap: pixels next to the defect that are left out, since smoothing mixes them with it.
        width: of the ring in pixels.

    Returns:
        Bool (H, W).

    Raises:
        ValueError: if the mask is empty.

    Example:
        >>> ring([[0, 0, 0, 0, 1]], gap=1, width=2).astype(int)
        array([[0, 1, 1, 0, 0]])
    """
    mask = np.asarray(mask, dtype=bool)
    if not mask.any():
        raise ValueError("the mask is empty: a ring needs a defect to lie around")
    distance = ndimage.distance_transform_edt(~mask)
    return (distance > gap) & (distance <= gap + width)


def ring_auroc(mask: ArrayLike, a_map: ArrayLike, foreground: ArrayLike | None = None) -> float:
    """The chance that a pixel of the defect scores above one of the ring around it.

    Args:
        mask: bool (H, W), with a defect in it.
        a_map: (H, W), higher = more anomalous.
        foreground: bool (H, W): the pixels that count; None: all of them.

    Returns:
        1 where the whole defect stands out, 0.5 where it cannot be told from the cloth, below that where the map is
        *lower* at the defect; NaN where no pixel of the ring or of the defect counts.

    Raises:
        ValueError: if the mask is empty.

    Example:
        >>> mask = np.zeros((1, 16), bool)
        >>> mask[0, :2] = True
        >>> ring_auroc(mask, 1 - mask), ring_auroc(mask, mask)
        (0.0, 1.0)
    """
    around, mask = ring(mask), np.asarray(mask, dtype=bool)
    if foreground is not None:
        around, mask = around & np.asarray(foreground), mask & np.asarray(foreground)
    if not (around.any() and mask.any()):
        return float("nan")
    counted = mask | around
    return auroc(mask[counted], np.asarray(a_map)[counted])


def shape_of(mask: ArrayLike) -> str:
    """``line``, ``dot`` or ``area``: the shape of the largest region of a mask (H, W), by its second moments.

    A line is at least four times as long as wide; a dot is no line and has at most 200 pixels.

    Raises:
        ValueError: if the mask is empty.

    Example:
        >>> mask = np.zeros((64, 64), bool)
        >>> mask[10:13, 5:50] = True
        >>> shape_of(mask), shape_of(mask.T), shape_of(mask[:, :9])
        ('line', 'line', 'dot')
    """
    labels, count = regions(mask)
    if not count:
        raise ValueError("the mask is empty: it has no region whose shape could be told")
    largest = 1 + int(np.bincount(labels.ravel())[1:].argmax())
    places = np.stack(np.nonzero(labels == largest)).astype(float)
    spread = np.cov(places, bias=True) + np.eye(2) / 12  # a pixel is a square, not a point
    short, long = np.sqrt(np.linalg.eigvalsh(spread))
    if long >= LONG * short:
        return "line"
    return "dot" if places.shape[1] <= DOT else "area"
