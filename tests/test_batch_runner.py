"""Batches: every job gets an answer, dead workers lose none, one GPU holds one job."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import pytest

from adkit.batch import Done, open_executor, run_jobs
from adkit.batch.board import Board
from adkit.batch.executors import LocalProcesses
from adkit.batch.leases import leased
from adkit.batch.processes import descendants, lives
from adkit.batch.shared import is_shared, leave_token, pack, unpack
from tests.batch_jobs import Dies, Note, Sends


@pytest.fixture
def threads():
    with ThreadPoolExecutor(3) as executor:
        yield executor


def test_jobs_come_back_in_their_order_whatever_becomes_of_them(threads, tmp_path):
    jobs = [
        Note("slow", str(tmp_path), 0.3),
        Note("bad", str(tmp_path), error="no such fabric"),
        Note("c", str(tmp_path)),
    ]
    seen = []
    done = run_jobs(jobs, threads, on_done=seen.append, quiet=True)
    assert [one.name for one in done] == ["slow", "bad", "c"]
    assert [one.status for one in done] == ["ok", "failed", "ok"]
    assert done[1].error.startswith("ValueError: no such fabric (run, line ")
    assert [one.name for one in seen][-1] == "slow"
    assert 0.3 <= done[0].seconds < 5
    assert all(one.host and one.started.endswith("+00:00") and one.attempts == 1 for one in done)


@pytest.mark.slow
def test_an_interrupted_batch_ends_what_runs(tmp_path):
    def stop(done):
        raise KeyboardInterrupt

    jobs = [Note("first", str(tmp_path)), Note("long", str(tmp_path), 600.0), Note("never", str(tmp_path))]
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), open_executor("local:1") as executor:
        run_jobs(jobs, executor, on_done=stop, quiet=True)
    assert time.monotonic() - began < 300
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first"]


@pytest.mark.slow
def test_workers_end_with_their_caller_however_that_dies(tmp_path):
    code = "import sys\nfrom adkit.batch import open_executor, run_jobs\nfrom tests.batch_jobs import Pid\n"
    code += "if __name__ == '__main__':\n  with open_executor('local:1') as executor:\n"
    code += f"    run_jobs([Pid('long', {str(tmp_path)!r})], executor, quiet=True)"
    (tmp_path / "driver.py").write_text(code, encoding="utf-8")
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    driver = subprocess.Popen([sys.executable, str(tmp_path / "driver.py")], env=os.environ | {"PYTHONPATH": paths})
    while not (tmp_path / "long").exists():
        assert driver.poll() is None
        time.sleep(0.05)
    worker, child = map(int, (tmp_path / "long").read_text().split())
    assert {worker, child} <= set(descendants(driver.pid))
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    deadline = time.monotonic() + 60
    while lives(worker) or lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_names_and_retries_are_checked(threads, tmp_path):
    with pytest.raises(ValueError, match="different names, got a more than once"):
        run_jobs([Note("a", str(tmp_path)), Note("a", str(tmp_path))], threads)
    with pytest.raises(ValueError, match="retries must be at least 0"):
        run_jobs([], threads, retries=-1)
    assert run_jobs([], threads) == []


@pytest.mark.slow
def test_a_worker_that_dies_takes_nothing_along(tmp_path):
    jobs = [Dies("once", str(tmp_path)), Dies("always", str(tmp_path), times=99)]
    jobs += [Note(f"n{k}", str(tmp_path), 0.2) for k in range(6)]
    with open_executor("local:2") as executor:
        done = {one.name: one for one in run_jobs(jobs, executor, quiet=True)}
    assert (done["once"].status, done["once"].attempts) == ("ok", 2)
    assert (done["always"].status, done["always"].attempts) == ("lost", 2)
    assert "its worker is gone" in done["always"].error
    assert {(done[f"n{k}"].status, done[f"n{k}"].attempts) for k in range(6)} == {("ok", 1)}


@pytest.mark.slow
def test_a_plain_pool_that_breaks_says_so(tmp_path):
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        done = run_jobs([Dies("a", str(tmp_path), times=99), Note("b", str(tmp_path))], executor, retries=0, quiet=True)
    assert [one.status for one in done] == ["lost", "lost"]


@pytest.mark.slow
def test_two_gpus_never_hold_two_jobs_each(tmp_path):
    jobs = [Note(f"n{k}", str(tmp_path), 0.15, gpus=None if k % 2 else 1) for k in range(8)]
    with LocalProcesses(4) as executor:
        done = run_jobs(jobs, executor, devices=["fake-0", "fake-1"], quiet=True)
    assert [one.status for one in done] == ["ok"] * 8
    runs = [(tmp_path / job.name).read_text(encoding="utf-8").split(" ") for job in jobs]
    assert [one.gpus for one in done] == [gpu for gpu, _, _ in runs]
    assert {one.gpus for one in done} == {"fake-0", "fake-1"}
    assert len({one.figures["pid"] for one in done}) >= 2
    for gpu in ("fake-0", "fake-1"):
        spans = sorted((float(began), float(ended)) for name, began, ended in runs if name == gpu)
        assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))


def held(count, devices):
    """What a lease held, which is given back at once."""
    with leased(count, devices) as lease:
        return lease.gpus


def test_leases_are_all_or_none_and_checked(monkeypatch, threads):
    with leased(2, ["f0", "f1"]) as both:
        assert both.gpus == ("f0", "f1")
        waiting = threads.submit(held, 1, ["f0", "f1"])
        time.sleep(0.3)
        assert not waiting.done()
    assert waiting.result(5) == ("f0",)
    with pytest.raises(ValueError, match=r"needs 3 GPU\(s\), and this machine has 1 \(f0\)"), leased(3, ["f0"]):
        pass
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with leased(None) as nothing:
        assert nothing.gpus is None
    with leased(0) as hidden:
        assert hidden.environment == {"CUDA_VISIBLE_DEVICES": ""}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "visible-7,visible-9")
    with leased(None) as one:
        assert one.gpus == ("visible-7",)


@pytest.mark.slow
def test_a_lease_ends_with_its_holder_however_that_dies(threads):
    code = "import time\nfrom adkit.batch.leases import leased\n"
    code += "with leased(1, ['k0']):\n  print('held', flush=True)\n  time.sleep(99)"
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    waiting = threads.submit(held, 1, ["k0"])
    time.sleep(0.3)
    early = waiting.done()
    holder.send_signal(signal.SIGKILL)
    assert waiting.result(5) == ("k0",)
    assert not early
    holder.wait()
    holder.stdout.close()


def test_files_are_sent_back(threads, tmp_path):
    (done,) = run_jobs([Sends("s", str(tmp_path))], threads, quiet=True)
    assert (tmp_path / "answer.txt").read_text() == "42"
    assert (done.status, done.files) == ("ok", {})
    for path in ("../answer.txt", "/answer.txt", "a/../../answer.txt"):
        (done,) = run_jobs([Sends("s", str(tmp_path / "in"), path)], threads, quiet=True)
        assert done.status == "failed"
        assert "would lie outside" in done.error


def test_a_folder_is_known_by_its_token(tmp_path):
    token = leave_token(tmp_path / "here")
    assert is_shared(tmp_path / "here", token)
    assert not is_shared(tmp_path / "there", token)
    assert is_shared(tmp_path / "there", "")
    (tmp_path / "here" / "sub").mkdir()
    (tmp_path / "here" / "sub" / "a.txt").write_bytes(b"a")
    unpack(pack(tmp_path / "here"), tmp_path / "there")
    assert (tmp_path / "there" / "sub" / "a.txt").read_bytes() == b"a"


def test_the_board_tells_how_it_stands(capsys):
    board = Board(4, workers=2)
    board.over(Done("a", "ok", 30.0, host="box", gpus="1"), 2)
    board.again(Done("b", "died", error="the kernel died"))
    board.over(Done("b", "failed", 90.0, error="no"), 2)
    board.over(Done("c", "ok", 60.0), 1)
    board.told -= 61
    board.tick(1)
    board.tick(1, lambda: pytest.fail("nothing is told, so nobody is asked"))
    board.told -= 61
    board.tick(1, lambda: 0)
    board.over(Done("d", "ok", 60.0), 0)
    board.tick(0)
    assert capsys.readouterr().err.splitlines() == [
        "4 jobs, 2 at a time",
        "[1/4] ok      a  30 s  on box, GPU 1  (2 running, 1 waiting, 0 failed, about 45 s left)",
        "again   b  the kernel died",
        "[2/4] failed  b  1 min 30 s  no  (2 running, 0 waiting, 1 failed, about 1 min 00 s left)",
        "[3/4] ok      c  1 min 00 s  (1 running, 0 waiting, 1 failed, about 1 min 00 s left)",
        "[3/4] 1 running, 0 waiting, 1 failed, about 1 min 00 s left",
        "[3/4] 1 running, 0 waiting, 1 failed, about 1 min 00 s left; no worker is there: waiting for one",
        "[4/4] ok      d  1 min 00 s  (all over, 1 failed)",
    ]


@pytest.mark.parametrize(
    "where, message",
    [
        ("slurm", "unknown place for jobs 'slurm'; known: local"),
        ("local:0", "at least 1"),
        ("dask:x", "at least 1"),
        ("tcp:", "unknown"),
    ],
)
def test_where_jobs_run_is_checked(where, message):
    with pytest.raises(ValueError, match=message), open_executor(where):
        pass


def test_the_room_is_light():
    code = "import sys, adkit.batch, adkit.batch.batch_command, adkit.batch.notebook, adkit.batch.runner\n"
    code += "assert not {'torch', 'dask', 'distributed', 'papermill', 'yaml'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
