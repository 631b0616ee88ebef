"""How fast is the default fusion on one strip? A strip of 4096 x 256 pixels in one pass, all members.

    python -m tests.strip_speed DATA

DATA is the folder with ``aitex``. Run it with nothing else to do. It writes ``tests/bench/STRIP.md``.
"""

import argparse
import platform
import statistics
import time
import warnings
from pathlib import Path

import torch

from adkit import run
from adkit.compare.methods import experiment
from adkit.runtime.atomic import atomic_path

TABLE = Path(__file__).parent / "bench" / "STRIP.md"
REPEATS = 9


def main() -> None:
    """Time the fusion and each of its members, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    root = parser.parse_args().data / "aitex"
    warnings.simplefilter("ignore")
    judged = run(experiment("fusion", 0, dataset="aitex", root=str(root), category="04"), quiet=True)
    fusion, strip = judged.detector(), judged.experiment.splits().test[0]["image"][None]
    rows = {"fusion, image score": fusion.image_score}
    rows |= {type(member).__name__: member.anomaly_map for member in fusion.members}
    lines = [
        "# The default fusion on one strip",
        "",
        f"{strip.shape[3]} x {strip.shape[2]} pixels in one pass; {platform.machine()}, {torch.get_num_threads()} "
        f"threads, {time.strftime('%Y-%m-%d')}. Seconds, of {REPEATS} calls after one to warm up. "
        "Made by `python -m tests.strip_speed DATA`.",
        "",
        "| | median | slowest |",
        "|---|---|---|",
    ]
    for name, judge in rows.items():
        taken = seconds_of(judge, strip)
        lines.append(f"| {name} | {statistics.median(taken):.2f} | {max(taken):.2f} |")
        print(lines[-1], flush=True)
    with atomic_path(TABLE) as path:
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def seconds_of(judge, strip: torch.Tensor) -> list[float]:
    """Wall time of each call."""
    judge(strip)
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        judge(strip)
        taken.append(time.perf_counter() - start)
    return taken


if __name__ == "__main__":
    main()
