"""What an evaluation does not tell of a fitted detector: its cost, and its pixel metrics on bootstrap samples.

The samples depend on the images and a seed alone, so they are the same for every method. Each method is measured on
them once; the difference of any two methods on the same images is then a subtraction.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from adkit.compare import memory
from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.detectors.base import Detector
from adkit.detectors.prediction import Predictions
from adkit.detectors.registry import is_own
from adkit.experiments import cache
from adkit.experiments.experiment import Result
from adkit.metrics import Interval, auroc, paired_bootstrap
from adkit.metrics.intervals import interval_of
from adkit.metrics.resampling import bootstrap_counts, resampled_metrics
from adkit.models import count_parameters
from adkit.runtime import resolve_device
from adkit.runtime.provenance import source_fingerprint

SEED, LEVEL = 0, 0.95  # of the bootstrap
PIXEL = {"pixel_ap": "ap", "pro": "pro"}  # name in an Evaluation → in the metrics of resampled sets


@dataclass(frozen=True)
class Measured:
    """One fitted detector.

    Attributes:
        seconds_per_frame: of judging the test images, as ``evaluate`` does, with data and weights in memory.
        parameters: of its networks; the memory of PatchCore is none of them, and counts in ``saved_bytes``.
        saved_bytes: size of the detector's folder; published weights are named there, not stored.
        peak_bytes: memory of loading it and judging one test image, see :func:`adkit.compare.memory.peak_memory`.
        resampled: ``pixel_ap`` and ``pro`` on each bootstrap sample of the test images; empty where no mask is known.
    """

    seconds_per_frame: float
    parameters: int
    saved_bytes: int
    peak_bytes: int | None
    resampled: dict[str, list[float]]


def measure(result: Result, test: AnomalyDataset, n: int) -> Measured:
    """Measure a stored detector, or fetch what was measured before.

    Args:
        result: of :func:`adkit.run`.
        test: the test part that it was judged on.
        n: number of bootstrap samples of the test images, at least 2.
    """
    device = resolve_device(result.experiment.settings.get("device", "auto"))
    key = {
        # the address covers images, detector, evaluation, and the sources of all of them
        "result": result.path.name,
        "draws": n,
        "sources": source_fingerprint([__name__, memory.__name__]),
        "device": device.type,
    }

    def work(folder: Path) -> dict:
        start = time.perf_counter()
        measured = asdict(_measure(result, test, n, str(device)))
        return {"measured": measured, "seconds": {"measure": time.perf_counter() - start}}

    return Measured(**cache.cached("measured", key, work).content["measured"])


def _measure(result: Result, test: AnomalyDataset, n: int, device: str) -> Measured:
    detector, folder = result.detector(), result.path / "detector"
    module = type(detector).__module__ if is_own(type(detector)) else ""
    judged, seconds = timed_judgement(detector, test)
    return Measured(
        seconds_per_frame=seconds / len(judged.maps),
        parameters=count_parameters(detector),
        saved_bytes=sum(file.stat().st_size for file in folder.iterdir()),
        peak_bytes=memory.peak_memory(folder, tuple(test[0]["image"].shape), device, module),
        resampled={} if result.evaluation.pro is None else resample(judged, n, result.evaluation.fpr_limit),
    )


def timed_judgement(detector: Detector, test: AnomalyDataset) -> tuple[Predictions, float]:
    """Every test image judged, and the seconds that took after a warm-up.

    Args:
        detector: a fitted detector.
        test: the images to judge; they are decoded before the clock starts.
    """
    for i in range(len(test)):
        item = test[i]  # from now on in memory
    detector.anomaly_map(item["image"][None])
    start = time.perf_counter()
    judged = detector.predict_dataset(test)
    return judged, time.perf_counter() - start


def resample(judged: Predictions, n: int, fpr_limit: float) -> dict[str, list[float]]:
    """``pixel_ap`` and ``pro`` on bootstrap samples of the images whose truth is known.

    Args:
        judged: maps and masks of every test image.
        n: how many samples, at least 2.
        fpr_limit: false positive rate, in (0, 1], up to which PRO is integrated.
    """
    known = [i for i, mask in enumerate(judged.masks) if mask is not None]
    masks, maps = [judged.masks[i] for i in known], [judged.maps[i] for i in known]
    values = resampled_metrics(masks, maps, bootstrap_counts(masks, n, SEED), fpr_limit)
    return {name: values[short].tolist() for name, short in PIXEL.items()}


def differences(a: Result, b: Result, resampled_a: dict, resampled_b: dict, n: int) -> dict[str, Interval]:
    """Intervals of a - b on the same images: ``image_auroc``, and ``pixel_ap`` and ``pro`` where both were resampled.

    Args:
        a: result of one method.
        b: result of the other one, on the same test part.
        resampled_a: ``Measured.resampled`` of a, empty where it is missing.
        resampled_b: the same of b.
        n: number of bootstrap samples for the image AUROC.
    """
    intervals = {}
    if a.evaluation.image_auroc is not None:
        labels = [row["kind"] != NORMAL for row in a.evaluation.images]
        scores = [[row["score"] for row in result.evaluation.images] for result in (a, b)]
        intervals["image_auroc"] = paired_bootstrap(auroc, labels, *scores, n=n, seed=SEED, level=LEVEL)
    for name in PIXEL:
        if name in resampled_a and name in resampled_b:
            value = a.evaluation[name] - b.evaluation[name]
            intervals[name] = interval_of(value, np.subtract(resampled_a[name], resampled_b[name]), LEVEL)
    return intervals
