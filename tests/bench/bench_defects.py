"""Synthetic defects on the CPU: Perlin noise against anomalib, and the share of a training step.

``python -m tests.bench.bench_defects``; without anomalib only the second is timed.
"""

import time
from collections.abc import Callable
from statistics import median

import torch

from adkit.defects import KINDS, SyntheticDefects
from adkit.losses import mse
from adkit.models.autoencoder import Autoencoder
from adkit.runtime import generator, seed_everything

BATCH, SIDE, ROUNDS = 8, 256, 9


def _seconds(work: Callable[[], object], times: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def _in_turn(first: Callable[[], object], second: Callable[[], object], times: int = 1) -> tuple[float, float]:
    """Median seconds of both, timed in turn after one untimed round."""
    first(), second()
    rounds = [(_seconds(first), _seconds(second, times)) for _ in range(ROUNDS)]
    return tuple(median(column) for column in zip(*rounds, strict=True))


def perlin(channels: int) -> dict:
    """Images a second of Perlin-masked defects, every image defective."""
    from anomalib.data.utils.generators.perlin import PerlinAnomalyGenerator

    images = torch.rand(BATCH, channels, SIDE, SIDE, generator=generator(0))
    peer, ours, draw = PerlinAnomalyGenerator(probability=1.0), SyntheticDefects(["perlin"]), generator(1)
    slow, fast = _in_turn(lambda: peer(images), lambda: ours(images, generator=draw))
    what = f"Perlin-masked defects, {BATCH} x {channels} x {SIDE} x {SIDE}, images/s"
    note = f"anomalib PerlinAnomalyGenerator; {torch.get_num_threads()} threads"
    return {"what": what, "peer": BATCH / slow, "ours": BATCH / fast, "ratio": slow / fast, "note": note}


def share_of_step() -> dict:
    """Seconds of one training step of a small autoencoder, and of corrupting its batch with all kinds."""
    images, model = torch.rand(8, 1, 128, 128, generator=generator(0)), Autoencoder(width=16)
    optimiser = torch.optim.AdamW(model.parameters())
    defects, draw = SyntheticDefects(), generator(1)

    def step() -> None:
        mse(model(images), images).backward()
        optimiser.step()
        optimiser.zero_grad()

    stepped, corrupted = _in_turn(step, lambda: defects(images, generator=draw), times=10)
    note = f"corruption takes {corrupted / stepped:.1%} of a step; {torch.get_num_threads()} threads"
    what = f"training step (peer) and corruption (ours) of 8 x 1 x 128 x 128 with {len(KINDS)} kinds, s"
    return {"what": what, "peer": stepped, "ours": corrupted, "ratio": stepped / corrupted, "note": note}


def main() -> list[dict]:
    """Time both in one process, in turn; medians of nine rounds."""
    seed_everything(0)
    rows = []
    try:
        rows += [perlin(channels) for channels in (3, 1)]
    except ImportError as error:
        print(f"Perlin-masked defects: no anomalib to compare with ({error}); pip install adkit[bench]")
    rows.append(share_of_step())
    for row in rows:
        print(f"{row['what']}: {row['peer']:.4g} -> {row['ours']:.4g}, {row['ratio']:.1f} x ({row['note']})")
    return rows


if __name__ == "__main__":
    main()
