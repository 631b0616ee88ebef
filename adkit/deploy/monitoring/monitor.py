"""A watch over verdicts and images as they come: drift of the scores, rate of alarms, and what the camera sees."""

import json
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from adkit.deploy.monitoring.drift import alarm_p_value, drift_p_value, least_alarms
from adkit.deploy.monitoring.quality import FAULTS, Quality
from adkit.deploy.monitoring.reference import Reference
from adkit.runtime.serialization import write_json

# rows and alerts that are kept
KEPT, ALERTS = 5000, 200
# so many equal images in a row are a frozen camera
FROZEN = 3
# so many unusual images among the last ones are an alert
UNUSUAL, AMONG = 5, 20
# tests of a window: scores of all images, scores of those not flagged, brightness, sharpness, alarm rate
TESTS = 5


@dataclass(frozen=True)
class Alert:
    """Something that a person should know.

    Attributes:
        kind: ``score_drift``, ``alarm_rate``, ``brightness``, ``sharpness``, or ``input_`` and a warning.
        text: what was measured, on how many images, beside how many normal ones.
        at: number of the image at which it was raised, from 1 on.
        p_value: of a test; None where it is none.
    """

    kind: str
    text: str
    at: int
    p_value: float | None = None


class Monitor:
    """Compares what comes with normal images, window by window; windows do not overlap.

    Args:
        reference: normal images.
        threshold: from which on an image is flagged.
        window: images of a window, at least 20.
        alpha: chance of a false alarm in a window, over all its tests, in (0, 1).

    Raises:
        ValueError: if the window or ``alpha`` is out of its range.

    Example:
        >>> monitor = Monitor(Reference(scores=range(40)), threshold=38, window=20)
        >>> alerts = [alert for i in range(20) for alert in monitor.add("anomalous", 99.0)]
        >>> [alert.kind for alert in alerts]
        ['score_drift', 'alarm_rate']
    """

    def __init__(self, reference: Reference, threshold: float, window: int = 200, alpha: float = 1e-3):
        if window < 20:
            raise ValueError(f"window must be at least 20 images, got {window}; fewer say nothing about a rate")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
        self.reference, self.threshold, self.window, self.alpha = reference, float(threshold), window, alpha
        self.rows: deque[tuple] = deque(maxlen=KEPT)  # (score, flagged, mean, sharpness)
        self.alerts: deque[Alert] = deque(maxlen=ALERTS)
        self.seen, self.judged, self.windows = 0, 0, 0
        self.verdicts: Counter = Counter()
        self.warnings: Counter = Counter()
        self.p_values: dict[str, float] = {}
        self._unusual: deque[tuple[str, ...]] = deque(maxlen=AMONG)
        self._last, self._same = "", 0

    def add(
        self, verdict: str, score: float, quality: Quality | None = None, warnings: Sequence[str] = ()
    ) -> list[Alert]:
        """Take in one image.

        Args:
            verdict: ``normal``, ``anomalous``, ``review`` or ``fault``; a fault says nothing about the process.
            score: of the image.
            quality: of the image; None: not looked at.
            warnings: of the image, see :meth:`adkit.deploy.monitoring.reference.Reference.warnings`.

        Returns:
            New alerts; mostly none.
        """
        self.seen += 1
        self.verdicts[verdict] += 1
        found = self._look_at(quality, tuple(warnings))
        if verdict != "fault":
            self.judged += 1
            seen = (quality.mean, quality.sharpness) if quality else (None, None)
            self.rows.append((float(score), score >= self.threshold, *seen))
            if self.judged % self.window == 0:
                found += self._test_window()
        self.alerts += found
        return found

    def _look_at(self, quality: Quality | None, warnings: tuple[str, ...]) -> list[Alert]:
        if quality is not None:
            self._same = self._same + 1 if quality.sha256 == self._last else 1
            self._last = quality.sha256
            warnings += ("frozen",) * (self._same >= FROZEN)
        self.warnings.update(warnings)
        self._unusual.append(warnings)
        alerts = []
        for kind in dict.fromkeys(warnings):
            count = sum(kind in one for one in self._unusual)
            at_once = kind in FAULTS or kind == "frozen"
            # once when it begins, not with every image
            if (at_once and count == 1) or (not at_once and count == UNUSUAL):
                text = f"{count} of the last {len(self._unusual)} images: {kind}"
                alerts.append(Alert(f"input_{kind}", text, self.seen))
        return alerts

    def _test_window(self) -> list[Alert]:
        self.windows += 1
        rows, reference = list(self.rows)[-self.window :], self.reference
        scores, flagged = [row[0] for row in rows], sum(row[1] for row in rows)
        p_values = {
            "score_drift": drift_p_value(reference.scores, scores),
            "alarm_rate": alarm_p_value(reference.scores, self.threshold, flagged, len(rows)),
        }
        calm = [row[0] for row in rows if not row[1]]
        calm_reference = [score for score in reference.scores if score < self.threshold]
        if calm and calm_reference:
            p_values["calm_score_drift"] = drift_p_value(calm_reference, calm)
        for kind, known, column in (("brightness", reference.mean, 2), ("sharpness", reference.sharpness, 3)):
            values = [row[column] for row in rows if row[column] is not None]
            if known and values:
                p_values[kind] = drift_p_value(known, values)
        self.p_values = p_values
        beside = f"{len(rows)} images beside {len(reference.scores)} normal ones"
        alerts = []
        for kind, p_value in p_values.items():
            if p_value >= self.alpha / TESTS or (kind == "calm_score_drift" and alerts):
                continue
            text = f"{kind.replace('_', ' ')}: p = {p_value:.2g}, {beside}"
            if kind == "alarm_rate":
                text = f"{flagged} of {len(rows)} images are flagged: {text}"
            alerts.append(Alert(kind.removeprefix("calm_"), text, self.seen, p_value))
        return alerts

    @property
    def blind_below(self) -> float:
        """The rate of alarms below which a window says nothing: what a reference of this size cannot see."""
        return least_alarms(self.reference.scores, self.threshold, self.window, self.alpha / TESTS) / self.window

    # -- on disk -------------------------------------------------------------------------------------------------------

    def state(self) -> dict:
        """What is known so far, as plain data."""
        return {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "seen": self.seen,
            "windows": self.windows,
            "window": self.window,
            "alpha": self.alpha,
            "threshold": self.threshold,
            "verdicts": dict(self.verdicts),
            "warnings": dict(self.warnings),
            "p_values": self.p_values,
            "alerts": [asdict(alert) for alert in self.alerts],
            "reference_images": len(self.reference.scores),
            "alarm_rate_seen_from": self.blind_below,
        }

    def save(self, path: str | Path) -> None:
        """Write the state and the rows, whole or not at all."""
        resume = {
            "rows": [list(row) for row in self.rows], "judged": self.judged, "last": self._last, "same": self._same,
            "unusual": [list(one) for one in self._unusual],
        }  # fmt: skip
        write_json(path, self.state() | {"resume": resume, "reference": asdict(self.reference)})

    @classmethod
    def load(cls, path: str | Path) -> "Monitor":
        """Go on where a saved monitor was.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is damaged.
        """
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
            options = (stored[name] for name in ("threshold", "window", "alpha"))
            monitor = cls(Reference(**stored["reference"]), *options)
            resume = stored["resume"]
            monitor.rows.extend(tuple(row) for row in resume["rows"])
            monitor._unusual.extend(tuple(one) for one in resume["unusual"])
            monitor.judged, monitor._last, monitor._same = (resume[name] for name in ("judged", "last", "same"))
            monitor.seen, monitor.windows = stored["seen"], stored["windows"]
            monitor.verdicts.update(stored["verdicts"])
            monitor.warnings.update(stored["warnings"])
            monitor.p_values = stored["p_values"]
            monitor.alerts.extend(Alert(**alert) for alert in stored["alerts"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the state {path} is damaged ({type(error).__name__}: {error}); begin anew") from error
        return monitor
