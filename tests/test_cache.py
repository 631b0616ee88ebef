"""The cache: one result for processes that ask at once, and nothing that a kill, a failure or another version harms."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from adkit.experiments import cache
from adkit.experiments.cache import CHECKPOINT, FetchedTime, address, cached
from adkit.runtime import home, lock
from adkit.runtime.lock import locked

KEY = {"question": 1}
PATIENCE = 60  # seconds that a test waits for another process before it fails

# a process that asks for one result; its work notes each run in a file, keeps a checkpoint, and ends when it may
ASK = """
import sys, time
from pathlib import Path
from adkit.experiments.cache import CHECKPOINT, cached

folder = Path(sys.argv[1])

def note(name):
    with (folder / name).open("a") as file:
        file.write("x")

def work(entry):
    note("ran")
    began = (entry / CHECKPOINT).read_text() if (entry / CHECKPOINT).exists() else "afresh"
    (entry / CHECKPOINT).write_text("where it was")
    while not (folder / "may_end").exists():
        time.sleep(0.05)
    (entry / "note.txt").write_text(began)
    return {"began": began}

note("asked")
entry = cached("examples", {"question": 1}, work)
print(entry.content["began"], entry.from_cache)
"""


@pytest.fixture
def ask():
    """Start such processes, which note in a folder what they do; those that a failed test leaves are ended."""
    with ExitStack() as stack:

        def start(folder):
            command = [sys.executable, "-c", ASK, str(folder)]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            process = stack.enter_context(subprocess.Popen(command, **pipes, text=True))
            stack.callback(process.kill)
            return process

        yield start


def count(path):
    return len(path.read_text()) if path.exists() else 0


def answer(process):
    """What a process printed, and what it said on standard error."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out.strip(), err


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the other process did not get there"
        time.sleep(0.05)


def finished():
    return home() / "examples" / address(KEY)


def unfinished():
    return finished().with_name(f"{address(KEY)}.unfinished")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def answer_42(folder):
    (folder / "note.txt").write_text("42")
    return {"answer": 42, "seconds": {"think": 7.0}}


# -- one process ---------------------------------------------------------------------------------------------------


def test_an_entry_is_made_once_and_holds_who_made_it():
    made, found = cached("examples", KEY, answer_42), cached("examples", KEY, lambda folder: 1 / 0)
    assert (made.from_cache, found.from_cache) == (False, True)
    assert made.content == found.content
    assert made.content["answer"] == 42
    assert made.content["address"] == address(KEY) == made.folder.name
    assert set(made.content["machine"]) == {"adkit", "torch", "python"}
    assert made.folder == found.folder == finished()
    assert names(home() / "examples") == [address(KEY)]  # nothing temporary, and no lock, is left
    assert names(made.folder) == ["note.txt", "result.json"]


def test_other_keys_and_kinds_are_other_entries():
    folders = {cached(kind, key, answer_42).folder for kind in ("a", "b") for key in (KEY, {"question": 2})}
    assert len(folders) == 4


def test_force_replaces_what_is_there_only_when_the_new_is_ready():
    before = cached("examples", KEY, answer_42)

    def work(folder):
        assert names(before.folder) == ["note.txt", "result.json"]  # others may still read it
        return {"answer": 43}

    unfinished().mkdir()
    (unfinished() / CHECKPOINT).write_text("of a run that was killed")
    after = cached("examples", KEY, work, force=True)
    assert (after.content["answer"], after.from_cache) == (43, False)
    assert names(after.folder) == ["result.json"]
    assert names(home() / "examples") == [address(KEY)]


def test_work_that_fails_leaves_no_entry_and_no_lock_but_its_checkpoint():
    def fail(folder):
        (folder / CHECKPOINT).write_text("where it was")
        raise RuntimeError("the loss is NaN")

    with pytest.raises(RuntimeError, match="the loss is NaN"):
        cached("examples", KEY, fail)
    assert names(home() / "examples") == [f"{address(KEY)}.unfinished"]
    entry = cached("examples", KEY, lambda folder: {"state": (folder / CHECKPOINT).read_text()})
    assert entry.content["state"] == "where it was"
    assert names(entry.folder) == ["result.json"]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"answer": 41}', '{"address": "another", "answer": 41}'])
def test_half_written_and_foreign_folders_are_replaced(content):
    finished().mkdir(parents=True)
    (finished() / "half").mkdir()
    if content is not None:
        (finished() / "result.json").write_text(content)
    entry = cached("examples", KEY, answer_42)
    assert (entry.content["answer"], entry.from_cache) == (42, False)
    assert names(entry.folder) == ["note.txt", "result.json"]


def test_an_entry_of_another_layout_is_not_read(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(cache, "LAYOUT", cache.LAYOUT - 1)
        old = cached("examples", KEY, lambda folder: {"answer": 41})
    new = cached("examples", KEY, answer_42)
    assert (new.content["answer"], new.from_cache) == (42, False)
    assert old.folder.is_dir()  # the other version finds it still


def test_temporary_files_of_a_killed_process_go():
    unfinished().mkdir(parents=True)
    (unfinished() / ".result-x1.json").touch()
    (unfinished() / ".detector-x2").mkdir()
    assert names(cached("examples", KEY, answer_42).folder) == ["note.txt", "result.json"]


def test_work_that_only_lacks_its_name_is_not_done_again():
    unfinished().mkdir(parents=True)
    cache.write_result(unfinished() / "result.json", address(KEY), {"answer": 42})
    assert cached("examples", KEY, lambda folder: 1 / 0).content["answer"] == 42


def test_what_is_no_plain_data_is_refused():
    with pytest.raises(TypeError, match="not JSON serializable"):
        cached("examples", {"question": object()}, answer_42)
    with pytest.raises(ValueError, match="not JSON compliant"):
        cached("examples", KEY, lambda folder: {"answer": float("nan")})


def test_time_that_was_spared_counts_each_entry_once(monkeypatch):
    monkeypatch.setattr(cache, "fetched_time", FetchedTime())
    for _ in range(2):
        cached("examples", KEY, answer_42)
    assert cache.fetched_time.total == 0.0  # its own result, fetched again
    monkeypatch.setattr(cache, "fetched_time", FetchedTime())  # another process
    for _ in range(2):
        cached("examples", KEY, answer_42)
    assert cache.fetched_time.total == 7.0


def test_two_that_were_made_side_by_side_spare_half_their_seconds_each(monkeypatch):
    with cache.side_by_side(2):
        made = [cached("examples", {"question": number}, answer_42) for number in (1, 2)]
    alone = cached("examples", {"question": 3}, answer_42)
    assert [entry.content.get("at_once", 1) for entry in (*made, alone)] == [2, 2, 1]
    monkeypatch.setattr(cache, "fetched_time", FetchedTime())  # another process
    for number in (1, 2, 3):
        cached("examples", {"question": number}, answer_42)
    assert cache.fetched_time.total == 3.5 + 3.5 + 7.0


# -- several processes ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_that_ask_at_once_do_the_work_once(ask, tmp_path):
    processes = [ask(tmp_path), ask(tmp_path)]
    wait_until(lambda: count(tmp_path / "asked") == 2 and count(tmp_path / "ran"))
    time.sleep(0.5)  # the other one comes to the lock, and waits
    (tmp_path / "may_end").touch()
    answers = {process.pid: answer(process) for process in processes}
    assert count(tmp_path / "ran") == 1
    assert sorted(out for out, _ in answers.values()) == ["afresh False", "afresh True"]
    (owner,) = (pid for pid, (out, _) in answers.items() if out == "afresh False")
    (told,) = (err for out, err in answers.values() if out == "afresh True")
    assert f"waiting for process {owner} on " in told
    assert told.endswith(f"which is at work on examples/{address(KEY)}\n")
    assert told.count("waiting") == 1
    assert names(home() / "examples") == [address(KEY)]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a kill is another thing there")
def test_after_a_kill_the_next_goes_on_at_once(ask, tmp_path):
    owner = ask(tmp_path)
    wait_until((unfinished() / CHECKPOINT).exists)
    waiting = [ask(tmp_path) for _ in range(2)]
    wait_until(lambda: count(tmp_path / "asked") == 3)
    time.sleep(0.5)
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    wait_until(lambda: count(tmp_path / "ran") == 2)  # the killed one, and one of the two
    (tmp_path / "may_end").touch()
    answers = [answer(process) for process in waiting]
    assert count(tmp_path / "ran") == 2
    assert sorted(out for out, _ in answers) == ["where it was False", "where it was True"]
    assert any(f"process {owner.pid} on" in err and "is gone; going on with examples/" in err for _, err in answers)
    assert names(home() / "examples") == [address(KEY)]


def of_another_machine(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"pid": 1, "host": "elsewhere pid:[1]"}))


def test_another_machine_is_given_time_and_then_overtaken(tmp_path, capsys):
    of_another_machine(tmp_path / "result.lock0")
    began = time.monotonic()
    with locked(tmp_path / "result", stale_after=0.5) as alone:
        assert alone
        assert time.monotonic() - began > 0.5
        assert names(tmp_path) == ["result.lock0", "result.lock1"]
    assert names(tmp_path) == []
    told = capsys.readouterr().err
    assert "waiting for process 1 on elsewhere, which is at work on" in told
    assert "process 1 on elsewhere is gone; going on with" in told


def test_an_owner_that_gives_signs_of_life_is_not_overtaken(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "HEARTBEAT", 0.05)
    with locked(tmp_path / "own"):
        before = (tmp_path / "own.lock0").stat().st_mtime_ns
        wait_until(lambda: (tmp_path / "own.lock0").stat().st_mtime_ns > before)
    of_another_machine(tmp_path / "result.lock0")
    watch = lock._Watch(tmp_path / "result", stale_after=0.2)
    for time_ns in range(10):
        os.utime(tmp_path / "result.lock0", ns=(time_ns, time_ns))
        assert not watch.is_stale(tmp_path / "result.lock0")
        time.sleep(0.05)
    time.sleep(0.3)
    assert watch.is_stale(tmp_path / "result.lock0")


def test_a_lock_without_a_name_yet_is_waited_for(tmp_path):
    (tmp_path / "result.lock0").touch()
    watch = lock._Watch(tmp_path / "result", stale_after=0.2)
    assert not watch.is_stale(tmp_path / "result.lock0")
    time.sleep(0.3)
    assert watch.is_stale(tmp_path / "result.lock0")
    assert not watch.is_stale(tmp_path / "result.lock1")  # given back between two looks


def test_a_stale_lock_that_another_overtook_and_gave_back_is_looked_at_again(tmp_path, monkeypatch):
    path, make = tmp_path / "result", lock._make
    of_another_machine(tmp_path / "result.lock3")
    made = []

    def make_late(file):
        if not made:  # meanwhile another process has overtaken lock 3, done its work, and given the lock back
            (tmp_path / "result.lock3").unlink()
        made.append(file.name)
        make(file)

    monkeypatch.setattr(lock, "_make", make_late)
    with locked(path, stale_after=0.0) as alone:
        assert alone
        assert names(tmp_path) == ["result.lock0"]
    assert made == ["result.lock4", "result.lock0"]


def test_processes_of_others_and_unknown_systems(monkeypatch):
    def not_ours(pid, number):
        raise PermissionError

    assert lock.is_running(os.getpid())
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", not_ours)
        assert lock.is_running(1)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    assert lock.is_running(dead.pid) == (os.name == "nt")


# -- without locks -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_locks(monkeypatch):
    """A file system that lets no lock file be made."""

    def refuse(file):
        raise PermissionError("no locks here")

    monkeypatch.setattr(lock, "_make", refuse)


def test_without_locks_work_is_done_twice_and_the_first_result_stays(no_locks):
    def slow(folder):
        other = cached("examples", KEY, answer_42)  # another process, which is faster
        assert not other.from_cache
        assert folder != other.folder
        (folder / "mine.txt").touch()
        return {"answer": 41}

    entry = cached("examples", KEY, slow)
    assert entry.content["answer"] == 42
    assert names(entry.folder) == ["note.txt", "result.json"]
    assert names(home() / "examples") == [address(KEY)]


def test_without_locks_an_unfinished_run_of_another_is_not_touched(no_locks):
    unfinished().mkdir(parents=True)
    (unfinished() / CHECKPOINT).write_text("of another process")
    assert names(cached("examples", KEY, answer_42).folder) == ["note.txt", "result.json"]
    assert names(unfinished()) == [CHECKPOINT]


def test_a_folder_that_cannot_get_its_name_is_an_error(monkeypatch):
    def refuse(self, target):
        raise PermissionError("no renames here")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError, match="no renames here"):
        cached("examples", KEY, answer_42)
