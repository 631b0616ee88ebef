"""Many experiments at once: on the cores of this machine, several GPUs, or a cluster."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adkit.batch.jobs import SKIPPED, Done, Job, Outcome
from adkit.batch.leases import Lease, devices_here
from adkit.batch.runner import run_jobs
from adkit.batch.shared import is_shared, leave_token, pack, unpack
from adkit.experiments import cache
from adkit.experiments.experiment import Experiment, Result, run
from adkit.runtime import fast_mode, home

FIGURES = ("image_auroc", "pixel_ap", "pro")
SHARED_DEVICES = ("auto", "cuda")  # any GPU will do, so the one that is lent


class ExperimentsFailed(RuntimeError):
    """Some experiments of many have no result; those that have one are kept, and found when they are asked for again.

    Attributes:
        failed: experiment → what became of it.
    """

    def __init__(self, failed: Mapping[Experiment, Done], total: int):
        self.failed = dict(failed)
        told = "; ".join(f"{done.name}: {done.error}" for done in self.failed.values())
        super().__init__(f"{len(self.failed)} of {total} experiments have no result, the others are kept: {told}")


@dataclass(frozen=True)
class ExperimentJob(Job):
    """One experiment, run on a worker and kept under its address.

    Args:
        name: of the job.
        experiment: what to run.
        address: of its result, as the caller has it.
        home: ``ADKIT_HOME`` of the caller.
        fast: whether the caller is in fast mode.
        token: see :mod:`adkit.batch.shared`; where a worker does not see ``home``, the result is sent back.
        gpus: how many it needs; None: one where there is any.
    """

    name: str
    experiment: Experiment
    address: str
    home: str
    fast: bool = False
    token: str = ""
    gpus: int | None = None

    def run(self, lease: Lease) -> Outcome:
        """Run it, or find its result; see :meth:`adkit.batch.Job.run`.

        Args:
            lease: the GPU that it holds.

        Raises:
            RuntimeError: if the worker has other images or sources, so that it made another result.
        """
        shared = is_shared(self.home, self.token)
        with variables(ADKIT_FAST="1" if self.fast else "0", **({"ADKIT_HOME": self.home} if shared else {})):
            wanted = self.experiment.settings.get("device", "auto")
            device = lent_device(wanted, lease)  # it is no part of the address
            experiment = self.experiment if device == wanted else self.experiment.variant(device=device)
            result = run(experiment, quiet=True)
            if result.path.name != self.address:
                raise RuntimeError(
                    f"the worker's result is {result.path.name}, not {self.address}: its images or its adkit differ"
                )
            figures = {name: value for name in FIGURES if (value := result.evaluation[name]) is not None}
            files = {} if shared else pack(result.path)
        return Outcome(SKIPPED if result.from_cache else "ok", figures=figures, files=files)

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Store a result that was sent back, whole or not at all; see :meth:`adkit.batch.Job.keep`.

        Args:
            files: relative path → content.
        """
        folder = Path(self.home) / "results" / self.address
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{self.address}.", dir=folder.parent) as temporary:
            unpack(files, Path(temporary) / "new")
            if not folder.exists():
                (Path(temporary) / "new").rename(folder)


def run_many(
    experiments: Iterable[Experiment],
    executor: Executor | None = None,
    *,
    devices: Sequence[str] | None = None,
    retries: int = 1,
    quiet: bool = False,
) -> list[Result]:
    """Run experiments on an executor, or fetch the results of those that were run before.

    Each result is kept under its address, as :func:`adkit.run` keeps it: in ``ADKIT_HOME``, where the workers see it,
    else it is sent back. So what is over when the caller is killed is not run again.

    Args:
        experiments: in any order, also some twice; each is run once.
        executor: any of ``concurrent.futures``, such as :func:`adkit.batch.open_executor` gives; None: one after the
            other, here.
        devices: GPUs of each machine, as CUDA_VISIBLE_DEVICES names them; None: those that a machine has. An experiment
            on ``auto`` or ``cuda`` holds one alone.
        retries: how often more an experiment is begun whose worker died.
        quiet: show no progress.

    Returns:
        A result for each experiment, in their order.

    Raises:
        ExperimentsFailed: if any has no result; the others are kept.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64))
        >>> with ThreadPoolExecutor(1) as executor:
        ...     results = run_many([tiny, tiny.variant(seed=1)], executor, quiet=True)
        >>> [result.experiment.seed for result in results]
        [0, 1]
    """
    experiments = list(experiments)
    if executor is None:
        return [run(experiment, quiet=quiet) for experiment in experiments]
    addresses = {experiment: experiment.address() for experiment in dict.fromkeys(experiments)}
    missing = {experiment: address for experiment, address in addresses.items() if not _is_stored(address)}
    token = leave_token(home())
    try:
        jobs = [_job(experiment, address, token) for experiment, address in missing.items()]
        done = run_jobs(jobs, executor, devices=devices, retries=retries, quiet=quiet)
    finally:
        (home() / token).unlink(missing_ok=True)
    over = dict(zip(missing, done, strict=True))
    if failed := {experiment: one for experiment, one in over.items() if not one.good}:
        raise ExperimentsFailed(failed, len(addresses))
    made = {experiment for experiment, one in over.items() if one.status != SKIPPED}
    results = {experiment: run(experiment, quiet=True) for experiment in addresses}
    return [replace(results[each], from_cache=each not in made) for each in experiments]


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Variables of the environment while the body runs; threads of one process must want the same.

    Args:
        values: name → value.
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def lent_device(wanted: str, lease: Lease) -> str:
    """The device of an experiment that holds a GPU; one that is on no GPU, or on a certain one, stays there.

    Args:
        wanted: its setting: ``auto``, ``cuda``, or another one.
        lease: what is held.
    """
    here = devices_here()
    numbers = [here.index(name) for name in lease.gpus or () if name in here]
    return f"cuda:{numbers[0]}" if numbers and wanted in SHARED_DEVICES else wanted


def _job(experiment: Experiment, address: str, token: str) -> ExperimentJob:
    own = experiment.settings.get("device", "auto")
    return ExperimentJob(
        f"{experiment.label}, seed {experiment.seed} ({address[:6]})",
        experiment,
        address,
        str(home()),
        fast_mode(),
        token,
        gpus=None if own in SHARED_DEVICES else 0,
    )


def _is_stored(address: str) -> bool:
    return cache.read_result(home() / "results" / address / cache.RESULT, address) is not None
