"""Run every method with every seed, measure what each leaves, and lose nothing when one of them fails."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from numbers import Integral
from typing import TypeVar

import torch

from adkit.compare.comparison import Comparison, Problem, middle
from adkit.compare.measure import measure, with_draws
from adkit.compare.methods import choose, experiment
from adkit.data import Splits
from adkit.experiments.experiment import Experiment, Result, run
from adkit.experiments.many import ExperimentsFailed, run_many
from adkit.experiments.tables import DATA
from adkit.metrics.intervals import check_draws
from adkit.metrics.significance import LEVEL
from adkit.runtime import fast_mode, resolve_device
from adkit.runtime.progress import progress
from adkit.runtime.provenance import versions

T = TypeVar("T")
FORMAT = 2  # of what a comparison writes; 1 (without a number): intervals of the middle seed, no macro PRO, no p-values
MISSING = ("ImportError", "ModuleNotFoundError", "ConnectionError")  # want of a package or of weights


def compare(
    methods: str | list[str] = "all",
    *,
    seeds: int | Sequence[int] = 3,
    device: str = "auto",
    draws: int = 1000,
    quiet: bool = False,
    executor: Executor | None = None,
    **data,
) -> Comparison:
    """Compare methods on one data set, each with one configuration and with the same seeds.

    Every run is kept as :func:`adkit.run` keeps it: a comparison that was killed goes on where it was when
    it is asked for again, and runs that a notebook made before are not made twice. A method that lacks a package or
    published weights is skipped, one that fails is noted with its error, and the others go on.

    Args:
        methods: ``all``, or names of :data:`adkit.compare.METHODS`.
        seeds: of training: how many (an integer of at least 1, then they count from 0), or a list of integers.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        draws: number of bootstrap samples, of seeds and of test images, at least 2.
        quiet: show no progress.
        executor: what the trainings run on, see :func:`adkit.experiments.run_many`; None: here, one after the other.
            What a frame costs is measured here.
        data: ``dataset`` (default: the textile), ``root``, ``category``, ``image_size``, ``channels``, ``tile``,
            ``overlap`` and ``data_seed``, as of :class:`adkit.Experiment`.

    Raises:
        ValueError: if an argument is unknown or out of its range.
        FileNotFoundError: if there are no images where they should be.

    Example:
        >>> compare("nothing")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        ValueError: unknown method 'nothing'; known: all, or some of autoencoder, ...
    """
    names, seeds = choose(methods), _as_seeds(seeds)
    check_draws(draws, LEVEL)
    plan = [experiment(name, seed, device, **data) for name in names for seed in seeds]
    named = list(zip([name for name in names for _ in seeds], plan, strict=True))
    splits = plan[0].splits()  # images that are missing or wrong are refused before the first method learns
    problems: list[Problem] = []
    failed = _run_ahead(plan, executor, quiet) if executor else {}
    results = _run_all(named, splits, draws, problems, quiet, failed)
    measured = {}
    for name, runs in progress(results.items(), "measuring", quiet=quiet):
        chosen = middle(runs)
        work = partial(measure, chosen, splits.test)
        if (measurement := _attempt(work, name, chosen.experiment.seed, problems)) is not None:
            measured[name] = measurement
    return Comparison(_protocol(plan[0], splits, seeds, draws) | _machine(device), results, measured, problems)


def _run_ahead(plan: list[Experiment], executor: Executor, quiet: bool) -> Mapping[Experiment, str]:
    """Run all on an executor, which leaves results that are found afterwards; those that failed, with the error."""
    try:
        run_many(plan, executor, quiet=quiet)
    except ExperimentsFailed as error:
        return {planned: done.error for planned, done in error.failed.items()}
    return {}


def _run_all(
    named: list[tuple[str, Experiment]],
    splits: Splits,
    draws: int,
    problems: list[Problem],
    quiet: bool,
    failed: Mapping[Experiment, str],
) -> dict[str, list[Result]]:
    """Method → its results, with their draws; what went wrong, here or before, is added to ``problems``."""

    def work(planned: Experiment) -> Result:
        return with_draws(run(planned, quiet=True), splits.test, draws)

    results: dict[str, list[Result]] = {}
    for name, planned in progress(named, "methods × seeds", quiet=quiet):
        # what is missing for one seed is missing for all
        if any(problem.method == name and problem.status == "skipped" for problem in problems):
            continue
        if planned in failed:
            status = "skipped" if failed[planned].startswith(MISSING) else "failed"
            problems.append(Problem(name, planned.seed, status, failed[planned]))
        elif result := _attempt(partial(work, planned), name, planned.seed, problems):
            results.setdefault(name, []).append(result)
    return results


def _attempt(work: Callable[[], T], name: str, seed: int, problems: list[Problem]) -> T | None:
    """The result of some work, or None where it fails, for a reason that is then among the problems."""
    try:
        return work()
    except (ImportError, ConnectionError) as error:
        problems.append(Problem(name, seed, "skipped", str(error)))
    except Exception as error:  # of any kind: the other methods should have their turn
        problems.append(Problem(name, seed, "failed", f"{type(error).__name__}: {error}"))
    return None


def _as_seeds(seeds: int | Sequence[int]) -> list[int]:
    chosen = list(range(seeds) if isinstance(seeds, Integral) else dict.fromkeys(seeds))
    if not chosen:
        raise ValueError(f"seeds must be at least 1, or a list of them, got {seeds!r}; 3 is usual")
    return chosen


def _protocol(planned: Experiment, splits: Splits, seeds: list[int], draws: int) -> dict:
    """What is the same for all methods; where the images lie is not told, only what they are."""
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    return {
        **{name: getattr(planned, name) for name in DATA},
        "frames": {name: len(part.groups()) for name, part in parts.items()},
        "fingerprint": splits.fingerprint,
        "seeds": seeds,
        "draws": draws,
        "format": FORMAT,
        "fast": fast_mode(),
    }


def _machine(device: str) -> dict:
    """What times depend on."""
    target = resolve_device(device)
    threads = f"{target}, {torch.get_num_threads()} threads"
    name = torch.cuda.get_device_name(target) if target.type == "cuda" else threads
    return {"machine": {"device": name, **versions()}}
