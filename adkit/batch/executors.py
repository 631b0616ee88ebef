"""What jobs run on, by name: processes of this machine, or a Dask cluster."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context

from adkit.batch.processes import die_with, kill_descendants

WHERE = "local, local:4, dask, dask:4, tcp://host:8786, tls://host:8786 or ssh:hosts.txt"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class LocalProcesses(Executor):
    """Processes of this machine, each in a pool of its own: one that dies takes nothing but its job along.

    Args:
        workers: number of processes, at least 1; they share the cores among them.
    """

    def __init__(self, workers: int):
        self.workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="adkit-batch")
        self._own = threading.local()
        self._pools: set[ProcessPoolExecutor] = set()

    def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
        """Run a function in the next process that is free.

        Args:
            fn: of a module, so that pickle finds it.
            args: its arguments.
            kwargs: its named arguments.
        """
        return self._threads.submit(self._in_process, fn, args, kwargs)

    def _in_process(self, fn: Callable, args: tuple, kwargs: dict) -> object:
        if getattr(self._own, "pool", None) is None:
            threads = max((os.cpu_count() or 1) // self.workers, 1)
            # a fork would inherit torch's threads, and locks that nobody gives back
            self._own.pool = ProcessPoolExecutor(1, get_context("spawn"), _begin_worker, (os.getpid(), threads))
            self._pools.add(self._own.pool)
        try:
            return self._own.pool.submit(fn, *args, **kwargs).result()
        except BrokenExecutor:
            self._pools.discard(self._own.pool)
            self._own.pool = None  # the next job gets a new process
            raise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes.

        Args:
            wait: until what runs is over.
            cancel_futures: forget what has not begun; without ``wait``, end what runs as well.
        """
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for pool in list(self._pools):
            if cancel_futures and not wait:
                for pid in list(getattr(pool, "_processes", None) or {}):  # what runs, and what that has started
                    kill_descendants(pid)
                    with suppress(OSError):
                        os.kill(pid, signal.SIGTERM)
            pool.shutdown(wait, cancel_futures=cancel_futures)


def _begin_worker(parent: int, threads: int) -> None:
    """Make a new process end with the caller, and take its share of the cores."""
    die_with(parent)
    for name in THREADS:
        os.environ.setdefault(name, str(threads))


@contextmanager
def open_executor(where: str = "local", workers: int | None = None) -> Iterator[Executor]:
    """Open what jobs run on, and close it at the end.

    Args:
        where: ``local`` (processes of this machine), ``dask`` (a cluster of Dask's on this machine), the address of a
            Dask scheduler (``tcp://host:8786``), or ``ssh:hosts.txt``, a file with a host in each line, of which the
            first runs the scheduler too. ``local:4`` and ``dask:4`` have four workers.
        workers: number of workers where the name has none; None: one for each core.

    Raises:
        ValueError: if the name is unknown, or the number of workers is not positive.
        ImportError: if a Dask cluster is asked for and Dask is missing.
        RuntimeError: if workers of the cluster have another adkit, Python or torch.

    Example:
        >>> with open_executor("local:1") as executor:
        ...     executor.submit(pow, 2, 5).result()
        32
    """
    kind, _, rest = where.partition(":")
    if kind in ("local", "dask"):
        count = _count(rest or workers or os.cpu_count() or 1, where)
        opened = LocalProcesses(count) if kind == "local" else _dask().local(count)
    elif kind in ("tcp", "tls", "ssh") and rest:
        opened = _dask().over_ssh(rest) if kind == "ssh" else _dask().connect(where)
    else:
        raise ValueError(f"unknown place for jobs {where!r}; known: {WHERE}")
    try:
        yield opened
    except BaseException:
        opened.shutdown(wait=False, cancel_futures=True)
        raise
    opened.shutdown()


def _dask():
    try:
        from adkit.batch import dask_cluster
    except ImportError as error:
        raise ImportError(f"Dask is missing ({error}); pip install dask distributed, or use local:4") from error
    return dask_cluster


def _count(value: str | int, where: str) -> int:
    if not str(value).isdigit() or int(value) < 1:
        raise ValueError(f"the number of workers must be a whole number of at least 1, got {where!r}")
    return int(value)
