"""Exact pixel metrics beside scikit-learn and anomalib, the error of streaming, and the time of a bootstrap.

100 maps of 176 x 976 pixels, 50 of them with defects. Run alone: ``python -m tests.bench.bench_metrics``.
"""

import time
from collections.abc import Callable

import numpy as np

from adkit.metrics import StreamingPixelMetrics, pixel_bootstrap, pixel_metrics
from tests.bench.rows import MISSING, markdown, row
from tests.metric_references import DISTRIBUTIONS, blobs

FRAME = (176, 976)
NAMES = ("auroc", "ap", "pro", "f1_max")


def timed(function: Callable, repeats: int = 1):
    """Shortest wall-clock seconds of some runs, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def scene(name: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    masks = blobs(rng, 100, *FRAME, 50)
    return masks, DISTRIBUTIONS[name](rng, masks).astype(np.float32)


def sklearn_pair(masks, maps):
    """AUROC and AP by scikit-learn."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    truth, scores = masks.ravel(), maps.ravel()
    return timed(lambda: (roc_auc_score(truth, scores), average_precision_score(truth, scores)))


def anomalib_pro(masks, maps):
    """PRO by anomalib; None where it is not installed."""
    try:
        from anomalib.metrics.aupro import _AUPRO
    except ImportError:
        return None
    import torch

    def measure():
        metric = _AUPRO(fpr_limit=0.3)
        metric.update(torch.from_numpy(maps), torch.from_numpy(masks).int())
        return float(metric.compute())

    return timed(measure)


def bench_exact() -> list[dict]:
    masks, maps = scene("uniform")
    ours, metrics = timed(lambda: pixel_metrics(masks, maps), repeats=3)
    (plain, (auroc, ap)), pro = sklearn_pair(masks, maps), anomalib_pro(masks, maps)
    whole = "AUROC + AP + PRO (+ F1-max in ours), exact, 100 maps, s"
    note = "scikit-learn + anomalib" if pro else MISSING
    error = max(abs(metrics.auroc - auroc), abs(metrics.ap - ap))
    rows = [
        row(whole, plain + pro[0] if pro else None, ours, "≥ 30 ×", note),
        row("AUROC + AP of it, s", plain, None, "equal to 1e-9", f"scikit-learn; largest difference {error:.1e}"),
    ]
    if pro:
        note = f"anomalib, in float32; difference {abs(metrics.pro - pro[1]):.1e}"
        rows.append(row("PRO of it, s", pro[0], None, "", note))
    return rows


def bench_streaming() -> list[dict]:
    rows = []
    for name in DISTRIBUTIONS:
        masks, maps = scene(name)
        exact = pixel_metrics(masks, maps)
        stream = StreamingPixelMetrics()
        seconds, _ = timed(
            lambda stream=stream, masks=masks, maps=maps: [
                stream.update(masks[k : k + 10], maps[k : k + 10]) for k in range(0, 100, 10)
            ]
        )
        metrics, bounds = stream.compute(), stream.bounds
        errors = {each: abs(getattr(metrics, each) - getattr(exact, each)) for each in NAMES}
        inside = all(bounds[each][0] <= getattr(exact, each) <= bounds[each][1] for each in NAMES)
        width = max(high - low for low, high in bounds.values())
        note = ", ".join(f"{each} {error:.0e}" for each, error in errors.items())
        note += f"; bounds hold: {inside}, widest {width:.0e}; {seconds:.1f} s"
        rows.append(row(f"streaming, {name}: largest error", None, max(errors.values()), "≤ 1e-4", note))
    return rows


def bench_bootstrap() -> list[dict]:
    masks, maps = scene("uniform")
    seconds, intervals = timed(lambda: pixel_bootstrap(masks, maps))
    what = "bootstrap of all four, 1000 draws of 100 images, s"
    return [row(what, None, seconds, "", f"PRO {intervals['pro']}")]


def main() -> list[dict]:
    """All three, in one process."""
    return [*bench_exact(), *bench_streaming(), *bench_bootstrap()]


if __name__ == "__main__":
    print(markdown(main()))
