"""Synthetic defects on the CPU: Perlin noise against anomalib, and the share of a training step.

``python -m tests.bench.bench_defects``
"""

import torch

from adkit.defects import DEFECT_TYPES, SyntheticDefects
from adkit.losses import mse
from adkit.models.autoencoder import Autoencoder
from adkit.runtime import generator, seed_everything
from tests.bench.rows import MISSING, in_turn, markdown, row, seconds

BATCH, SIDE, ROUNDS = 8, 256, 9


def perlin(channels: int) -> dict:
    """Images a second of Perlin-masked defects, every image defective."""
    what = f"Perlin-masked defects, {BATCH} x {channels} x {SIDE} x {SIDE}, images/s"
    images = torch.rand(BATCH, channels, SIDE, SIDE, generator=generator(0))
    defects, draw, threads = SyntheticDefects(["perlin"]), generator(1), f"{torch.get_num_threads()} threads"

    def ours() -> object:
        return defects(images, generator=draw)

    try:
        from anomalib.data.utils.generators.perlin import PerlinAnomalyGenerator
    except ImportError:
        ours()
        return row(what, None, BATCH / seconds(ours, ROUNDS), "≥ 10 ×", f"{MISSING}; {threads}", rate=True)
    peer = PerlinAnomalyGenerator(probability=1.0)
    slow, fast = in_turn(lambda: peer(images), ours, ROUNDS)
    note = f"anomalib PerlinAnomalyGenerator; {threads}"
    return row(what, BATCH / slow, BATCH / fast, "≥ 10 ×", note, rate=True)


def share_of_step() -> dict:
    """Seconds of one training step of a small autoencoder, and of corrupting its batch with all kinds."""
    images, model = torch.rand(8, 1, 128, 128, generator=generator(0)), Autoencoder(width=16)
    optimiser = torch.optim.AdamW(model.parameters())
    defects, draw = SyntheticDefects(), generator(1)

    def step() -> None:
        mse(model(images), images).backward()
        optimiser.step()
        optimiser.zero_grad()

    stepped, corrupted = in_turn(step, lambda: defects(images, generator=draw), ROUNDS, times=10)
    note = f"corruption takes {corrupted / stepped:.1%} of a step; {torch.get_num_threads()} threads"
    what = f"training step (peer) and corruption (ours) of 8 x 1 x 128 x 128 with {len(DEFECT_TYPES)} defect types, s"
    return row(what, stepped, corrupted, note=note)


def main() -> list[dict]:
    """Time both in one process, in turn; medians of nine rounds."""
    seed_everything(0)
    return [perlin(3), perlin(1), share_of_step()]


if __name__ == "__main__":
    print(markdown(main()))
