"""A job that runs a notebook through papermill, in a process group of its own.

    runs/NAME.ipynb            the executed notebook, once it is over and fine
    runs/NAME.failed.ipynb     what a run left that failed or took too long, with its outputs so far
    runs/NAME/                 what the notebook wrote: results.json
    runs/.NAME.partial-…/      a run under way

A process for each run: its environment is its own, its kernel takes nobody along when it dies, and it can be ended.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from adkit.batch import execute, shared
from adkit.batch.figures_of_merit import figures_of
from adkit.batch.jobs import DIED, FAILED, OK, SKIPPED, TIMEOUT, Job, Outcome
from adkit.batch.leases import Lease
from adkit.batch.parameters import notebook_parameters
from adkit.batch.processes import kill_tree
from adkit.runtime.lock import locked
from adkit.runtime.serialization import write_json

START_TIMEOUT = 300  # seconds for a kernel to start: many at once take long
STATUS = {execute.FINE: OK, execute.KERNEL_DIED: DIED}
MARK = "adkit_batch"  # in the metadata of an executed notebook
OUT = "out"  # the parameter that says where a notebook writes


@dataclass(frozen=True)
class NotebookJob(Job):
    """One run of one notebook.

    Args:
        name: of the run; its files are called so.
        source: text of the notebook, JSON.
        parameters: name → plain data.
        runs: folder of the outputs.
        home: ``ADKIT_HOME`` of the run, where trainings are kept; empty: ``runs``.
        environment: variables that the run sees besides those of the worker.
        timeout: seconds for the whole run; None: no limit.
        gpus: how many it needs; None: one where there is any.
        kernel: name of the kernel; None: the notebook's own.
        cwd: folder that the kernel runs in; where a worker lacks it, the run's own.
        resume: leave out a run that was finished with the same cells, parameters and environment.
        token: see :mod:`adkit.batch.shared`; where a worker does not see ``runs``, what it wrote is sent back.
    """

    name: str
    source: str
    parameters: Mapping = field(default_factory=dict)
    runs: str = "runs"
    home: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    gpus: int | None = None
    kernel: str | None = None
    cwd: str = "."
    resume: bool = False
    token: str = ""

    @property
    def key(self) -> str:
        """Hash of what the run depends on: code cells, parameters, environment."""
        code = ["".join(cell["source"]) for cell in json.loads(self.source)["cells"] if cell["cell_type"] == "code"]
        content = [code, dict(self.parameters), dict(self.environment)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]

    def is_finished(self, runs: Path | None = None) -> bool:
        """Whether this very run was finished before.

        Args:
            runs: folder of the outputs; None: the job's own.
        """
        try:
            metadata = json.loads(((runs or Path(self.runs)) / f"{self.name}.ipynb").read_text(encoding="utf-8"))
            return metadata["metadata"][MARK]["key"] == self.key
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def run(self, lease: Lease) -> Outcome:
        """Execute the notebook; see :meth:`adkit.batch.Job.run`.

        Args:
            lease: the GPUs that the run holds.
        """
        if shared.is_shared(self.runs, self.token):
            return self._alone(Path(self.runs), Path(self.home or self.runs), lease)
        with tempfile.TemporaryDirectory(prefix="adkit-") as folder:
            outcome = self._alone(Path(folder) / "runs", Path(folder) / "home", lease)
            return Outcome(outcome.status, outcome.error, outcome.figures, shared.pack(Path(folder) / "runs"))

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Store what a worker sent back; see :meth:`adkit.batch.Job.keep`.

        Args:
            files: relative path → content.
        """
        shared.unpack(files, Path(self.runs))

    def _alone(self, runs: Path, home: Path, lease: Lease) -> Outcome:
        """Execute it unless another process does, or has done so."""
        with locked(runs / f".{self.name}"):
            if self.resume and self.is_finished(runs):
                return Outcome(SKIPPED, figures=figures_of(runs / self.name))
            for left in runs.glob(f".{escape(self.name)}.partial-*"):  # of a run that was killed
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=f".{self.name}.partial-", dir=runs) as folder:
                return self._execute(Path(folder), runs, home, lease)

    def _execute(self, partial: Path, runs: Path, home: Path, lease: Lease) -> Outcome:
        (partial / "source.ipynb").write_text(self.source, encoding="utf-8")
        results = runs / self.name
        (results / "results.json").unlink(missing_ok=True)
        order = {
            "notebook": str(partial / "source.ipynb"),
            "out": str(partial / "run.ipynb"),
            "parameters": {**self._told_where(results), **self.parameters},
            "kernel": self.kernel,
            "cwd": self.cwd if Path(self.cwd).is_dir() else str(partial),
            "start_timeout": START_TIMEOUT,
        }
        write_json(partial / "order.json", order)
        environment = {**os.environ, **self.environment, **lease.environment, "ADKIT_HOME": str(home)}
        environment.setdefault("ADKIT_HEADLESS", "1")
        code, error = _in_own_group(partial, environment, self.timeout, lease.files)
        if code is None:
            status = TIMEOUT
        else:  # ended by a signal: of the system, for want of memory
            status = DIED if code < 0 else STATUS.get(code, FAILED)
        self._publish(partial / "run.ipynb", runs, status == OK)
        return Outcome(status, error, figures_of(results))

    def _told_where(self, results: Path) -> dict[str, str]:
        """The parameter that says where to write, of a notebook that has one."""
        try:
            return {OUT: str(results)} if OUT in notebook_parameters(json.loads(self.source)) else {}
        except ValueError:
            return {}

    def _publish(self, executed: Path, runs: Path, fine: bool) -> None:
        """Give the executed notebook its name: one that failed never has that of one that is fine."""
        if not executed.is_file():  # the kernel did not even start
            return
        if fine:
            notebook = json.loads(executed.read_text(encoding="utf-8"))
            notebook["metadata"][MARK] = {"key": self.key}
            executed.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        executed.replace(runs / (f"{self.name}.ipynb" if fine else f"{self.name}.failed.ipynb"))
        (runs / (f"{self.name}.failed.ipynb" if fine else f"{self.name}.ipynb")).unlink(missing_ok=True)


def _in_own_group(
    partial: Path, environment: Mapping[str, str], timeout: float | None, files: tuple[int, ...]
) -> tuple[int | None, str]:
    """Exit status (None: out of time) and what went wrong, of a run whose order lies in a folder."""
    with (partial / "order.json").open("rb") as order, (partial / "log.txt").open("w+b") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "adkit.batch.execute"],
            stdin=order,
            stdout=log,
            stderr=log,
            env=dict(environment),
            start_new_session=True,
            pass_fds=files,
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None, f"out of time after {timeout:g} s"
        finally:
            if process.poll() is None:
                kill_tree(process)
        log.seek(0)
        lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    return code, "" if code == execute.FINE else (lines[-1] if lines else f"ended with status {code}")
