"""SSIM and MS-SSIM, forward and backward, against pytorch-msssim on the CPU: ``python -m tests.bench.bench_ssim``."""

import time
from collections.abc import Callable
from statistics import median

import pytorch_msssim
import torch
from torch import Tensor

from adkit.losses import ms_ssim, ssim

SHAPE = (8, 1, 176, 976)  # the course's frame
ROUNDS = 9


def _seconds(loss: Callable[[Tensor, Tensor], Tensor], prediction: Tensor, target: Tensor) -> float:
    prediction.grad = None
    start = time.perf_counter()
    (1 - loss(prediction, target)).backward()
    return time.perf_counter() - start


def _compare(what: str, peer: Callable, ours: Callable, prediction: Tensor, target: Tensor) -> dict:
    _seconds(peer, prediction, target)  # a first, untimed round: threads start, band matrices are made
    expected = prediction.grad
    _seconds(ours, prediction, target)
    difference = ((prediction.grad - expected).abs().max() / expected.abs().max()).item()
    times = [(_seconds(peer, prediction, target), _seconds(ours, prediction, target)) for _ in range(ROUNDS)]
    peer_time, our_time = (median(column) for column in zip(*times, strict=True))
    note = f"largest difference of gradients {difference:.0e} of their maximum; {torch.get_num_threads()} threads"
    return {"what": what, "peer": peer_time, "ours": our_time, "ratio": peer_time / our_time, "note": note}


def main() -> list[dict]:
    """Time both in one process, in turn; seconds are medians of nine rounds."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(SHAPE, generator=generator)
    prediction = (0.7 * target + 0.3 * torch.rand(SHAPE, generator=generator)).requires_grad_()
    size = " x ".join(map(str, SHAPE))
    rows = [
        _compare(
            f"{name}, forward + backward, {size}",
            lambda x, y, peer=peer: peer(x, y, data_range=1.0),
            ours,
            prediction,
            target,
        )
        for name, peer, ours in (("SSIM", pytorch_msssim.ssim, ssim), ("MS-SSIM", pytorch_msssim.ms_ssim, ms_ssim))
    ]
    for row in rows:
        print(f"{row['what']}: {row['peer']:.3f} s -> {row['ours']:.3f} s, {row['ratio']:.1f} x ({row['note']})")
    return rows


if __name__ == "__main__":
    main()
