"""What one detector makes of one defective frame: does the map rise at the defect, is it copied, does a mask hold it?

The map is read where it matters, at the defect and in the cloth that surrounds it. A whole frame has hundreds of times
more normal than defective pixels, most of them far away; whether a defect stands out is decided next to it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import ndimage
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.experiments.defect_retention import clean_counterpart, retention
from adkit.metrics import auroc, iou, regions
from adkit.scoring import thresholds

# pixels: what the usual smoothing carries over a defect's rim is left out; the surround beyond it
GAP, WIDTH = 4, 16
# a line is so many times longer than wide; a dot has at most so many pixels
LONG, DOT = 4.0, 200


@dataclass(frozen=True)
class DefectMeasurement:
    """One defective frame, seen by one detector. What cannot be measured is NaN.

    Attributes:
        index: of the frame in its dataset.
        kind: the defect type.
        shape: ``line``, ``dot`` or ``area``, of the largest region.
        pixels: of the mask.
        grey: mean grey level of the defect less that of its surround, in [-1, 1]: positive where it is lighter.
        surround: AUROC of the map's defective pixels against those of the surround; below 0.5 the map is *lower* at the
            defect.
        retention: share of the defect that the network reconstructs, see
            :func:`adkit.experiments.defect_retention.retention`; NaN where the frame has no clean counterpart.
        iou: of the mask above the detector's own pixel threshold with the true one, over the whole frame.
        iou_otsu: of the mask above the frame's own Otsu threshold.
    """

    index: int
    kind: str
    shape: str
    pixels: int
    grey: float
    surround: float
    retention: float
    iou: float
    iou_otsu: float


def measure_defects(
    detector: Detector, dataset: AnomalyDataset, residual: str | None = None
) -> list[DefectMeasurement]:
    """Measure every defective frame that has a mask: one reconstruction each, and one of its clean counterpart.

    Args:
        detector: a fitted detector that reconstructs, and maps by its residual.
        dataset: for example ``splits.test``.
        residual: how image and reconstruction are compared, see :func:`adkit.scoring.anomaly_map`; None: as the
            detector does. The detector's threshold means nothing to another residual: ``iou`` is NaN then.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> measurements = measure_defects(detector, splits.test)
        >>> len(measurements), all(0 <= measurement.surround <= 1 for measurement in measurements)
        (50, True)
    """
    own, sigma = detector.settings["residual"], detector.settings["smoothing"]
    threshold = detector.pixel_threshold if residual in (None, own) else np.nan
    measurements = []
    for i in range(len(dataset)):
        item = dataset[i]
        if item["label"] and item["has_mask"] and item["mask"].any():
            image, clean = item["image"][None], clean_counterpart(dataset.subset([i]).samples[0])
            reconstructed = detector.reconstruct(image if clean is None else torch.cat([image, clean[None]]))
            a_map = scoring.anomaly_map(image, reconstructed[:1], residual or own, sigma)[0] * item["foreground"]
            share = np.nan
            if clean is not None:
                share = retention(item["image"] - clean, reconstructed[0] - reconstructed[1], item["mask"])
            measurements.append(measure_defect(i, item, a_map, share, threshold))
    return measurements


def measure_defect(
    index: int, item: dict[str, Tensor], a_map: Tensor, share: float, threshold: float
) -> DefectMeasurement:
    """What a map shows at the defect of an item of a dataset.

    Args:
        index: of the item.
        item: ``image``, ``mask``, ``foreground`` and ``kind``, as a dataset gives them.
        a_map: (H, W), higher = more anomalous.
        share: of the defect that is reconstructed, or NaN.
        threshold: map value from which on a pixel belongs to the mask; NaN: no mask is judged.
    """
    mask, foreground, a_map = (np.asarray(part) for part in (item["mask"], item["foreground"], a_map))
    grey = np.asarray(item["image"]).mean(axis=0)
    around = surround(mask) & foreground
    otsu = thresholds.otsu(a_map) if np.ptp(a_map) else np.nan
    return DefectMeasurement(
        index=index,
        kind=item["kind"],
        shape=shape_of(mask),
        pixels=int(mask.sum()),
        grey=float(grey[mask].mean() - grey[around].mean()) if around.any() else np.nan,
        surround=surround_auroc(mask, a_map, foreground),
        retention=float(share),
        iou=iou(mask, a_map >= threshold) if np.isfinite(threshold) else np.nan,
        iou_otsu=iou(mask, a_map >= otsu) if np.isfinite(otsu) else np.nan,
    )


def surround(mask: ArrayLike, gap: int = GAP, width: int = WIDTH) -> np.ndarray:
    """The pixels around a defect: further than ``gap`` from it, and at most ``gap + width``.

    Args:
        mask: bool (H, W), with a defect in it.
        gap: pixels next to the defect that are left out, since smoothing mixes them with it.
        width: of the surround in pixels.

    Returns:
        Bool (H, W).

    Raises:
        ValueError: if the mask is empty.

    Example:
        >>> surround([[0, 0, 0, 0, 1]], gap=1, width=2).astype(int)
        array([[0, 1, 1, 0, 0]])
    """
    mask = np.asarray(mask, dtype=bool)
    if not mask.any():
        raise ValueError(
            "the mask is empty: a surround needs a defect to lie around; pass the mask of a defective frame"
        )
    distance = ndimage.distance_transform_edt(~mask)
    return (distance > gap) & (distance <= gap + width)


def surround_auroc(mask: ArrayLike, a_map: ArrayLike, foreground: ArrayLike | None = None) -> float:
    """The chance that a pixel of the defect scores above one of its surround.

    Args:
        mask: bool (H, W), with a defect in it.
        a_map: (H, W), higher = more anomalous.
        foreground: bool (H, W): the pixels that count; None: all of them.

    Returns:
        1 where the whole defect stands out, 0.5 where it cannot be told from the cloth, below that where the map is
        *lower* at the defect; NaN where no pixel of the surround or of the defect counts.

    Raises:
        ValueError: if the mask is empty.

    Example:
        >>> mask = np.zeros((1, 16), bool)
        >>> mask[0, :2] = True
        >>> surround_auroc(mask, 1 - mask), surround_auroc(mask, mask)
        (0.0, 1.0)
    """
    around, mask = surround(mask), np.asarray(mask, dtype=bool)
    if foreground is not None:
        around, mask = around & np.asarray(foreground), mask & np.asarray(foreground)
    if not (around.any() and mask.any()):
        return float("nan")
    counted = mask | around
    return auroc(mask[counted], np.asarray(a_map)[counted])


def shape_of(mask: ArrayLike) -> str:
    """``line``, ``dot`` or ``area``: the shape of the largest region of a mask, by its second moments.

    A line is at least four times as long as wide; a dot is no line and has at most 200 pixels.

    Args:
        mask: bool (H, W), with a defect in it.

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
        raise ValueError(
            "the mask is empty: it has no region whose shape could be told; pass that of a defective frame"
        )
    largest = 1 + int(np.bincount(labels.ravel())[1:].argmax())
    places = np.stack(np.nonzero(labels == largest)).astype(float)
    # a pixel is a square, not a point: it has a variance of its own
    spread = np.cov(places, bias=True) + np.eye(2) / 12
    short, long = np.sqrt(np.linalg.eigvalsh(spread))
    if long >= LONG * short:
        return "line"
    return "dot" if places.shape[1] <= DOT else "area"
