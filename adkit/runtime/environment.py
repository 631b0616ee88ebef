"""Where a run happens: seed, device, precision, fast and interactive mode, and the folder that keeps results."""

import os
import random
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # torch is slow to import, and a small inspection box has none
    import torch

PRECISIONS = ("float32", "bfloat16", "auto")


class Stream(IntEnum):
    """Numbers that keep streams of random draws apart which share all else of their key, see :func:`generator`.

    Each is part of a key, so another value would draw other numbers.
    """

    # where a coreset starts, apart from the positions drawn at step 0, 1, 2, …
    CORESET = -1
    # what an objective draws for a batch, apart from the crops of that batch, whose key ends before
    OBJECTIVE = 1
    # what turns and scales a batch, apart from what the objective draws for it
    AUGMENTATION = 2
    # how light, contrast and focus of a batch drift
    DRIFT = 3


def _flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no")


def fast_mode() -> bool:
    """True where ``ADKIT_FAST`` is set: one seed and a tiny grid, to prove that every cell runs, not what it finds."""
    return _flag("ADKIT_FAST")


def interactive_mode(wanted: bool = True) -> bool:
    """True where sliders may be drawn: they are wanted, and neither ``ADKIT_FAST`` nor ``ADKIT_HEADLESS`` is set."""
    return bool(wanted) and not fast_mode() and not _flag("ADKIT_HEADLESS")


def home() -> Path:
    """The folder that keeps runs: ``ADKIT_HOME``, else ``./runs``; made where it is missing.

    Raises:
        OSError: if it cannot be made.
    """
    folder = Path(os.environ.get("ADKIT_HOME") or "runs").expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is no folder" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise OSError(
            error.errno,
            f"results are kept in {folder}, and that cannot be made ({reason}); set ADKIT_HOME to a folder that can be "
            "written to",
        ) from error
    return folder


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (every device) with one number."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  third-party code still draws from the global state
    torch.manual_seed(seed)


def generator(*key: int, device: "torch.device | str" = "cpu") -> "torch.Generator":
    """A torch generator for a key such as ``(seed, step)``: equal keys give equal draws, on one kind of device.

    Example:
        >>> import torch
        >>> a = torch.rand(1, generator=generator(0, 7))
        >>> bool(a == torch.rand(1, generator=generator(0, 7)))
        True
    """
    import torch

    state = np.random.SeedSequence([int(k) % 2**63 for k in key]).generate_state(1, np.uint64)
    return torch.Generator(device=device).manual_seed(int(state[0]) >> 1)


def resolve_device(name: str = "auto") -> "torch.device":
    """The device of a name; ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: if the device is unknown or not on this machine.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be auto, cpu, cuda, cuda:N or mps, got {name!r}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {name!r} was asked for, but torch sees no CUDA GPU here; use device='auto' or 'cpu'")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device {name!r} was asked for, but torch sees no MPS here; use device='auto' or 'cpu'")
    return device


def resolve_precision(name: str, device: "torch.device") -> str:
    """``float32`` or ``bfloat16``; ``auto`` is bfloat16 on a GPU that has it and float32 elsewhere.

    Args:
        name: ``float32``, ``bfloat16`` or ``auto``.
        device: where it will be used.

    Raises:
        ValueError: if the name is none of ``float32``, ``bfloat16``, ``auto``.
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {name!r}")
    if name != "auto":
        return name
    import torch

    return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
