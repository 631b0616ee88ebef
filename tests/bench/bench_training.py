"""Training and scoring: what the input path costs, and images a second at 976 x 176.

``python -m tests.bench.bench_training``; every number comes out of :func:`adkit.training.fit` or a detector itself.
"""

import time
from contextlib import nullcontext
from itertools import pairwise
from statistics import median
from unittest.mock import patch

import torch

from adkit import AutoencoderDetector, load_dataset, training
from adkit.data.crops import Batch, RandomCrops
from adkit.losses import mse
from adkit.models.autoencoder import Autoencoder
from adkit.runtime import seed_everything
from adkit.training import Training
from tests.bench.rows import markdown, row, seconds

FRAME = (176, 976)
LEFT_OUT = 4  # blocks at the start: threads start, memory is taken, kernels are chosen


def wait_for(device: str) -> None:
    """Let the accelerator finish, so that a clock says something."""
    if device == "cuda":
        torch.cuda.synchronize()


def timed_fit(splits, size, batch: int, blocks: int, device: str = "cpu", precision: str = "float32") -> list[float]:
    """Median seconds of a step of ``fit`` on preloaded batches, and on random crops.

    One run, in blocks of steps that take the one and the other in turn. A block is one step, on a GPU 20: it works
    behind the clock's back, and stopping it at every step would cost what a block is not meant to measure.
    """
    length, began = (20 if device == "cuda" else 1), []

    class InTurn(RandomCrops):
        """Random crops in odd blocks, batches made beforehand in even ones."""

        def __init__(self, dataset, crop, *rest, **named):
            super().__init__(dataset, size, *rest, **named)
            self.ready = [super(InTurn, self).batch(step) for step in range(4)]

        def batch(self, step, rank=0):
            if step % length == 0:
                wait_for(device)
                began.append(time.perf_counter())
            return super().batch(step, rank) if step // length % 2 else self.ready[step % 4]

    def objective(model, batch):
        return {"loss": mse(model(batch.images), batch.images)}

    steps = (LEFT_OUT + blocks) * length + 1  # the last step only ends the last block
    settings = Training(steps, batch, validate_every=steps, device=device, precision=precision)
    model = Autoencoder(width=16)
    with patch.object(training, "RandomCrops", InTurn), patch.object(training, "fixed_crops", held_out(size)):
        training.fit(model, splits.train, splits.validation, objective, settings, quiet=True)
    spent = [(after - before) / length for before, after in pairwise(began)][LEFT_OUT:]
    return [median(spent[0::2]), median(spent[1::2])]


def held_out(size):
    """In place of ``fixed_crops``: two grey images, for validation is not what is measured."""
    return lambda dataset, settings, device: [Batch(torch.full((2, 1, *size), 0.5, device=device))]


def threads(device: str) -> str:
    """What the numbers were measured with."""
    return torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"


def overhead(splits, size: tuple[int, int], batch: int) -> dict:
    """The input path beside preloaded batches, same network, same loss."""
    ready, ours = timed_fit(splits, size, batch, blocks=120)
    what = f"training step on preloaded batches (peer) and on random crops, {batch} x 1 x {size[0]} x {size[1]}, s"
    note = f"overhead {ours / ready - 1:.1%}, medians of 60 steps each in turn; {threads('cpu')}"
    return row(what, ready, ours, "overhead ≤ 10 %", note)


def throughput(splits, device: str, precision: str) -> list[dict]:
    """Whole frames a second, trained and scored, and the share of the time that training waits for data."""
    batch, blocks = (32, 20) if device == "cuda" else (8, 8)
    ready, ours = timed_fit(splits, FRAME, batch, blocks, device, precision)
    waiting = f"{max(0.0, 1 - ready / ours):.1%} of a step is the input path; batch {batch}; {threads(device)}"

    seed_everything(0)
    detector = AutoencoderDetector(width=16, steps=1, device=device, quiet=True).fit(splits.train, splits.validation)
    images = torch.stack([splits.test[i]["image"] for i in range(batch)])
    autocast = torch.autocast(device, torch.bfloat16) if precision == "bfloat16" else nullcontext()
    with autocast:
        detector.anomaly_map(images)
        spent = seconds(lambda: detector.anomaly_map(images), times=3 * blocks)
    scoring = f"frames from and maps to the memory of the CPU; batch {batch}; {threads(device)}"
    where = f"at 976 x 176, {precision}, {device}"
    return [
        row(f"training, images/s {where}", ours=batch / ours, note=waiting),
        row(f"scoring, frames/s {where}", ours=batch / spent, note=scoring),
    ]


def main(device: str = "cpu") -> list[dict]:
    """The input path and float32 on the CPU; bfloat16 on a GPU where there is one and it is asked for."""
    splits = load_dataset("textile", category="gabardine")
    rows = [overhead(splits, (64, 64), 16), overhead(splits, (128, 128), 8), *throughput(splits, "cpu", "float32")]
    if device == "cuda" and torch.cuda.is_available():
        return rows + throughput(splits, "cuda", "bfloat16")
    reason = "torch sees no CUDA GPU here" if device == "cuda" else "ask with --device cuda"
    return [*rows, row("training and scoring at 976 x 176, bfloat16, cuda", note=f"not measured: {reason}")]


if __name__ == "__main__":
    print(markdown(main()))
