"""Notebooks in batches: each in a process group of its own, which ends whole; nothing half done gets a good name."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adkit.__main__ import main
from adkit.batch import NotebookJob, load_plan, open_executor, run_jobs
from adkit.batch.leases import Lease
from adkit.batch.processes import descendants, lives
from tests.batch_jobs import notebook

PID = "import os, pathlib\npathlib.Path(out).mkdir(parents=True, exist_ok=True)\n"
PID += "(pathlib.Path(out) / 'pid').write_text(str(os.getpid()))"
RESULTS = "import json\n(pathlib.Path(out) / 'results.json').write_text(json.dumps({'pro': steps / 10}))\nprint(steps)"
HANG = "import time\nprint('before', flush=True)\ntime.sleep(600)"
DIES = "import signal, pathlib\nmark = pathlib.Path(out) / 'died'\nif not mark.exists():\n"
DIES += "    mark.touch()\n    os.kill(os.getpid(), signal.SIGKILL)"
GPU = "assert os.environ['CUDA_VISIBLE_DEVICES'] == 'fake-3', os.environ['CUDA_VISIBLE_DEVICES']"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="process groups")]


def job(folder: Path, *cells: str, name: str = "a", **settings) -> NotebookJob:
    return NotebookJob(name, notebook(PID, *cells), {"steps": 7}, str(folder), **settings)


def names(folder: Path) -> list[str]:
    """What lies in a folder of runs."""
    return sorted(path.name for path in folder.iterdir())


def is_gone(pid: int) -> bool:
    """Whether a process ends within a minute."""
    deadline = time.monotonic() + 60
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not lives(pid)


@pytest.fixture(scope="module")
def fine_run(tmp_path_factory):
    """A run that goes well: its folder, its outcome, and the seconds it took, which tell how busy the machine is."""
    folder, cells = tmp_path_factory.mktemp("fine"), ("assert os.environ['SEEN'] == 'yes'", RESULTS, GPU)
    planned = job(folder, *cells, environment={"SEEN": "yes"}, resume=True)
    began = time.monotonic()
    return planned, planned.run(Lease(("fake-3",))), time.monotonic() - began


def test_a_run_is_kept_with_its_outputs_and_figures(fine_run):
    planned, outcome, _ = fine_run
    folder = Path(planned.runs)
    assert (outcome.status, outcome.error, outcome.figures) == ("ok", "", {"pro": 0.7})
    assert names(folder) == ["a", "a.ipynb"]
    assert "SEEN" not in os.environ
    executed = json.loads((folder / "a.ipynb").read_text(encoding="utf-8"))
    assert executed["cells"][-2]["outputs"][0]["text"] == ["7\n"]


def test_a_finished_run_is_known_by_cells_parameters_and_environment(fine_run):
    planned, _, _ = fine_run
    assert planned.is_finished()
    assert planned.run(Lease()).status == "skipped"
    for change in ({"parameters": {"steps": 8}}, {"environment": {}}, {"source": notebook(PID)}, {"runs": "elsewhere"}):
        assert not replace(planned, **change).is_finished()


def test_a_failed_run_is_kept_under_another_name(tmp_path):
    (tmp_path / "a.ipynb").write_text("of an earlier run", encoding="utf-8")
    outcome = job(tmp_path, "print('so far')", "1 / 0").run(Lease())
    assert outcome.status == "failed"
    assert outcome.error.startswith("ZeroDivisionError in cell 5: division by zero")
    assert names(tmp_path) == ["a", "a.failed.ipynb"]
    assert "so far" in (tmp_path / "a.failed.ipynb").read_text(encoding="utf-8")


def test_a_run_out_of_time_ends_with_its_kernel(tmp_path, fine_run):
    timeout = max(round(3 * fine_run[2]), 15)
    outcome = job(tmp_path, HANG, timeout=timeout).run(Lease())
    assert (outcome.status, outcome.error) == ("timeout", f"out of time after {timeout} s")
    assert is_gone(int((tmp_path / "a" / "pid").read_text()))
    assert names(tmp_path) == ["a", "a.failed.ipynb"]


def test_a_kernel_that_dies_is_tried_again_and_an_error_is_not(tmp_path):
    jobs = [job(tmp_path, DIES, RESULTS, name="dies"), job(tmp_path, "1 / 0", name="wrong")]
    with open_executor("local:2") as executor:
        died, wrong = run_jobs(jobs, executor, quiet=True)
    assert (died.status, died.attempts, died.figures) == ("ok", 2, {"pro": 0.7})
    assert (wrong.status, wrong.attempts) == ("failed", 1)
    assert names(tmp_path) == ["dies", "dies.ipynb", "wrong", "wrong.failed.ipynb"]


def test_a_worker_without_the_folder_sends_its_run_back(tmp_path):
    away = job(tmp_path / "runs", RESULTS, token="not there")
    with open_executor("local:1") as executor:
        (done,) = run_jobs([away], executor, quiet=True)
    assert (done.status, done.figures) == ("ok", {"pro": 0.7})
    assert names(tmp_path / "runs") == ["a", "a.ipynb"]
    assert (tmp_path / "runs" / "a" / "results.json").is_file()


def test_a_plan_from_the_shell_and_again_after_its_driver_was_killed(tmp_path):
    """Nothing runs on, and the second call does what is missing, and only that."""
    hangs = "import time\nif steps == 2 and 'HANG' in os.environ:\n    time.sleep(600)"
    (tmp_path / "a.ipynb").write_text(notebook(PID, hangs, RESULTS), encoding="utf-8")
    plan, runs = tmp_path / "plan.yaml", tmp_path / "runs"
    plan.write_text("runs: runs\njobs:\n- {notebook: a.ipynb, grid: {steps: [1, 2, 3]}}\n", encoding="utf-8")
    call = [sys.executable, "-m", "adkit", "batch", str(plan), "--on", "local:1", "--quiet"]
    driver = subprocess.Popen(call, env=os.environ | {"HANG": "1"})
    pid = runs / "a--steps=2" / "pid"
    try:
        while not (pid.exists() and pid.read_text()):
            assert driver.poll() is None
            time.sleep(0.05)
        assert int(pid.read_text()) in descendants(driver.pid)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    assert is_gone(int(pid.read_text()))
    first = (runs / "a--steps=1.ipynb").stat().st_mtime_ns
    assert not (runs / "a--steps=2.ipynb").exists()
    assert main(["batch", str(plan), "--on", "local:2", "--resume", "--quiet"]) == 0
    assert (runs / "a--steps=1.ipynb").stat().st_mtime_ns == first
    with (runs / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert {row["parameters"]: (row["status"], row["pro"]) for row in rows.values()} == {
        f'{{"steps": {steps}}}': ("ok", f"0.{steps}") for steps in (1, 2, 3)
    }
    assert {row["notebook"] for row in rows.values()} == {"a.ipynb"}
    assert not [name for name in names(runs) if name.startswith(".")]
    assert all(job.is_finished() for job in load_plan(plan).jobs)
