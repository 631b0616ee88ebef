"""A comparison against cores: measured with one and two workers, simulated up to 64."""

import heapq
import importlib.util
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adkit.batch import Job, Outcome, open_executor, run_jobs
from adkit.compare.methods import experiment
from adkit.experiments.many import ExperimentJob, variables

METHODS = ("autoencoder", "synthetic", "vae", "filterbank")
STEPS, SEEDS, CORES = 20, 1, (1, 2, 4, 8, 16, 32, 64)
REPEATS = 64  # so often the measured jobs are done again in the simulation: a comparison with many seeds
NOTHING = 200  # jobs that do nothing, to see what the scheduler takes


class Nothing(Job):
    """A job that is over at once."""

    gpus = 0

    def __init__(self, number: int):
        self.name = f"nothing {number}"

    def run(self, lease: object) -> Outcome:
        """Do nothing."""
        return Outcome()


@dataclass(frozen=True)
class Cores:
    """What a comparison takes.

    Attributes:
        wall: workers → seconds of all.
        jobs: workers → seconds of each job.
        start: seconds until a first worker answers.
        dispatch: place → seconds that the scheduler takes for a job.
        simulated: workers → seconds of ``REPEATS`` times as many jobs.
    """

    wall: dict[int, float]
    jobs: dict[int, list[float]]
    start: float
    dispatch: dict[str, float]
    simulated: dict[int, float]


def makespan(jobs: Sequence[float], workers: int, start: float, dispatch: float) -> float:
    """Seconds until all jobs are over: each goes to the worker that is free first, one is handed out at a time.

    Args:
        jobs: seconds of each, in their order.
        workers: how many work at a time.
        start: seconds until a worker is there.
        dispatch: seconds to hand out one job.

    Example:
        >>> makespan([1.0, 1.0, 1.0], 2, start=0.5, dispatch=0.0)
        2.5
    """
    free, handed = [start] * workers, 0.0
    for seconds in jobs:
        handed = max(handed, heapq.heappop(free)) + dispatch
        heapq.heappush(free, handed + seconds)
    return max(free)


def timed_jobs(workers: int) -> tuple[float, list[float]]:
    """Wall-clock seconds of all jobs, and seconds of each, in a home of their own."""
    with tempfile.TemporaryDirectory() as home, variables(ADKIT_HOME=home):
        plan = [experiment(name, seed, "cpu", category="gabardine") for name in METHODS for seed in range(SEEDS)]
        plan = [each if each.method == "filterbank" else each.variant(steps=STEPS) for each in plan]
        jobs = [
            ExperimentJob(f"{number} {each.label}", each, each.address(), home, gpus=0)
            for number, each in enumerate(plan)
        ]
        start = time.perf_counter()
        with open_executor(f"local:{workers}") as executor:
            done = run_jobs(jobs, executor, quiet=True)
        wall = time.perf_counter() - start
        if failed := [one for one in done if not one.good]:
            raise RuntimeError(f"{failed[0].name}: {failed[0].error}")
        assert len(list((Path(home) / "results").iterdir())) == len(jobs)
    return wall, [one.seconds for one in done]


def overhead(where: str) -> tuple[float, float]:
    """Seconds until a first worker of a place answers, and seconds for each job that does nothing."""
    start = time.perf_counter()
    with open_executor(where) as executor:
        run_jobs([Nothing(-1)], executor, quiet=True)
        there = time.perf_counter()
        run_jobs([Nothing(number) for number in range(NOTHING)], executor, quiet=True)
        over = time.perf_counter()
    return there - start, (over - there) / NOTHING


def measure() -> Cores:
    """Measure with one and two workers, and simulate more from the times of jobs that had one thread each."""
    counts = (1, 2)
    before = {workers: timed_jobs(workers) for workers in counts}
    places = ["local:2"] + ["dask:2"] * (importlib.util.find_spec("distributed") is not None)
    taken = {place: overhead(place) for place in places}
    alone = before[max(counts)][1] * REPEATS
    worst = max(dispatch for _, dispatch in taken.values())
    start = max(start for start, _ in taken.values())
    return Cores(
        {workers: wall for workers, (wall, _) in before.items()},
        {workers: jobs for workers, (_, jobs) in before.items()},
        start,
        {place: dispatch for place, (_, dispatch) in taken.items()},
        {workers: makespan(alone, workers, start, worst) for workers in CORES},
    )


def section(cores: Cores) -> str:
    """The part of the page."""
    number = len(cores.jobs[1])
    lines = [
        "## A comparison against cores",
        "",
        f"{number} runs ({', '.join(METHODS)}; {SEEDS} seeds; {STEPS} steps each, where there are steps) on `local:1` "
        f"and `local:2`. This machine has {os.cpu_count()} cores: with one worker a run has them all.",
        "",
        "| workers | seconds | sum of the runs, s | longest run, s | as fast as one worker |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for workers, wall in cores.wall.items():
        jobs = cores.jobs[workers]
        gain = cores.wall[1] / wall
        lines.append(f"| {workers} | {wall:.1f} | {sum(jobs):.1f} | {max(jobs):.1f} | {gain:.2f} × |")
    told = ", ".join(f"{place} {1000 * seconds:.1f} ms" for place, seconds in cores.dispatch.items())
    lines += [
        "",
        f"A first worker answers after {cores.start:.1f} s; a job that does nothing takes {told}.",
        "",
        f"Simulated, not measured: {number * REPEATS} runs with the times of `local:2` (one thread a run), handed out "
        "one at a time to whoever is free, with that start and the larger of those overheads. It leaves out what "
        "cores share: memory and the disk.",
        "",
        "| workers | seconds | as fast as one worker | of that many |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for workers, seconds in cores.simulated.items():
        gain = cores.simulated[1] / seconds
        lines.append(f"| {workers} | {seconds:.0f} | {gain:.1f} × | {gain / workers:.0%} |")
    longest = max(cores.jobs[2])
    lines += [
        "",
        f"No number of workers takes less than the longest run, {longest:.1f} s; beyond: fewer steps, or a GPU.",
    ]
    return "\n".join(lines) + "\n"
