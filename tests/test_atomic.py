"""Files that appear whole or not at all: killed writers, full disks, folders that are closed to us, damaged files."""

import errno
import os
import subprocess
import sys
import tempfile

import pytest
import torch

from adkit import Experiment, run
from adkit.experiments.cache import cached
from adkit.runtime import atomic, atomic_path, home
from adkit.runtime.checkpoint import read_checkpoint, write_checkpoint
from adkit.runtime.serialization import read_folder, write_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(path, error):
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error


def test_an_error_and_an_interrupt_leave_what_was_there(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            write_half(path, error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["note.txt"]


def test_what_killed_writers_left_is_cleared_away(tmp_path):
    path, dead = tmp_path / "run.pt", subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours = f"{atomic._prefix('run')}{os.getpid()}-abc.pt"
    (tmp_path / f"{atomic._prefix('run')}{dead.pid}-abc.pt").touch()
    (tmp_path / f"{atomic._prefix('run')}{dead.pid}-folder").mkdir()
    for stays in (ours, ".run-elsewhere-1-abc.pt", ".other-000000-1-x"):
        (tmp_path / stays).touch()
    write_checkpoint(path, {"step": 1})
    assert names(tmp_path) == sorted([ours, ".run-elsewhere-1-abc.pt", ".other-000000-1-x", "run.pt"])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_takes_no_more_says_so(tmp_path, number):
    path = tmp_path / "run.pt"
    write_checkpoint(path, {"step": 1})
    says = r"cannot write .*run\.pt; what was there before is whole\. Free some space .*ADKIT_HOME"
    with pytest.raises(OSError, match=says) as caught, atomic_path(path):
        raise OSError(number, "whatever the system says")
    assert caught.value.errno == number
    assert read_checkpoint(path, ["step"]) == {"step": 1}
    assert names(tmp_path) == ["run.pt"]


def test_what_torch_says_of_a_full_disk_is_put_into_words(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_is_full", lambda path: True)
    monkeypatch.setattr(torch, "save", lambda *_: (_ for _ in ()).throw(RuntimeError("unexpected pos 64 vs 0")))
    with pytest.raises(OSError, match="No space left on device: cannot write"):
        write_checkpoint(tmp_path / "run.pt", {"step": 1})
    monkeypatch.setattr(atomic, "_is_full", lambda path: False)
    with pytest.raises(RuntimeError, match="unexpected pos"):
        write_checkpoint(tmp_path / "run.pt", {"step": 1})


def test_other_errors_stay_what_they_are(tmp_path):
    for error in (FileNotFoundError, IsADirectoryError, RuntimeError, ZeroDivisionError):
        with pytest.raises(error, match=r"^$"):
            write_half(tmp_path / "a", error)


def test_a_home_that_cannot_be_made_names_its_variable(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        monkeypatch.setenv("ADKIT_HOME", str(tmp_path / place))
        with pytest.raises(OSError, match=r"cannot be made .*; set ADKIT_HOME to a folder"):
            home()


def test_a_home_that_is_closed_to_us_names_its_variable(monkeypatch):
    def closed(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    home()
    monkeypatch.setattr(os, "open", closed)  # no lock can be had
    monkeypatch.setattr(tempfile, "mkdtemp", closed)
    with pytest.raises(OSError, match=r"Read-only file system: cannot write .*ADKIT_HOME"):
        cached("examples", {"question": 1}, lambda folder: {})


# -- damaged files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"", b"no checkpoint", None, "half", "other"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, damage):
    path = tmp_path / "run.pt"
    write_checkpoint(path, {"step": 1, "weights": torch.zeros(1000)})
    if damage == "half":
        damage = path.read_bytes()[:700]
    if damage == "other":
        torch.save([1, 2], path)
    elif damage is None:
        torch.save({"weights": torch.zeros(2)}, path)
    else:
        path.write_bytes(damage)
    with pytest.warns(UserWarning, match=r"the checkpoint .*run\.pt is damaged .* this run begins afresh"):
        assert read_checkpoint(path, ["step"]) is None


@pytest.mark.filterwarnings("ignore:the checkpoint:UserWarning")
def test_a_run_with_a_damaged_checkpoint_begins_afresh():
    settings = {"width": 4, "steps": 3, "crop": 32, "device": "cpu"}
    experiment = Experiment(settings=settings, category="denim", image_size=(32, 64))
    for kind in ("results", "fitted"):
        unfinished = home() / kind / f"{experiment.address()}.unfinished"
        unfinished.mkdir(parents=True)
        (unfinished / "checkpoint.pt").write_bytes(b"half a file")
    assert run(experiment, quiet=True).evaluation.image_auroc is not None


def test_an_entry_that_lost_a_file_is_made_again():
    def work(folder):
        (folder / "parts").mkdir(exist_ok=True)
        (folder / "parts" / "weights").write_bytes(b"hard to come by")
        return {"answer": 42}

    entry = cached("examples", {"question": 1}, work)
    for harm in (
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: (entry.folder / "result.json").write_bytes(b""),
        lambda path: (entry.folder / "result.json").write_text("{"),
    ):
        harm(entry.folder / "parts" / "weights")
        again = cached("examples", {"question": 1}, work)
        assert not again.from_cache
        assert (again.folder / "parts" / "weights").read_bytes() == b"hard to come by"
        assert cached("examples", {"question": 1}, work).from_cache


def test_a_folder_is_whole_at_every_moment_of_a_save_over_it(tmp_path, monkeypatch):
    """Killed after each of the renames: what lies there is the old one or the new one."""
    path, kind = tmp_path / "thing", "thing"
    old, new = {"name": "old"}, {"name": "new"}
    tensors = {name: {"w": torch.full((3,), float(k))} for k, name in enumerate(("old", "new"))}
    replace, seen = type(path).replace, []
    for survived in range(4):
        write_folder(path, kind, old, tensors["old"])
        moves = iter(range(100))

        def die(self, target, moves=moves, survived=survived):
            if next(moves) == survived:
                raise KeyboardInterrupt
            return replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(type(path), "replace", die)
            try:
                write_folder(path, kind, new, tensors["new"])
            except KeyboardInterrupt:
                pass
        description, found = read_folder(path, kind)
        seen.append(description["name"])
        assert torch.equal(found["w"], tensors[description["name"]]["w"])
    assert seen == ["old", "old", "new", "new"]
    write_folder(path, kind, new, tensors["new"])
    assert names(path) == ["thing.json", "weights.safetensors"]
    assert names(tmp_path) == ["thing"]


def test_a_folder_is_cleared_of_what_the_gone_were_writing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    kept = [tmp_path / "a" / "01.png", tmp_path / ".hidden", tmp_path / f"{atomic._prefix('02')}{os.getpid()}-x.png"]
    gone = [
        tmp_path / "a" / f"{atomic._prefix('01')}{process.pid}-x.png",
        tmp_path / f"{atomic._prefix('03')}{process.pid}-y.png",
    ]
    (tmp_path / "a").mkdir()
    for path in kept + gone:
        path.touch()
    atomic.clear_folder(tmp_path)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_a_place_that_is_not_there_is_not_called_full(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_is_full", lambda path: True)
    with pytest.raises(FileNotFoundError), atomic.told(tmp_path / "a"):
        (tmp_path / "none" / "a").write_text("x")
    with pytest.raises(OSError, match="No space left on device: cannot write"), atomic.told(tmp_path / "a"):
        raise RuntimeError("inline_container unexpected pos 64 vs 0")
