"""The peak of memory of ``evaluate`` on a large set, and how far its streamed numbers lie from the exact ones.

``python -m tests.bench.bench_evaluate [--images 1000] [--side 1024]``: by hand in a process of its own, or the peak is
that of what ran before. The detector costs next to nothing, so that the peak is that of the evaluation.
"""

import argparse
import resource
import tempfile
import time
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from adkit import evaluate, load_dataset
from adkit.experiments import evaluation
from adkit.runtime import atomic_path
from tests.bench.rows import markdown, row

IMAGES, SIDE = 1000, 1024
EXACT = 60  # images of the set whose metrics are computed both ways
GOOD, KINDS = 0.3, ("line", "spot")


def write_set(root: Path, images: int, side: int) -> None:
    """A test part of noise, three in ten of it good, the others with one to three brighter places and their masks."""
    draw = np.random.default_rng(0)
    noise = [draw.normal(128, 20, (side, side)).clip(0, 255).astype(np.uint8) for _ in range(4)]
    for i in range(images + 5):
        pixels, mask = np.roll(noise[i % 4], 7 * i, axis=1), np.zeros((side, side), np.uint8)
        kind = "good" if i < 5 + GOOD * images else KINDS[i % 2]
        part = root / "noise" / ("train" if i < 5 else "test") / kind
        for _ in range(0 if kind == "good" else int(draw.integers(1, 4))):
            top, left = draw.integers(0, side - side // 8, 2)
            height, width = (3, side // 8) if kind == "line" else draw.integers(4, side // 10, 2)
            mask[top : top + height, left : left + width] = 255
        pixels[mask > 0] = np.minimum(pixels[mask > 0].astype(int) + draw.integers(10, 70), 255)
        part.mkdir(parents=True, exist_ok=True)
        with atomic_path(part / f"{i:05}.png") as temporary:
            Image.fromarray(pixels).save(temporary, "PNG", compress_level=0)
        if kind != "good":
            truth = root / "noise" / "ground_truth" / kind / f"{i:05}_mask.png"
            truth.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(truth)


def peak() -> float:
    """GB of memory that this process has taken at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def numbers(found: object, way: str = "") -> dict[str, float]:
    """All numbers of an evaluation, by the way to them."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list | tuple) else ()
    if isinstance(found, int | float) and not isinstance(found, bool):
        return {way: float(found)}
    return {name: value for key, entry in inside for name, value in numbers(entry, f"{way}.{key}").items()}


def main(images: int = IMAGES, side: int = SIDE) -> list[dict]:
    """A row of the peak, and one of the largest difference."""
    from tests.own_method import MeanGreyDetector

    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings(action="ignore"):
        root = Path(temporary)
        write_set(root, images, side)
        splits = load_dataset("mvtec", root=root, category="noise")
        detector = MeanGreyDetector(quiet=True, surroundings=8.0).fit(splits.train, splits.validation)
        before, start, count = peak(), time.perf_counter(), len(splits.test)
        result = evaluate(detector, splits.test)
        took, most = time.perf_counter() - start, peak()
        few = splits.test.subset(np.linspace(0, len(splits.test) - 1, min(EXACT, images), dtype=int).tolist())
        exact = numbers(evaluate(detector, few).as_dict())
        with mock.patch.object(evaluation, "MAP_LIMIT", 0):
            streamed = numbers(evaluate(detector, few).as_dict())
    assert exact.keys() == streamed.keys()
    differences = {name: abs(streamed[name] - value) for name, value in exact.items()}
    worst = max(differences, key=differences.get)
    what = f"evaluate, {count} images of {side} x {side}, intervals included: peak, GB"
    note = f"{before:.2f} GB before; {took:.0f} s; PRO {result.pro:.3f}, interval {result.intervals['pro']}"
    return [
        row(what, None, most, "≤ 1.5", note),
        row(f"evaluate, {len(few)} of them, streamed against exact: largest difference", None, differences[worst],
            "≤ 1e-3", f"of {len(differences)} numbers; of {worst.lstrip('.')}"),
    ]  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_evaluate")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--side", type=int, default=SIDE)
    options = parser.parse_args()
    print(markdown(main(options.images, options.side)))
