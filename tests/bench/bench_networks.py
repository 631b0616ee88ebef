"""The networks beside the same ones made of torch's own layers, in torch's own layout of memory.

``python -m tests.bench.bench_networks``; weights, inputs and results are the same, up to rounding.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from adkit.losses import mse
from adkit.models import autoencoder, convolutions, draem, vae
from adkit.models.autoencoder import Autoencoder
from adkit.models.draem import DRAEM
from adkit.models.vae import VAE
from adkit.runtime import seed_everything
from tests.bench.rows import in_turn, markdown, row

FRAME = (176, 976)
ROUNDS = 11
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[object], Tensor]]] = {
    "U-Net, width 16": (lambda: Autoencoder(width=16, skip="concat"), lambda output: output),
    "autoencoder, width 16": (lambda: Autoencoder(width=16), lambda output: output),
    "VAE": (lambda: VAE((32, 32), 1, latent_dim=64, widths=(16, 32, 64)), lambda output: output.reconstruction),
    "DRAEM, width 16, stride 2": (lambda: DRAEM(1, 16, 3, 16, 3, 2), lambda output: output[0] + output[1][:, None]),
}
CASES = (  # network, training, images
    ("U-Net, width 16", True, (16, 1, 64, 64)),
    ("U-Net, width 16", True, (8, 1, 128, 128)),
    ("U-Net, width 16", True, (2, 1, *FRAME)),
    ("U-Net, width 16", False, (1, 1, *FRAME)),
    ("autoencoder, width 16", True, (16, 1, 64, 64)),
    ("autoencoder, width 16", False, (1, 1, *FRAME)),
    ("VAE", True, (32, 1, 32, 32)),
    ("VAE", False, (256, 1, 32, 32)),
    ("DRAEM, width 16, stride 2", True, (16, 1, 64, 64)),
    ("DRAEM, width 16, stride 2", False, (1, 1, *FRAME)),
)


@contextmanager
def plain_torch() -> Iterator[None]:
    """Inside, every layer is torch's own and is called for itself."""
    with ExitStack() as stack:
        for network in (autoencoder, draem, vae):
            stack.enter_context(patch.object(network, "channels_last", lambda images: images))
        for ours, forward in {
            convolutions.ConvBlock: nn.Sequential.forward,
            convolutions.DoublingConv: nn.ConvTranspose2d.forward,
            convolutions.UpConv: nn.Sequential.forward,
            convolutions.Up: lambda up, x: up.block(interpolate(x, scale_factor=2, mode="nearest")),
        }.items():
            stack.enter_context(patch.object(ours, "forward", forward))
        yield


def compare(name: str, training: bool, shape: tuple[int, ...]) -> dict:
    """Seconds of one step, forward, backward and optimiser, or of one pass in evaluation mode."""
    seed_everything(0)
    build, result = NETWORKS[name]
    model, images = build().train(training), torch.rand(shape)
    plain, fused = (torch.optim.AdamW(model.parameters(), fused=fused) for fused in (False, True))

    def step(optimiser: torch.optim.Optimizer) -> None:
        mse(result(model(images)), images).backward()
        optimiser.step()
        optimiser.zero_grad()

    @torch.inference_mode()
    def look(optimiser: torch.optim.Optimizer) -> Tensor:
        return result(model(images))

    work = step if training else look

    def peer() -> object:
        with plain_torch():
            return work(plain)

    note = f"{torch.get_num_threads()} threads"
    if not training:
        note = f"largest difference {(peer() - work(fused)).abs().max():.0e}; {note}"
    slow, fast = in_turn(peer, lambda: work(fused), ROUNDS)
    what = f"{name}: {'training step' if training else 'scoring'}, {' x '.join(map(str, shape))}, s"
    target = "≥ 1.5 ×" if name.startswith("U-Net") else ""
    return row(what, slow, fast, target, f"torch's own layers and layout; {note}")


def main() -> list[dict]:
    """Both in one process, in turn; medians of eleven rounds."""
    return [compare(*case) for case in CASES]


if __name__ == "__main__":
    print(markdown(main()))
