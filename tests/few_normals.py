"""What a few normal images are worth: the tiles, with two training and two validation images and with more.

    python -m tests.few_normals DATA [--draws 3]

DATA is the folder with ``magnetic_tile``. Each draw takes other images, the same for all methods; networks train as
long as with all of them. Thresholds come from the drawn validation images, so the share of good test images that they
flag says what so few can promise. Goes on where it was killed; writes ``tests/bench/FEW_NORMALS.md``.
"""

import argparse
import json
import statistics
import warnings
from pathlib import Path

import numpy as np

from adkit import evaluate
from adkit.compare.methods import experiment
from adkit.runtime.atomic import atomic_path

METHODS = ("filterbank", "patchcore-image", "fusion")
COUNTS = ((2, 2), (5, 5), (20, 20), (88, 22))  # training and validation images; the last are all
MEASURES = ("pro", "pixel_ap", "image_auroc", "false_positive_rate", "recall")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bench" / "few_normals.json")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    options = {"dataset": "mvtec", "root": str(chosen.data / "magnetic_tile"), "category": "tile"}
    found = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    for draw in range(chosen.draws):
        for counts in COUNTS if draw == 0 else COUNTS[:-1]:
            for method in METHODS:
                label = f"{method} {counts[0]}+{counts[1]} draw {draw}"
                if label not in found:
                    found[label] = judge(method, counts, draw, options)
                    print(label, found[label], flush=True)
                    with atomic_path(chosen.out) as path:
                        path.write_text(json.dumps(found, indent=1) + "\n")
    text = report(found)
    chosen.out.with_name("FEW_NORMALS.md").write_text(text)
    print(text)


def judge(method: str, counts: tuple[int, int], draw: int, options: dict) -> dict[str, float]:
    """Metrics on the test part of a method that has seen so many images."""
    wanted = experiment(method, draw, **options)
    splits, chance = wanted.splits(), np.random.default_rng(draw)
    parts = []
    for part, count in zip((splits.train, splits.validation), counts, strict=True):
        parts.append(part.subset(sorted(chance.permutation(len(part))[:count].tolist())))
    detector = wanted.detector()
    detector.quiet = True
    numbers = evaluate(detector.fit(*parts), splits.test, bootstrap=0)
    return {name: numbers[name] for name in MEASURES}


def report(found: dict[str, dict[str, float]]) -> str:
    """The table."""
    lines = [
        "# What a few normal images are worth",
        "",
        "Magnetic tiles: so many training and validation images, drawn anew each time. Means over the draws, in",
        "brackets the lowest and the highest. Made by `python -m tests.few_normals DATA`.",
        "",
        "| method | training + validation | draws | PRO | pixel AP | image AUROC | good flagged | defective flagged |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for method in METHODS:
        for counts in COUNTS:
            name = f"{method} {counts[0]}+{counts[1]} draw "
            rows = [numbers for label, numbers in found.items() if label.startswith(name)]
            cells = [_told([row[measure] for row in rows]) for measure in MEASURES] if rows else []
            if rows:
                lines.append(f"| `{method}` | {counts[0]} + {counts[1]} | {len(rows)} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _told(values: list[float]) -> str:
    mean = f"{statistics.fmean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} [{min(values):.2f}, {max(values):.2f}]"


if __name__ == "__main__":
    main()
