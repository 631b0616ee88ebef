"""Judge a detector on a test set: image by image, defect type by defect type, and by the size of the defects.

Maps are brought to the size of each original mask, never a mask to the size of a map: a mask that shrinks loses its
smallest defects, and with them the hardest part of the test.
"""

from dataclasses import asdict, dataclass, field, fields

import numpy as np

from adkit import metrics
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector

TILE = 256  # pixels; strips at least two tiles long are also judged tile by tile


@dataclass(frozen=True)
class Evaluation:
    """What a detector is worth on one test set. A value that cannot be computed is None, and ``notes`` says why.

    Attributes:
        image_auroc, image_ap: does the image score part defective from normal images?
        tile_auroc: the same for tiles of 256 pixels of long strips; None for smaller images.
        f1_at_threshold, false_positive_rate, recall: of the decisions at the detector's own threshold.
        f1_oracle: the best F1 of any threshold; nobody can reach it without the test labels.
        pixel_auroc, pixel_ap, pro: does the map find the defective pixels, and each defective region?
        pixel_f1_oracle, iou_at_threshold: of the masks, at the best and at the detector's own pixel threshold.
        by_kind: defect type → ``image_auroc``, ``pixel_auroc``, ``pixel_ap``, ``pro``, ``recall``, ``n``.
        by_size: terciles of region area → ``pro``, ``n_regions``, ``low``, ``high`` (pixels).
        intervals: name → (low, high), 95 % bootstrap over images.
        images: one dict an image: ``path``, ``kind``, ``score``, ``flagged``.
        notes: name → reason.
    """

    image_auroc: float | None = None
    image_ap: float | None = None
    tile_auroc: float | None = None
    f1_at_threshold: float | None = None
    false_positive_rate: float | None = None
    recall: float | None = None
    f1_oracle: float | None = None
    pixel_auroc: float | None = None
    pixel_ap: float | None = None
    pro: float | None = None
    pixel_f1_oracle: float | None = None
    iou_at_threshold: float | None = None
    threshold: float | None = None
    fpr_limit: float = 0.3
    by_kind: dict[str, dict] = field(default_factory=dict)
    by_size: list[dict] = field(default_factory=list)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    images: list[dict] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str):
        return getattr(self, name)

    def as_dict(self) -> dict:
        """Plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict) -> "Evaluation":
        """The inverse of :meth:`as_dict`, also after a trip through JSON."""
        known = {f.name for f in fields(cls)}
        intervals = {name: tuple(pair) for name, pair in stored.get("intervals", {}).items()}
        return cls(**{name: value for name, value in stored.items() if name in known} | {"intervals": intervals})


@dataclass(frozen=True)
class Judged:
    """Every original image of a test set with its map, its score and its truth."""

    maps: list[np.ndarray]  # (H, W) at the size of the original mask
    masks: list[np.ndarray | None]  # (H, W) bool; None where the truth is not known
    scores: np.ndarray  # (N,)
    labels: np.ndarray  # (N,)
    kinds: list[str]
    paths: list[str]


def judge(detector: Detector, dataset: AnomalyDataset) -> Judged:
    """Maps and scores of every original image: tiles stitched, maps at the size of the original masks.

    Args:
        detector: a fitted detector.
        dataset: for example ``splits.test``.
    """
    maps, scores = detector.judge_images(dataset)
    first = [group[0] for group in dataset.groups()]
    return Judged(
        maps=maps,
        masks=[dataset.original_mask(i) for i in first],
        scores=scores,
        labels=dataset.labels[first],
        kinds=[dataset.kinds[i] for i in first],
        paths=[dataset.paths[i] for i in first],
    )


def evaluate(
    detector: Detector, dataset: AnomalyDataset, fpr_limit: float = 0.3, bootstrap: int = 1000, seed: int = 0
) -> Evaluation:
    """Judge a fitted detector on a test set.

    Args:
        detector: any :class:`adkit.detectors.base.Detector`.
        dataset: for example ``splits.test``; images labelled anomalous without a mask count for image metrics only.
        fpr_limit: of PRO.
        bootstrap: resamples of the images for the intervals; 0 leaves them out.
        seed: of the bootstrap.

    Raises:
        RuntimeError: if the detector was not fitted.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> sorted(evaluate(detector, splits.test, bootstrap=0).by_kind)
        ['bright', 'brightness', 'dark', 'dots', 'texture']
    """
    judged = judge(detector, dataset)
    images, image_kinds = image_level(judged, detector.threshold, bootstrap, seed)
    pixels, pixel_kinds = pixel_level(judged, detector.pixel_threshold, fpr_limit, bootstrap, seed)
    return Evaluation(
        **{name: images.get(name, pixels.get(name)) for name in VALUES},
        fpr_limit=fpr_limit,
        threshold=detector.threshold,
        by_kind={kind: row | pixel_kinds.get(kind, {}) for kind, row in image_kinds.items()},
        by_size=pixels.get("by_size", []),
        intervals=images["intervals"] | pixels["intervals"],
        images=images["images"],
        notes=images["notes"] | pixels["notes"],
    )


VALUES = [f.name for f in fields(Evaluation) if f.default is None and f.name != "threshold"]


def image_level(judged: Judged, threshold: float, bootstrap: int, seed: int) -> tuple[dict, dict[str, dict]]:
    """What the image scores and the decisions are worth, over all and for each defect type."""
    labels, scores, kinds = judged.labels, judged.scores, np.array(judged.kinds)
    flagged = scores > threshold
    table = [
        {"path": path, "kind": str(kind), "score": float(score), "flagged": bool(flag)}
        for path, kind, score, flag in zip(judged.paths, kinds, scores, flagged, strict=True)
    ]
    found = {"images": table, "intervals": {}, "notes": {}}
    if (labels == 0).any():
        found["false_positive_rate"] = float(flagged[labels == 0].mean())
    if (labels == 1).any():
        found |= {"recall": float(flagged[labels == 1].mean()), "f1_at_threshold": metrics.f1(labels, flagged)}
    rows = {str(kind): {"n": int((kinds == kind).sum()), "recall": float(flagged[kinds == kind].mean())}
            for kind in dict.fromkeys(kinds[labels == 1])}  # fmt: skip
    if len(set(labels)) < 2:
        missing = "defective" if not labels.any() else "normal"
        found["notes"]["image metrics"] = f"the test part holds no {missing} image, so nothing can be ranked"
        return found, rows
    overall = metrics.image_metrics(labels, scores)
    found |= {"image_auroc": overall.auroc, "image_ap": overall.ap, "f1_oracle": overall.f1_max}
    found["tile_auroc"], note = tile_level(judged)
    found["notes"] |= note
    for kind, each in metrics.image_metrics_by_kind(list(np.where(labels == 0, "good", kinds)), scores).items():
        rows[kind]["image_auroc"] = each.auroc
    if bootstrap:
        interval = metrics.bootstrap(metrics.auroc, labels, scores, n=bootstrap, seed=seed)
        found["intervals"]["image_auroc"] = (interval.low, interval.high)
    return found, rows


def tile_level(judged: Judged) -> tuple[float | None, dict[str, str]]:
    """AUROC of 256-pixel tiles of long strips, each scored by its maximum; off-fabric tiles (all 0) are left out."""
    if min(max(m.shape) for m in judged.maps) < 2 * TILE or any(mask is None for mask in judged.masks):
        return None, {}
    labels, scores = [], []
    for one, mask in zip(judged.maps, judged.masks, strict=True):
        for top, left in np.ndindex(-(-one.shape[0] // TILE), -(-one.shape[1] // TILE)):
            window = np.s_[top * TILE : (top + 1) * TILE, left * TILE : (left + 1) * TILE]
            if one[window].any() or mask[window].any():
                labels.append(bool(mask[window].any()))
                scores.append(float(one[window].max()))
    return metrics.auroc(labels, scores), {}


def pixel_level(
    judged: Judged, pixel_threshold: float, fpr_limit: float, bootstrap: int, seed: int
) -> tuple[dict, dict[str, dict]]:
    """What the maps are worth, over all, for each defect type and for each size of defect."""
    known = [i for i, mask in enumerate(judged.masks) if mask is not None]
    masks, maps = [judged.masks[i] for i in known], [judged.maps[i] for i in known]
    found = {"intervals": {}, "notes": {}}
    if left_out := len(judged.masks) - len(known):
        found["notes"]["masks"] = f"{left_out} anomalous images have no mask and count for image metrics only"
    if not any(mask.any() for mask in masks):
        found["notes"]["pixel metrics"] = "no image of the test part has a mask with a defect in it"
        return found, {}
    overall = metrics.pixel_metrics(masks, maps, fpr_limit)
    found |= {
        "pixel_auroc": overall.auroc,
        "pixel_ap": overall.ap,
        "pro": overall.pro,
        "pixel_f1_oracle": overall.f1_max,
    }
    found["iou_at_threshold"] = metrics.iou(masks, [one > pixel_threshold for one in maps])
    found["by_size"] = [asdict(group) for group in metrics.pro_by_size(masks, maps, fpr_limit=fpr_limit)]
    found["by_size"][-1]["high"] = None  # no upper end; JSON has no infinity
    kinds = ["good" if judged.labels[i] == 0 else judged.kinds[i] for i in known]
    by_kind = {
        kind: {"pixel_auroc": each.auroc, "pixel_ap": each.ap, "pro": each.pro}
        for kind, each in metrics.pixel_metrics_by_kind(masks, maps, kinds, fpr_limit=fpr_limit).items()
    }
    if bootstrap:
        for name, interval in metrics.pixel_bootstrap(masks, maps, n=bootstrap, seed=seed, fpr_limit=fpr_limit).items():
            name = name if name == "pro" else f"pixel_{name}"
            found["intervals"][name] = (interval.low, interval.high)
    return found, by_kind
