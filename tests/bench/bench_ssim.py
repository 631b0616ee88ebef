"""SSIM and MS-SSIM, forward and backward, against pytorch-msssim on the CPU: ``python -m tests.bench.bench_ssim``."""

from collections.abc import Callable

import torch
from torch import Tensor

from adkit import losses
from tests.bench.rows import MISSING, in_turn, markdown, row, seconds

SHAPE = (8, 1, 176, 976)  # the course's frame
ROUNDS = 9
TARGETS = {"ssim": "≥ 4 ×", "ms_ssim": ""}


def gradient(similarity: Callable[[Tensor, Tensor], Tensor], prediction: Tensor, target: Tensor) -> Tensor:
    """Forward and backward of the loss."""
    prediction.grad = None
    (1 - similarity(prediction, target)).backward()
    return prediction.grad


def compare(name: str, prediction: Tensor, target: Tensor) -> dict:
    """Median seconds of both, in turn; ours alone where the peer is not installed."""
    what = f"{name}, forward + backward, {' x '.join(map(str, SHAPE))}, s"
    ours, threads = getattr(losses, name), f"{torch.get_num_threads()} threads"
    try:
        import pytorch_msssim
    except ImportError:
        gradient(ours, prediction, target)
        alone = seconds(lambda: gradient(ours, prediction, target), ROUNDS)
        return row(what, None, alone, TARGETS[name], f"{MISSING}; {threads}")

    def peer(x: Tensor, y: Tensor) -> Tensor:
        return getattr(pytorch_msssim, name)(x, y, data_range=1.0)

    expected = gradient(peer, prediction, target)
    difference = ((gradient(ours, prediction, target) - expected).abs().max() / expected.abs().max()).item()
    slow, fast = in_turn(*(lambda f=f: gradient(f, prediction, target) for f in (peer, ours)), rounds=ROUNDS)
    note = f"pytorch-msssim; largest difference of gradients {difference:.0e} of their maximum; {threads}"
    return row(what, slow, fast, TARGETS[name], note)


def main() -> list[dict]:
    """Both similarities, on a target and a noisy copy of it."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(SHAPE, generator=generator)
    prediction = (0.7 * target + 0.3 * torch.rand(SHAPE, generator=generator)).requires_grad_()
    return [compare(name, prediction, target) for name in TARGETS]


if __name__ == "__main__":
    print(markdown(main()))
