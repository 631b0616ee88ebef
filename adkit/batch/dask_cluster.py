"""A Dask cluster as an executor of ``concurrent.futures``; the ``[cluster]`` extra.

Dask does the scheduling: it gives a job whose worker died to another one. What is added here is that every worker runs
the same adkit, the late ones too, and that a scheduler anybody can reach without a key is called what it is.
"""

import ipaddress
import platform
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster, SpecCluster, SSHCluster

from adkit.runtime import VERSION
from adkit.runtime.provenance import source_fingerprint

PACKAGES = ("torch", "numpy", "distributed")
PATIENCE = 60  # seconds to find a scheduler
# 15 s after a worker was lost, Dask looks whether it has a successor; if not, it closes the nanny that starts one: also
# where a successor has just died and the next is starting. Then no worker ever comes, and jobs wait for ever.
LASTING = {"distributed.deploy.lost-worker-timeout": "10000 days"}


class DaskExecutor(Executor):
    """Runs functions on a cluster whose workers have the same adkit as the caller.

    Args:
        client: connected to the cluster.
        owned: what to close at the end besides it: a cluster that was started for this.
    """

    def __init__(self, client: Client, owned: SpecCluster | None = None):
        self.client, self._owned = client, owned
        self._inner = client.get_executor(pure=False)
        self._expected = software()
        self._while_open = ExitStack()
        if owned is not None:
            self._while_open.enter_context(dask.config.set(LASTING))

    @property
    def workers(self) -> int:
        """Jobs that run at a time, as many as the workers have threads."""
        return sum(self.client.nthreads().values())

    def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
        """Run a function on a worker.

        Args:
            fn: of a module that the workers have too.
            args: its arguments.
            kwargs: its named arguments.
        """
        return self._inner.submit(checked, self._expected, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, and end it where it was started for this.

        Args:
            wait: until what runs is over.
            cancel_futures: forget what is not over.
        """
        self._inner.shutdown(wait=wait and not cancel_futures)
        self.client.close()
        if self._owned is not None:
            self._owned.close()
        self._while_open.close()


def local(workers: int) -> DaskExecutor:
    """A cluster on this machine, of processes with one job each.

    Args:
        workers: number of processes.
    """
    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    return _checked_executor(Client(cluster), cluster)


def connect(address: str) -> DaskExecutor:
    """A cluster that runs already.

    Args:
        address: of its scheduler, such as ``tcp://host:8786``.

    Raises:
        RuntimeError: if there is no scheduler, or a worker has other software.

    Warns:
        UserWarning: if the scheduler lies on another machine and speaks without TLS.
    """
    if is_open(address):
        warnings.warn(
            f"{address} has no TLS: whoever reaches that port can run any code on its workers; keep it in a trusted "
            "network, or use tls://",
            stacklevel=3,
        )
    try:
        client = Client(address, timeout=PATIENCE)
    except OSError as error:
        raise RuntimeError(f"no Dask scheduler answers at {address} ({error}); is it running?") from error
    return _checked_executor(client)


def over_ssh(hosts: str | Path) -> DaskExecutor:
    """A cluster started over SSH on the hosts of a file; Dask needs the package ``asyncssh`` for it.

    Args:
        hosts: a file with a host in each line, ``#`` before a comment; the first runs the scheduler too. SSH must work
            without a password, and the folder of the runs lie at the same path everywhere, or nowhere.

    Raises:
        ValueError: if the file names no host.
    """
    lines = [
        line.partition("#")[0].strip() for line in Path(hosts).expanduser().read_text(encoding="utf-8").split("\n")
    ]
    if not (names := [line for line in lines if line]):
        raise ValueError(f"{hosts} names no host; write one in each line")
    cluster = SSHCluster([names[0], *names], worker_options={"nthreads": 1})
    return _checked_executor(Client(cluster), cluster)


def is_open(address: str) -> bool:
    """Whether a scheduler of another machine speaks without encryption.

    Example:
        >>> [is_open(address) for address in ("tcp://10.0.0.7:8786", "tls://10.0.0.7:8786", "tcp://127.0.0.1:8786")]
        [True, False, False]
    """
    parts = urlsplit(address)
    try:
        loopback = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        loopback = parts.hostname == "localhost"
    return parts.scheme != "tls" and not loopback


@lru_cache(maxsize=1)
def software() -> dict[str, str]:
    """What must be the same on all machines, so that a result does not depend on where it was made."""
    found = {"adkit": VERSION, "sources": source_fingerprint()[:12], "python": platform.python_version()[:4]}
    for package in PACKAGES:
        try:
            found[package] = version(package).partition("+")[0]
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def checked(expected: dict[str, str], fn: Callable, args: tuple, kwargs: dict) -> object:
    """Run a function, but not on a worker whose software differs.

    Args:
        expected: :func:`software` of the caller.
        fn: the function.
        args: its arguments.
        kwargs: its named arguments.

    Raises:
        RuntimeError: if it differs; the message says in what.
    """
    if said := difference(expected, software()):
        raise RuntimeError(f"this worker has other software: {said}; install the same on all machines")
    return fn(*args, **kwargs)


def difference(here: dict[str, str], there: dict[str, str]) -> str:
    """In what two machines' software differs; empty where in nothing.

    Example:
        >>> difference({"adkit": "0.2.0"}, {"adkit": "0.1.0"})
        'adkit 0.1.0 there, 0.2.0 here'
    """
    names = [name for name in here if here[name] != there.get(name)]
    return ", ".join(f"{name} {there.get(name, 'missing')} there, {here[name]} here" for name in names)


def _checked_executor(client: Client, owned: SpecCluster | None = None) -> DaskExecutor:
    """The executor, once all workers that are there have the same software."""
    executor = DaskExecutor(client, owned)
    try:
        found = client.run(software)
        wrong = {worker: said for worker, there in found.items() if (said := difference(software(), there))}
        if wrong:
            told = "; ".join(f"{worker}: {said}" for worker, said in wrong.items())
            raise RuntimeError(f"workers have other software: {told}; install the same on all machines")
    except ModuleNotFoundError as error:
        executor.shutdown(cancel_futures=True)
        raise RuntimeError(f"the workers lack a package ({error}); install adkit there, as here") from error
    except RuntimeError:
        executor.shutdown(cancel_futures=True)
        raise
    return executor
