"""What a result does not tell of its detector: its cost; and more bootstrap samples than its evaluation has.

What judging costs depends on the detector, the images and the device, and on no metric: it is measured once.
"""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from adkit.compare import memory
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.prediction import Predictions
from adkit.detectors.registry import is_own
from adkit.experiments import cache
from adkit.experiments.draws import Draws
from adkit.experiments.evaluation import judge
from adkit.experiments.experiment import Result
from adkit.models import count_parameters
from adkit.runtime import resolve_device
from adkit.runtime.provenance import source_fingerprint


@dataclass(frozen=True)
class Measured:
    """One fitted detector.

    Attributes:
        seconds_per_frame: of judging the test images, as ``evaluate`` does, with data and weights in memory.
        parameters: of its networks; the memory of PatchCore is none of them, and counts in ``saved_bytes``.
        saved_bytes: size of the detector's folder; published weights are named there, not stored.
        peak_bytes: memory of loading it and judging one test image, see :func:`adkit.compare.memory.peak_memory`.
    """

    seconds_per_frame: float
    parameters: int
    saved_bytes: int
    peak_bytes: int | None


def measure(result: Result, test: AnomalyDataset) -> Measured:
    """Measure a stored detector, or fetch what was measured before.

    Args:
        result: of :func:`adkit.run`.
        test: the test part that it was judged on.
    """
    device = resolve_device(result.experiment.settings.get("device", "auto"))
    key = {
        "detector": result.experiment.fit_address(),
        "test": test.fingerprint,
        "sources": source_fingerprint([__name__, memory.__name__]),
        "device": device.type,
    }

    def work(folder: Path) -> dict:
        start = time.perf_counter()
        measured = asdict(_measure(result, test, str(device)))
        return {"measured": measured, "seconds": {"measure": time.perf_counter() - start}}

    return Measured(**cache.cached("measured", key, work).content["measured"])


def _measure(result: Result, test: AnomalyDataset, device: str) -> Measured:
    detector, folder = result.detector(), result.path / "detector"
    module = type(detector).__module__ if is_own(type(detector)) else ""
    judged, seconds = timed_judgement(detector, test)
    return Measured(
        seconds_per_frame=seconds / len(judged.maps),
        parameters=count_parameters(detector),
        saved_bytes=sum(file.stat().st_size for file in folder.iterdir()),
        peak_bytes=memory.peak_memory(folder, tuple(test[0]["image"].shape), device, module),
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


def with_draws(result: Result, test: AnomalyDataset, n: int) -> Result:
    """The same result with n bootstrap samples of its test images: its own, or drawn now where it has fewer.

    Args:
        result: of :func:`adkit.run`.
        test: the test part that it was judged on.
        n: how many samples, at least 2.
    """
    if len(result.draws) >= n:
        return replace(result, draws=result.draws.first(n))

    def work(folder: Path) -> dict:
        start = time.perf_counter()
        _, draws = judge(result.detector(), test, result.evaluation.fpr_limit, bootstrap=n)
        return {"draws": draws.as_dict(), "seconds": {"draw": time.perf_counter() - start}}

    # the address covers images, detector, evaluation, and the sources of all of them
    key = {"result": result.path.name, "draws": n}
    return replace(result, draws=Draws.from_dict(cache.cached("draws", key, work).content["draws"]))
