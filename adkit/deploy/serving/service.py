"""What stands behind the paths of a service: the model of now, the queue, the monitor, and whether it is ready."""

import base64
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adkit.data.uploads import Limits
from adkit.deploy.judges import Judge, Judged, judge_bytes, open_judge, reference_of
from adkit.deploy.monitoring.monitor import Monitor
from adkit.deploy.monitoring.reference import Reference
from adkit.deploy.pictures import coloured, fitted, outline
from adkit.deploy.policies import find_policy
from adkit.deploy.serving.errors import ServiceError
from adkit.deploy.serving.metrics import Metrics
from adkit.deploy.serving.settings import Settings
from adkit.deploy.serving.work import Queue
from adkit.scoring.policy import Policy

STATE_FILE = "monitor_state.json"
# pixels of the picture of a map, and outlines that are drawn
PICTURE, OUTLINES = 500_000, 60
# side of the first image that is judged where the frame of the training is not known
WARM_UP = 64


@dataclass(frozen=True)
class Model:
    """A judge with its policy and its reference: replaced as a whole."""

    judge: Judge
    policy: Policy
    reference: Reference | None
    limits: Limits


class Service:
    """One model, served.

    Args:
        settings: of the service.
        judge: a model that is loaded already; None: loaded from the settings' folder when the service starts.
    """

    def __init__(self, settings: Settings, judge: Judge | None = None):
        self.settings = settings
        self.queue, self.metrics = Queue(settings.queue), Metrics(settings.queue)
        self.given, self.model, self.monitor = judge, None, None
        self.draining, self.failure, self._lock = False, "", threading.Lock()
        # one thread loads every later model: each thread that has run a network keeps megabytes for itself
        self.loader = ThreadPoolExecutor(1, thread_name_prefix="load")

    # -- the model -----------------------------------------------------------------------------------------------------

    def load(self) -> Model:
        """Load the model of the settings' folder and judge one image with it; raises whatever is wrong with it."""
        folder = self.settings.detector
        refuse_links(folder)
        judge = self.given or open_judge(folder, self.settings.device, self.settings.threads)
        if judge.platform == "adkit_torch":
            import torch

            torch.set_num_threads(self.settings.threads)
        described = judge.description
        policy, reference = find_policy(folder, self.settings.policy), reference_of(folder, described)
        model = Model(judge, policy, reference, self.settings.limits(described))
        height, width = judge.description.get("normals", {}).get("size", (WARM_UP, WARM_UP))
        warm_up = np.random.default_rng(0).integers(0, 256, (judge.channels, height, width), dtype=np.uint8)
        if not np.isfinite(judge.judge(warm_up).score):
            raise ValueError("the model gives a score that is no finite number; save the detector again")
        return model

    def take(self, model: Model) -> None:
        """Serve a model from now on."""
        with self._lock:
            self.model = model
            self.metrics.show_model(model.judge.sha256, model.policy)
            if model.reference is not None:
                self.monitor = self._monitor(model)

    def _monitor(self, model: Model) -> Monitor:
        path = self.state_path
        if self.monitor is None and path is not None and path.is_file():
            try:
                return Monitor.load(path)
            except ValueError:  # what a disk has damaged is no reason not to serve
                pass
        return Monitor(model.reference, model.policy.image_threshold, self.settings.window)

    @property
    def state_path(self) -> Path | None:
        """Where the monitor's state is kept."""
        return None if self.settings.state is None else Path(self.settings.state) / STATE_FILE

    def save_state(self) -> None:
        """Write the monitor's state, whole or not at all."""
        if self.monitor is not None and self.state_path is not None:
            with self._lock:
                self.monitor.save(self.state_path)

    def require_ready(self) -> Model:
        """The model; raises a ServiceError while there is none, or no new work is taken."""
        if self.draining:
            raise ServiceError("draining", "the service is stopping", headers={"Retry-After": "30"})
        if self.model is None:
            raise ServiceError("loading", "the model is being loaded", headers={"Retry-After": "5"})
        return self.model

    def close(self) -> None:
        """Finish what has begun, and write the monitor's state."""
        self.queue.close()
        self.loader.shutdown(wait=True, cancel_futures=True)
        self.save_state()

    # -- an image ------------------------------------------------------------------------------------------------------

    def judge(self, data: bytes, model: Model, policy: Policy, as_map: str, outlines: bool) -> dict:
        """Judge the bytes of an image: the answer but for its id and the time that it waited. On the queue's thread.

        Args:
            data: of the file.
            model: that judges.
            policy: where to cut.
            as_map: ``none``, ``png`` or ``npy``.
            outlines: tell the regions' outlines too.
        """
        judged = judge_bytes(data, model.judge, policy, model.reference, model.limits)
        self.metrics.count(judged, policy)
        if self.monitor is not None:
            self._watch(judged)
        answer = answer_of(judged, policy, outlines)
        answer["model"] = {"name": self.settings.name, "sha256": model.judge.sha256}
        if as_map != "none":
            answer["map"] = map_of(judged, policy, as_map)
        return answer

    def _watch(self, judged: Judged) -> None:
        with self._lock:
            score = judged.raw.score
            for alert in self.monitor.add(judged.verdict, score, judged.quality, judged.warnings):
                self.metrics.alerts.labels(alert.kind).inc()
            for test, p_value in self.monitor.p_values.items():
                self.metrics.p_value.labels(test).set(p_value)

    def monitor_state(self) -> dict:
        """The monitor's state; raises a ServiceError where nothing is known about normal images."""
        if self.monitor is None:
            raise ServiceError("not_found", "nothing is known about normal images; adkit monitor --normals makes that")
        with self._lock:
            return self.monitor.state()


def answer_of(judged: Judged, policy: Policy, outlines: bool = False) -> dict:
    """What a client is told of an image."""
    decision, quality = judged.decision, judged.quality
    regions = [{"box": list(one.box), "area": one.area, "peak": one.peak} for one in decision.kept]
    if outlines:
        for row, (top, left, height, width) in zip(
            regions[:OUTLINES], (one.box for one in decision.kept), strict=False
        ):
            row["outline"] = outline(decision.mask[top : top + height, left : left + width], top, left)
    return {
        "verdict": judged.verdict,
        "is_anomalous": decision.is_anomalous,
        "score": decision.score,
        "score_after": decision.score_after,
        "threshold": policy.image_threshold,
        "review": list(policy.review) if policy.review else None,
        "reason": decision.reason,
        "mask_share": float(decision.mask.mean()),
        "regions": regions,
        "suppressed": [
            {"box": list(one.region.box), "area": one.region.area, "peak": one.region.peak, "rule": one.rule}
            | {"value": one.value, "limit": one.limit, "strong": one.strong}
            for one in decision.suppressed
        ],
        "input": {"height": quality.height, "width": quality.width, "channels": quality.channels}
        | {"bits": 8 * judged.pixels.dtype.itemsize, "sha256": judged.sha256, "warnings": list(judged.warnings)},
        "policy": policy.sha256,
        "ms": {name: round(value, 1) for name, value in judged.ms.items()},
    }


def map_of(judged: Judged, policy: Policy, kind: str) -> dict:
    """The anomaly map as base64: ``npy``, float32 and exact, or ``png``, in colours from 0 to twice the threshold."""
    a_map, buffer = judged.raw.anomaly_map, io.BytesIO()
    if kind == "npy":
        np.save(buffer, a_map, allow_pickle=False)
    else:
        fitted(coloured(a_map, 2 * policy.pixel_threshold), PICTURE).save(buffer, "PNG")
    scale = [0.0, 2 * policy.pixel_threshold]
    return {"type": kind, "data": base64.b64encode(buffer.getvalue()).decode(), "scale": scale}


def refuse_links(folder: Path) -> None:
    """Refuse a model folder with a file that lies outside of it; raises a ValueError."""
    inside = folder.resolve()
    for path in folder.iterdir():
        if not path.resolve().is_relative_to(inside):
            raise ValueError(f"{path.name} is a link out of the detector's folder; copy the file into it")
