"""A plan from a shell: what ``adkit batch PLAN`` does."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from adkit.batch.executors import WHERE, open_executor
from adkit.batch.index import Index
from adkit.batch.jobs import Done
from adkit.batch.plan import Plan, load_plan
from adkit.batch.runner import run_jobs
from adkit.batch.shared import leave_token

EXAMPLES = """
  adkit batch plan.yaml --dry-run                   check the plan, list the runs
  adkit batch plan.yaml --on local:4 --out runs     four at a time
  adkit batch plan.yaml --on tcp://host:8786 --out runs --resume
"""


def run_plan(
    plan: str | Path,
    *,
    on: str = "local:1",
    out: str | Path | None = None,
    dry_run: bool = False,
    resume: bool = False,
    retries: int = 1,
    quiet: bool = False,
) -> list[Done]:
    """Run all notebooks of a plan, and keep ``index.csv`` beside what they leave.

    Args:
        plan: a YAML file, see :mod:`adkit.batch.plan`.
        on: where to, see :func:`adkit.batch.open_executor`.
        out: folder of the outputs, in place of the plan's.
        dry_run: check everything and list the runs, but start none.
        resume: leave out runs that were finished with the same cells, parameters and environment.
        retries: how often more a run is begun whose kernel or worker died.
        quiet: show no progress.

    Returns:
        What became of each run; empty after a dry run.

    Raises:
        FileNotFoundError: if there is no plan.
        ImportError: if a package is missing.
        ValueError: if anything in the plan is wrong.
    """
    loaded = load_plan(plan, out, resume)
    if dry_run:
        print(describe(loaded))
        return []
    token = leave_token(loaded.runs)
    jobs = [replace(job, token=token) for job in loaded.jobs]
    by_name, index = {job.name: job for job in jobs}, Index(loaded.runs)

    def note(done: Done) -> None:
        index.note(done, loaded.notebooks[done.name], by_name[done.name].parameters)

    try:
        with open_executor(on) as executor:
            return run_jobs(jobs, executor, retries=retries, on_done=note, quiet=quiet)
    finally:
        (loaded.runs / token).unlink(missing_ok=True)


def describe(plan: Plan) -> str:
    """The runs of a plan, a line each, and which of them are finished.

    Args:
        plan: of :func:`adkit.batch.load_plan`.
    """
    lines = [f"{len(plan.jobs)} runs, outputs in {plan.runs}"]
    for job in plan.jobs:
        state = "finished" if job.resume and job.is_finished() else "to run"
        values = " ".join(f"{name}={value!r}" for name, value in job.parameters.items())
        lines.append(f"{state:<8}  {job.name}  {values}".rstrip())
    return "\n".join(lines)


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command.

    Args:
        parser: that gets them.
    """
    parser.epilog = EXAMPLES
    parser.add_argument("plan", type=Path, metavar="PLAN", help="YAML: notebooks, profiles, grids of parameters")
    parser.add_argument("--on", default="local:1", metavar="WHERE", help=f"{WHERE} (default local:1)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the outputs and of index.csv (default: the plan's)"
    )
    parser.add_argument("--dry-run", action="store_true", help="check everything, list the runs, start none")
    parser.add_argument("--resume", action="store_true", help="leave out what is finished")
    parser.add_argument("--retries", type=int, default=1, metavar="N", help="when a kernel or worker died (default 1)")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(chosen: Namespace) -> int:
    """Do what the arguments say.

    Args:
        chosen: what the parser has read.

    Returns:
        0 if every run is fine, 1 if one is not.
    """
    done = run_plan(
        chosen.plan, on=chosen.on, out=chosen.out, dry_run=chosen.dry_run, resume=chosen.resume, retries=chosen.retries,
        quiet=chosen.quiet,
    )  # fmt: skip
    return int(not all(one.good for one in done))
