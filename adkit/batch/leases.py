"""GPUs, lent to one job at a time on each machine, whichever process, thread or scheduler it comes from.

A lease is a file lock of the operating system: when its holder dies, however it dies, the GPU is free again.
"""

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

POLL = 0.1  # seconds, about, between two looks of a job that waits
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Lease:
    """The GPUs that a job holds.

    Attributes:
        gpus: their names; empty: it shall see none; None: the machine has none, and nothing needs be said.
        files: numbers of the lock files. A child process that inherits them (``pass_fds``) keeps the GPUs lent until it
            has ended, also where the job itself was killed.
    """

    gpus: tuple[str, ...] | None = None
    files: tuple[int, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """What the environment of a child must say so that it sees these GPUs only.

        Example:
            >>> Lease(("1",)).environment, Lease(()).environment, Lease().environment
            ({'CUDA_VISIBLE_DEVICES': '1'}, {'CUDA_VISIBLE_DEVICES': ''}, {})
        """
        return {} if self.gpus is None else {VISIBLE: ",".join(self.gpus)}


def devices_here() -> list[str]:
    """The GPUs of this machine, as CUDA_VISIBLE_DEVICES names them; where that is set, those that it names."""
    if (visible := os.environ.get(VISIBLE)) is not None:
        return [name.strip() for name in visible.split(",") if name.strip()]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    return [str(k) for k, _ in enumerate(line for line in listed.splitlines() if line.startswith("GPU "))]


@contextmanager
def leased(count: int | None, devices: Sequence[str] | None = None) -> Iterator[Lease]:
    """Hold GPUs while the body runs; wait while other jobs of this machine hold them.

    Args:
        count: how many; None: one where there is any.
        devices: names of the machine's GPUs; None: :func:`devices_here`.

    Raises:
        ValueError: if more are asked for than there are.

    Example:
        >>> with leased(1, ["7"]) as lease:
        ...     lease.gpus
        ('7',)
    """
    names = list(dict.fromkeys(devices_here() if devices is None else devices))
    wanted = min(len(names), 1) if count is None else count
    if wanted > len(names):
        raise ValueError(
            f"the job needs {wanted} GPU(s), and this machine has {len(names)} ({', '.join(names) or 'none'}); "
            "lower gpus, or run it elsewhere"
        )
    if not wanted:
        yield Lease(None if count is None else ())
        return
    with ExitStack() as stack:
        held = _take(names, wanted, stack)
        while len(held) < wanted:
            stack.close()  # all or none: two jobs that each hold a half would wait for ever
            time.sleep(POLL * random.uniform(0.5, 1.5))
            held = _take(names, wanted, stack)
        yield Lease(tuple(held), tuple(held.values()))


def _take(names: Sequence[str], wanted: int, stack: ExitStack) -> dict[str, int]:
    """Name → number of the lock file, of as many as are free; closing the stack gives them back."""
    held: dict[str, int] = {}
    for name in names:
        if len(held) < wanted and (number := _lock(name)) is not None:
            stack.callback(os.close, number)
            held[name] = number
    return held


def _lock(name: str) -> int | None:
    """The number of a GPU's file, now locked; None where another job has it."""
    import fcntl  # not on Windows

    number = os.open(_folder() / f"gpu-{name.replace(os.sep, '_')}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        return None
    return number


def _folder() -> Path:
    """Where the locks of this machine and user lie: never on a disk that machines share."""
    folder = Path(tempfile.gettempdir()) / f"adkit-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
