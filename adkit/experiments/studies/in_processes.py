"""Many trainings at once, so that no core waits while another one works."""

from collections.abc import Callable, Iterable
from concurrent.futures import as_completed
from pathlib import Path

from adkit.batch.executors import open_executor
from adkit.experiments import cache
from adkit.experiments.experiment import Experiment, run
from adkit.experiments.fit_only import fit_experiment
from adkit.experiments.studies.selecting import selection_of
from adkit.runtime import fast_mode, home, resolve_device
from adkit.runtime.cores import cores
from adkit.runtime.progress import Progress, progress

MOST = 4  # processes: each holds torch and the images
# where each kind of work is kept, and under which address
KEPT = {
    run: ("results", Experiment.address),
    selection_of: ("selections", Experiment.address),
    fit_experiment: ("fitted", Experiment.fit_address),
}


def in_processes(work: Callable, experiments: Iterable[Experiment], label: str = "", quiet: bool = False) -> list:
    """Do the same work for many experiments, on the CPU in several processes at once; what is kept is fetched.

    A training on one core takes little longer than on two, and judging uses one core only. So two trainings side by
    side are over much sooner than one after the other. On a GPU, which a single training fills, and in fast mode,
    where starting a process takes longer than the work, they come one after the other.

    Args:
        work: ``run``, ``selection_of`` or ``fit_experiment``, which keep what they made; any other function is called
            here, once for each.
        experiments: in any order; each is done once.
        label: of the progress line.
        quiet: show no progress.

    Returns:
        What ``work`` returns for each experiment, in their order.

    Example:
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64))
        >>> [result.experiment.seed for result in in_processes(run, [tiny, tiny.variant(seed=1)], quiet=True)]
        [0, 1]
    """
    experiments = list(experiments)
    on_cpu = [each for each in dict.fromkeys(experiments) if _is_on_cpu(each)]
    missing = [] if fast_mode() or work not in KEPT else [each for each in on_cpu if not _is_kept(work, each)]
    at_once = min(cores(), MOST, len(missing))
    if at_once < 2:
        return [work(each, quiet=True) for each in progress(experiments, label, quiet=quiet)]
    _keep_all(work, missing, at_once, label, quiet)
    return [work(each, quiet=True) for each in experiments]


def grouped(work: Callable, plan: Iterable[tuple[str, Experiment]], label: str = "", quiet: bool = False) -> dict:
    """The same for experiments that have names: those of one name, usually several seeds, are a group.

    Args:
        work: as for :func:`in_processes`.
        plan: (name, experiment) pairs; a name may come again and again.
        label: of the progress line.
        quiet: show no progress.

    Returns:
        name → list of what ``work`` returns, both in the order of the plan.

    Example:
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64))
        >>> plan = [("l1", tiny), ("ssim", tiny.variant(loss="ssim")), ("l1", tiny.variant(seed=1))]
        >>> {name: len(results) for name, results in grouped(run, plan, quiet=True).items()}
        {'l1': 2, 'ssim': 1}
    """
    plan = list(plan)
    groups: dict[str, list] = {name: [] for name, _ in plan}
    found = in_processes(work, [experiment for _, experiment in plan], label, quiet)
    for (name, _), result in zip(plan, found, strict=True):
        groups[name].append(result)
    return groups


def _is_on_cpu(experiment: Experiment) -> bool:
    return resolve_device(experiment.settings.get("device", "auto")).type == "cpu"


def _is_kept(work: Callable, experiment: Experiment) -> bool:
    kind, address_of = KEPT[work]
    address = address_of(experiment)
    return cache.read_result(home() / kind / address / cache.RESULT, address) is not None


def _keep_all(work: Callable, experiments: list[Experiment], at_once: int, label: str, quiet: bool) -> None:
    """Leave the results of experiments in the cache; what fails there fails again, and is told, where it is fetched."""
    with Progress(len(experiments), label, quiet=quiet) as bar, open_executor(f"local:{at_once}") as executor:
        futures = [executor.submit(_elsewhere, work, each, at_once) for each in experiments]
        for step, future in enumerate(as_completed(futures), start=1):
            if future.exception() is None:
                for folder, seconds in future.result().items():  # what was made there was made in this run
                    cache.fetched_time.seconds.setdefault(Path(folder), seconds)
            bar.update(step)


def _elsewhere(work: Callable, experiment: Experiment, at_once: int) -> dict[str, float]:
    """Do the work in this process; the folders that it made, with 0, and those that it found, with their seconds."""
    with cache.side_by_side(at_once):
        work(experiment, quiet=True)
    return {str(folder): seconds for folder, seconds in cache.fetched_time.seconds.items()}
