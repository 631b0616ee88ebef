"""Judge a detector on a test set: image by image, defect type by defect type, and by the size of the defects.

Maps are brought to the size of each original mask, never a mask to the size of a map: a mask that shrinks loses its
smallest defects, and with them the hardest part of the test.
"""

import math
import statistics
from dataclasses import asdict, replace

import numpy as np

from adkit import metrics
from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.detectors.arguments import check_dataset, check_detector
from adkit.detectors.base import Detector
from adkit.detectors.prediction import Predictions
from adkit.experiments.arguments import check_judging
from adkit.experiments.draws import Draws, draw, kind_intervals
from adkit.experiments.evaluated import Evaluation as Evaluation
from adkit.experiments.streamed import StreamedPixels

# bytes of the maps of a test set; of a larger one they lie on disk, and pixel metrics are streamed, to about 1e-5
MAP_LIMIT = 2**29
TILE = 256  # pixels; strips at least two tiles long are also judged tile by tile


def evaluate(
    detector: Detector, dataset: AnomalyDataset, fpr_limit: float = 0.3, bootstrap: int = 1000, seed: int = 0
) -> Evaluation:
    """Judge a fitted detector on a test set.

    Maps of more than 512 MiB in all (``MAP_LIMIT``) lie on disk while they are counted, and pixel metrics are those of
    fine bins of score; the maps of a smaller set are kept, and the metrics exact.

    Args:
        detector: any :class:`adkit.detectors.base.Detector`.
        dataset: for example ``splits.test``; images labelled anomalous without a mask count for image metrics only.
        fpr_limit: false positive rate, in (0, 1], up to which PRO is integrated.
        bootstrap: how many bootstrap samples of the images the intervals come from; 0 leaves intervals out.
        seed: whole number; another one draws other bootstrap samples.

    Raises:
        RuntimeError: if the detector was not fitted.
        TypeError: if one of them is something else; the error says what to pass.
        ValueError: if ``fpr_limit`` lies outside (0, 1].

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> sorted(evaluate(detector, splits.test, bootstrap=0).by_kind)
        ['bright', 'brightness', 'dark', 'dots', 'texture']
    """
    check_detector(detector, Detector)
    check_dataset(dataset, "dataset")
    return judge(detector, dataset, fpr_limit, bootstrap, seed)[0]


def judge(
    detector: Detector, dataset: AnomalyDataset, fpr_limit: float = 0.3, bootstrap: int = 1000, seed: int = 0
) -> tuple[Evaluation, Draws]:
    """As :func:`evaluate`, with the draws that the intervals come from: those of several seeds make one interval.

    Args:
        detector: as of ``evaluate``.
        dataset: as of ``evaluate``.
        fpr_limit: as of ``evaluate``.
        bootstrap: as of ``evaluate``; 0: no draws.
        seed: as of ``evaluate``; equal seeds and datasets draw the same images for every detector.
    """
    check_judging(fpr_limit, bootstrap, seed)
    streams = map_bytes(dataset) > MAP_LIMIT
    judged = detector.predict_streamed(dataset) if streams else detector.predict_dataset(dataset)
    thresholds = detector.threshold, detector.pixel_threshold
    return judge_predictions(judged, *thresholds, fpr_limit, bootstrap, seed, streams)


def map_bytes(dataset: AnomalyDataset) -> int:
    """Bytes that the maps of a dataset take, at the size of its files.

    Args:
        dataset: whose images count, not their tiles.
    """
    return 4 * sum(math.prod(dataset.original_size(group[0])) for group in dataset.groups())


def judge_predictions(
    judged: Predictions, threshold: float, pixel_threshold: float, fpr_limit: float = 0.3, bootstrap: int = 1000,
    seed: int = 0, streams: bool = False,
) -> tuple[Evaluation, Draws]:  # fmt: skip
    """As :func:`judge`, of maps and scores that are there already.

    Args:
        judged: maps, scores and truth of every image.
        threshold: image score from which on an image is called anomalous.
        pixel_threshold: value of a map from which on a pixel is called anomalous.
        fpr_limit: as of ``evaluate``.
        bootstrap: as of ``judge``.
        seed: as of ``judge``.
        streams: look at one map after another, and keep none.
    """
    image_values, by_kind, image_notes = image_level(judged, threshold)
    streamed = StreamedPixels(judged, pixel_threshold, fpr_limit) if streams else None
    of_pixels = streamed.level() if streamed else pixel_level(judged, pixel_threshold, fpr_limit)
    pixel_values, pixels_by_kind, pixel_notes = of_pixels
    unknown = dict.fromkeys(("n_regions", "image_auroc", "pixel_auroc", "pixel_ap", "pro"))
    by_kind = {kind: unknown | row | pixels_by_kind.get(kind, {}) for kind, row in by_kind.items()}
    known = [row["pro"] for row in by_kind.values() if row["pro"] is not None]
    found = Evaluation(
        **image_values,
        **pixel_values,
        pro_macro=statistics.fmean(known) if known else None,
        threshold=threshold,
        fpr_limit=fpr_limit,
        by_kind=by_kind,
        notes=image_notes | pixel_notes,
    )
    if not bootstrap:
        return found, Draws()
    draws = draw(judged, found, bootstrap, seed, streamed and streamed.table())
    intervals = {name: (i.low, i.high) for name in draws.overall if (i := draws.interval(found[name], name))}
    by_kind = {kind: row | {"intervals": kind_intervals(draws, kind, row)} for kind, row in by_kind.items()}
    return replace(found, intervals=intervals, by_kind=by_kind), draws


def image_level(judged: Predictions, threshold: float) -> tuple[dict, dict, dict]:
    """What image scores and decisions are worth.

    Args:
        judged: maps, scores and truth of every image.
        threshold: image score from which on an image is called anomalous.

    Returns:
        Fields of :class:`Evaluation`; the same by defect type; notes by name.
    """
    labels, scores, kinds = judged.labels, judged.scores, np.array(judged.kinds)
    flagged = scores >= threshold
    values = {
        "images": [
            {"path": path, "kind": kind, "score": float(score), "flagged": bool(flag)}
            for path, kind, score, flag in zip(judged.paths, judged.kinds, scores, flagged, strict=True)
        ]
    }
    if (labels == 0).any():
        values["false_positive_rate"] = float(flagged[labels == 0].mean())
    if (labels == 1).any():
        values |= {"recall": float(flagged[labels == 1].mean()), "f1_at_threshold": metrics.f1(labels, flagged)}
    by_kind = {
        str(kind): {"n": int((kinds == kind).sum()), "recall": float(flagged[kinds == kind].mean())}
        for kind in dict.fromkeys(kinds[labels == 1])
    }
    if labels.all() or not labels.any():
        missing = "normal" if labels.all() else "defective"
        note = f"the test part holds no {missing} image, so nothing can be ranked"
        return values, by_kind, {"image metrics": note}
    overall = metrics.image_metrics(labels, scores)
    values |= {"image_auroc": overall.auroc, "image_ap": overall.ap, "f1_oracle": overall.f1_max}
    values["tile_auroc"] = tile_level(judged)
    for kind, each in metrics.image_metrics_by_kind(judged.kinds, scores, normal=NORMAL).items():
        by_kind[kind]["image_auroc"] = each.auroc
    return values, by_kind, {}


def tile_level(judged: Predictions) -> float | None:
    """AUROC of 256-pixel tiles of long strips, each scored by its maximum; off-fabric tiles (all 0) are left out."""
    if min(max(one.shape) for one in judged.maps) < 2 * TILE or any(mask is None for mask in judged.masks):
        return None
    labels, scores = [], []
    for one, mask in zip(judged.maps, judged.masks, strict=True):
        for top, left in np.ndindex(-(-one.shape[0] // TILE), -(-one.shape[1] // TILE)):
            window = np.s_[top * TILE : (top + 1) * TILE, left * TILE : (left + 1) * TILE]
            if one[window].any() or mask[window].any():
                labels.append(bool(mask[window].any()))
                scores.append(float(one[window].max()))
    return metrics.auroc(labels, scores) if len(set(labels)) == 2 else None


def pixel_level(judged: Predictions, pixel_threshold: float, fpr_limit: float) -> tuple[dict, dict, dict]:
    """What the maps are worth.

    Args:
        judged: maps, scores and truth of every image.
        pixel_threshold: value of a map from which on a pixel is called anomalous.
        fpr_limit: false positive rate, in (0, 1], up to which PRO is integrated.

    Returns:
        As :func:`image_level`.
    """
    known = [i for i, mask in enumerate(judged.masks) if mask is not None]
    masks, maps, kinds = ([part[i] for i in known] for part in (judged.masks, judged.maps, judged.kinds))
    notes = {}
    if left_out := len(judged.masks) - len(known):
        notes["masks"] = f"{left_out} anomalous image(s) have no mask and count for image metrics only"
    marked = {kind for kind, mask in zip(kinds, masks, strict=True) if mask.any()}
    if not marked:
        return {}, {}, notes | {"pixel metrics": "no image of the test part has a mask with a defect in it"}
    overall = metrics.pixel_metrics(masks, maps, fpr_limit)
    values = {
        "pixel_auroc": overall.auroc,
        "pixel_ap": overall.ap,
        "pro": overall.pro,
        "pixel_f1_oracle": overall.f1_max,
        "iou_at_threshold": metrics.iou(masks, [one >= pixel_threshold for one in maps]),
        "by_size": [asdict(group) for group in metrics.pro_by_size(masks, maps, fpr_limit=fpr_limit)],
    }
    values["by_size"][-1]["high"] = None  # no upper end; JSON has no infinity
    rows = [i for i, kind in enumerate(kinds) if kind in marked | {NORMAL}]
    chosen = ([part[i] for i in rows] for part in (masks, maps, kinds))
    by_kind = {
        kind: {"n_regions": each.n_regions, "pixel_auroc": each.auroc, "pixel_ap": each.ap, "pro": each.pro}
        for kind, each in metrics.pixel_metrics_by_kind(*chosen, normal=NORMAL, fpr_limit=fpr_limit).items()
    }
    return values, by_kind, notes
