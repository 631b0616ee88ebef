"""What a job is, what it leaves, and how one is performed wherever it has landed."""

import platform
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adkit.batch.leases import Lease, leased

OK, FAILED, TIMEOUT, SKIPPED = "ok", "failed", "timeout", "skipped"
DIED, LOST = "died", "lost"  # a kernel, a worker: nothing that the job itself did wrong, so it is tried again
GOOD, AGAIN = (OK, SKIPPED), (DIED, LOST)


@dataclass(frozen=True)
class Outcome:
    """What a job says of its run.

    Attributes:
        status: ``ok``, ``failed``, ``timeout``, ``skipped`` (it was done before) or ``died``.
        error: one line, empty where it is ok.
        figures: numbers by name, such as ``pro``.
        files: relative path → content, where the run shares no folder with the caller.
    """

    status: str = OK
    error: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """A job that is over, and where, when and how long it ran.

    Attributes:
        name: of the job.
        status: as of :class:`Outcome`, or ``lost``: its worker is gone.
        seconds: of the last attempt, without the time it waited for a GPU.
        started: UTC, ISO 8601; of the last attempt.
        host: name of the machine.
        gpus: the GPUs that it held, as in CUDA_VISIBLE_DEVICES; empty: none.
        attempts: how often it was begun.
        error: one line.
        figures: numbers by name.
        files: what is sent back, see :class:`Outcome`; empty once the job has kept it.
    """

    name: str
    status: str
    seconds: float = 0.0
    started: str = ""
    host: str = ""
    gpus: str = ""
    attempts: int = 1
    error: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether there is a result: of this run or of one before."""
        return self.status in GOOD


class Job(ABC):
    """Something to do once, that pickle can carry to another process. Subclasses are frozen dataclasses.

    Attributes:
        name: different from that of every other job of a batch.
        gpus: how many it needs; None: one where the machine has any. 0: it sees none.
    """

    name: str
    gpus: int | None = None

    @abstractmethod
    def run(self, lease: Lease) -> Outcome:
        """Do it; called on the worker. An exception counts as failed.

        Args:
            lease: the GPUs that it holds.
        """

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Store what was sent back; called where the batch was started, and only if there is anything.

        Args:
            files: relative path → content.

        Raises:
            TypeError: if the job sends nothing back.
        """
        raise TypeError(f"{type(self).__name__} does not store what its workers send back: {', '.join(files)}")


def perform(job: Job, devices: Sequence[str] | None = None) -> Done:
    """Run a job once a GPU is free for it, and tell what became of it; no exception leaves this function.

    Args:
        job: any.
        devices: GPUs of this machine, as CUDA_VISIBLE_DEVICES names them; None: those that there are.
    """
    started, began, lease = datetime.now(UTC), time.perf_counter(), Lease()
    try:
        with leased(job.gpus, devices) as lease:
            started, began = datetime.now(UTC), time.perf_counter()  # the wait for a GPU is no part of the run
            outcome = job.run(lease)
    except (Exception, SystemExit) as error:
        outcome = Outcome(FAILED, tell(error))
    return Done(
        name=job.name,
        status=outcome.status,
        seconds=round(time.perf_counter() - began, 3),
        started=started.isoformat(timespec="milliseconds"),
        host=platform.node() or "localhost",
        gpus=",".join(lease.gpus or ()),
        error=outcome.error,
        figures=dict(outcome.figures),
        files=dict(outcome.files),
    )


def tell(error: BaseException) -> str:
    """An exception in one line, with the place of adkit's or the job's own code where it arose.

    Args:
        error: that was raised.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}{place}"
