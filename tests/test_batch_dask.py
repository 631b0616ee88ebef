"""Batches on a Dask cluster of two processes: the same answers, and a worker that is killed loses nothing."""

import os
import signal
import threading
import time
from contextlib import suppress

import pytest

from adkit import Experiment
from adkit.batch import open_executor, run_jobs
from adkit.experiments import run_many
from tests.batch_jobs import Dies, Note

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
dask_cluster = pytest.importorskip("adkit.batch.dask_cluster")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # of Dask, when a worker is killed

TINY = {"width": 4, "steps": 4, "crop": 32, "device": "cpu"}


@pytest.fixture(scope="module")
def executor(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_TEMPORARY_DIRECTORY", str(tmp_path_factory.mktemp("dask")))
        with open_executor("dask:2") as opened:
            yield opened


def pids(executor) -> set[int]:
    return set(executor.client.run(os.getpid).values())


def kill(numbers: set[int]) -> None:
    for number in numbers:
        with suppress(ProcessLookupError):  # dead already
            os.kill(number, signal.SIGKILL)


def test_jobs_run_on_both_processes(executor, tmp_path):
    assert executor.workers == 2
    jobs = [Note(f"n{k}", str(tmp_path), 0.3) for k in range(6)] + [Note("bad", str(tmp_path), error="no")]
    done = run_jobs(jobs, executor, quiet=True)
    assert [one.status for one in done] == ["ok"] * 6 + ["failed"]
    assert {one.figures["pid"] for one in done[:6]} == pids(executor)


def test_gpus_are_lent_there_too(executor, tmp_path):
    jobs = [Note(f"n{k}", str(tmp_path), 0.3, gpus=1) for k in range(3)]
    done = run_jobs(jobs, executor, devices=["dask-0"], quiet=True)
    assert {one.gpus for one in done} == {"dask-0"}
    spans = sorted(tuple(map(float, (tmp_path / job.name).read_text().split()[1:])) for job in jobs)
    assert spans[0][1] <= spans[1][0]
    assert spans[1][1] <= spans[2][0]


def test_a_worker_killed_in_the_middle_loses_nothing(executor, tmp_path):
    """One ends itself while it works, and a second later whichever of the two is left is killed from outside."""
    jobs = [Dies("dies", str(tmp_path), seconds=0.5), *(Note(f"n{k}", str(tmp_path), 0.5) for k in range(8))]
    killer = threading.Timer(1.0, kill, (pids(executor),))
    killer.start()
    done = run_jobs(jobs, executor, quiet=True)
    killer.join()
    assert [(one.name, one.status) for one in done] == [(job.name, "ok") for job in jobs]
    assert all((tmp_path / f"n{k}").exists() for k in range(8))


def test_a_job_that_kills_every_worker_is_lost_and_the_others_are_not(executor, tmp_path):
    jobs = [Dies("always", str(tmp_path), times=999), *(Note(f"n{k}", str(tmp_path), 0.1) for k in range(4))]
    done = run_jobs(jobs, executor, quiet=True)
    assert [one.status for one in done] == ["lost"] + ["ok"] * 4


def test_a_worker_comes_back_however_long_it_takes(tmp_path):
    """Dask gives up a name that has no worker ``lost-worker-timeout`` after it lost one: without ours, this hangs."""
    jobs = [Dies("dies", str(tmp_path)), Note("note", str(tmp_path))]
    setting = "distributed.deploy.lost-worker-timeout"
    with dask.config.set({setting: "100 ms"}):
        with open_executor("dask:1") as other:
            assert other.workers == 1
            assert [one.status for one in run_jobs(jobs, other, quiet=True)] == ["ok", "ok"]
        assert dask.config.get(setting) == "100 ms"


def test_experiments_run_there(executor):
    experiments = [Experiment(settings=TINY, image_size=(64, 64), seed=seed) for seed in range(3)]
    results = run_many(experiments, executor, quiet=True)
    assert [result.experiment.seed for result in results] == [0, 1, 2]
    assert not any(result.from_cache for result in results)
    assert all(
        result.path.name == experiment.address() for experiment, result in zip(experiments, results, strict=True)
    )


def test_an_existing_scheduler_is_found_by_its_address(executor, tmp_path):
    with open_executor(executor.client.scheduler.address) as other:
        (done,) = run_jobs([Note("a", str(tmp_path))], other, quiet=True)
    assert done.status == "ok"
    assert executor.client.status == "running"


def test_a_worker_with_other_software_is_refused(executor, monkeypatch):
    expected = dask_cluster.software()
    assert dask_cluster.difference(expected, expected) == ""
    with pytest.raises(RuntimeError, match=r"this worker has other software: sources .* there, 0 here"):
        executor._inner.submit(dask_cluster.checked, expected | {"sources": "0"}, pow, (2, 5), {}).result()
    monkeypatch.setattr(dask_cluster, "VERSION", "9.9")
    dask_cluster.software.cache_clear()
    address = executor.client.scheduler.address
    message = r"workers have other software: tcp://.*: adkit .* there, 9.9 here"
    with pytest.raises(RuntimeError, match=message), open_executor(address):
        pass
    dask_cluster.software.cache_clear()


def test_no_scheduler_is_said(monkeypatch):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 1)
    begun = time.monotonic()
    with (
        pytest.raises(RuntimeError, match="no Dask scheduler answers at tcp://"),
        open_executor("tcp://127.0.0.1:9"),
    ):
        pass
    assert time.monotonic() - begun < 30


def test_a_file_of_hosts_needs_hosts(tmp_path):
    (tmp_path / "hosts.txt").write_text("# none yet\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"hosts.txt names no host"), open_executor(f"ssh:{tmp_path / 'hosts.txt'}"):
        pass
