"""Counters and times for Prometheus, in a registry of their own: two services in one process do not meet."""

from adkit.deploy.extras import require
from adkit.deploy.judges import Judged
from adkit.runtime import VERSION
from adkit.scoring.policy import Policy

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
RATIOS = (0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.5, 2, 4)


class Metrics:
    """What ``/metrics`` shows. No label comes from a request, so there are never more of them.

    Args:
        queue_limit: images that may wait.
    """

    def __init__(self, queue_limit: int):
        prometheus = require("prometheus_client", "serve")
        self.registry = registry = prometheus.CollectorRegistry()
        self._text = prometheus.generate_latest

        def make(kind: str, name: str, words: str, labels: tuple = (), **options):
            return getattr(prometheus, kind)(f"adkit_{name}", words, labels, registry=registry, **options)

        self.requests = make("Counter", "requests_total", "Requests by status code", ("code",))
        self.verdicts = make("Counter", "verdicts_total", "Judged images by verdict", ("verdict",))
        self.suppressed = make("Counter", "suppressed_regions_total", "Suppressed regions by rule", ("rule",))
        self.warned = make("Counter", "input_warnings_total", "Unusual images by kind", ("kind",))
        self.alerts = make("Counter", "alerts_total", "Alerts of the monitor by kind", ("kind",))
        self.request_seconds = make("Histogram", "request_seconds", "Seconds of a request", buckets=SECONDS)
        self.judge_seconds = make("Histogram", "judge_seconds", "Seconds of judging an image", buckets=SECONDS)
        self.ratio = make("Histogram", "score_ratio", "Image score over its threshold", buckets=RATIOS)
        self.length = make("Gauge", "queue_length", "Images that wait or are being judged")
        make("Gauge", "queue_limit", "Images that may wait").set(queue_limit)
        self.p_value = make("Gauge", "drift_p_value", "p-value of the last window, by test", ("test",))
        self.model = make("Gauge", "model_info", "What is being served", ("model", "policy", "version"))

    def show_model(self, sha256: str, policy: Policy) -> None:
        """The model and the policy of now, and no other."""
        self.model.clear()
        self.model.labels(sha256[:12], policy.sha256[:12], VERSION).set(1)

    def count(self, judged: Judged, policy: Policy) -> None:
        """Take in a judged image."""
        self.verdicts.labels(judged.verdict).inc()
        self.judge_seconds.observe(judged.ms["judge"] / 1000)
        if policy.image_threshold > 0:
            self.ratio.observe(judged.decision.score / policy.image_threshold)
        for one in judged.decision.suppressed:
            self.suppressed.labels(one.rule).inc()
        for kind in judged.warnings:
            self.warned.labels(kind).inc()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return self._text(self.registry)
