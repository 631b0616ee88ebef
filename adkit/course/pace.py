"""How fast this machine trains: a fixed task, timed, so that a lesson can say what it will take *here*."""

import functools
import time

import torch

STEPS = 10


@functools.cache
def step_seconds(device: str = "cpu") -> float:
    """Seconds that one step of a fixed training takes on this machine: the fastest of a few.

    Whatever else a machine does at that moment only adds to a step, so the fastest tells most about the machine.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Returns:
        Seconds; of a plain autoencoder of the course's width on eight crops of 128 × 128.
    """
    from adkit.models.autoencoder import Autoencoder

    with torch.random.fork_rng(devices=[]):  # a lesson draws as if nothing had been timed
        torch.manual_seed(0)
        model = Autoencoder(channels=1, width=16).to(device)
        images = torch.rand(8, 1, 128, 128, device=device)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    taken = []
    for _ in range(STEPS + 1):  # the first one warms up
        start = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        (model(images) - images).square().mean().backward()
        optimiser.step()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


def expected_seconds(noted: float, noted_step: float | None, step: float) -> float:
    """What a run should take here.

    Args:
        noted: seconds that it took elsewhere.
        noted_step: seconds of a step there; None: not known, as fast as here.
        step: seconds of a step here.

    Example:
        >>> expected_seconds(120.0, 0.25, 0.5)
        240.0
    """
    return noted * (step / noted_step if noted_step else 1.0)
