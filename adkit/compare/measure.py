"""What an evaluation does not tell of a fitted detector: its cost, and its pixel metrics on drawn test sets.

The drawn sets depend on the images and a seed alone, so they are the same for every method. Each method is measured on
them once; the difference of any two methods on the same images is then a subtraction.
"""

import json
import time
from dataclasses import asdict, dataclass

import numpy as np

from adkit.compare.memory import peak_memory
from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.detectors.base import Detector
from adkit.detectors.prediction import Predictions
from adkit.detectors.registry import is_own
from adkit.experiments.experiment import Result
from adkit.metrics import Interval, auroc, paired_bootstrap
from adkit.metrics.intervals import interval_of
from adkit.metrics.resampling import draw_images, drawn_metrics
from adkit.models import count_parameters
from adkit.runtime import atomic_path, resolve_device
from adkit.runtime.provenance import source_fingerprint

SEED, LEVEL = 0, 0.95  # of the bootstrap
PIXEL = {"pixel_ap": "ap", "pro": "pro"}  # of an Evaluation → of the drawn metrics
FILE = "compare.json"  # beside result.json


@dataclass(frozen=True)
class Measured:
    """One fitted detector.

    Attributes:
        seconds_per_frame: of judging the test images, as ``evaluate`` does, with data and weights in memory.
        parameters: of its networks; the memory of PatchCore is none of them, and counts in ``saved_bytes``.
        saved_bytes: size of the detector's folder; published weights are named there, not stored.
        peak_bytes: memory of loading it and judging one test image, see :func:`adkit.compare.memory.peak_memory`.
        drawn: ``pixel_ap`` and ``pro`` on each of them; empty where no mask is known.
    """

    seconds_per_frame: float
    parameters: int
    saved_bytes: int
    peak_bytes: int | None
    drawn: dict[str, list[float]]


def measure(result: Result, test: AnomalyDataset, n: int) -> Measured:
    """Measure a stored detector, or fetch what was measured before.

    Args:
        result: of :func:`adkit.run`.
        test: the test part that it was judged on.
        n: how many test sets to draw.
    """
    path, device = result.path / FILE, resolve_device(result.experiment.settings.get("device", "auto"))
    key = {"draws": n, "sources": source_fingerprint([__name__]), "device": device.type}
    if path.exists() and (kept := json.loads(path.read_text()))["key"] == key:
        return Measured(**kept["measured"])
    detector = result.detector()
    module = type(detector).__module__ if is_own(type(detector)) else ""
    judged, seconds = timed_judgement(detector, test)
    found = Measured(
        seconds_per_frame=seconds / len(judged.maps),
        parameters=count_parameters(detector),
        saved_bytes=sum(file.stat().st_size for file in (result.path / "detector").iterdir()),
        peak_bytes=peak_memory(result.path / "detector", tuple(test[0]["image"].shape), str(device), module),
        drawn={} if result.evaluation.pro is None else draw(judged, n, result.evaluation.fpr_limit),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"key": key, "measured": asdict(found)}, allow_nan=False) + "\n")
    return found


def timed_judgement(detector: Detector, test: AnomalyDataset) -> tuple[Predictions, float]:
    """Every test image judged, and the seconds that took after a warm-up."""
    for i in range(len(test)):
        item = test[i]  # from now on in memory
    detector.anomaly_map(item["image"][None])
    start = time.perf_counter()
    judged = detector.predict_dataset(test)
    return judged, time.perf_counter() - start


def draw(judged: Predictions, n: int, fpr_limit: float) -> dict[str, list[float]]:
    """Pixel metrics on ``n`` test sets drawn from the images whose truth is known."""
    known = [i for i, mask in enumerate(judged.masks) if mask is not None]
    masks, maps = [judged.masks[i] for i in known], [judged.maps[i] for i in known]
    drawn = drawn_metrics(masks, maps, draw_images(masks, n, SEED), fpr_limit)
    return {name: drawn[short].tolist() for name, short in PIXEL.items()}


def differences(a: Result, b: Result, drawn_a: dict, drawn_b: dict, n: int) -> dict[str, Interval]:
    """Intervals of a - b on the same images: ``image_auroc``, and ``pixel_ap`` and ``pro`` where both were drawn."""
    found = {}
    if a.evaluation.image_auroc is not None:
        labels = [row["kind"] != NORMAL for row in a.evaluation.images]
        scores = [[row["score"] for row in each.evaluation.images] for each in (a, b)]
        found["image_auroc"] = paired_bootstrap(auroc, labels, *scores, n=n, seed=SEED, level=LEVEL)
    for name in drawn_a.keys() & drawn_b.keys():
        value = a.evaluation[name] - b.evaluation[name]
        found[name] = interval_of(value, np.subtract(drawn_a[name], drawn_b[name]), LEVEL)
    return {name: found[name] for name in ("image_auroc", *PIXEL) if name in found}
