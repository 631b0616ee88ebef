"""The command line: each command does its work, errors are one line and exit code 2, help is a page."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
from PIL import Image

import adkit
from adkit import Experiment, run
from adkit import __main__ as command_line
from adkit.__main__ import COMMANDS, main
from adkit.experiments.kept import list_kept
from adkit.runtime.lock import locked

SMALL = ["--dataset", "textile", "--category", "denim", "--image-size", "32", "64"]
FIT = ["fit", *SMALL, "--device", "cpu", "--quiet", "--set", "width=4", "steps=3", "crop=32"]


def said(capsys, *words):
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def refused(capsys, *words):
    """The one line that wrong use ends with."""
    with pytest.raises(SystemExit, match="2"):
        main([str(word) for word in words])
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert complaint.startswith("adkit")
    return complaint


def test_the_shell_has_the_command():
    (script,) = entry_points(group="console_scripts", name="adkit")
    assert script.load() is main


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_a_page_with_examples(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    page = capsys.readouterr().out
    assert f"usage: adkit {name}" in page
    assert f"\n  adkit {name}" in page
    assert max(map(len, page.splitlines())) <= 120


def test_without_a_command_the_page_of_all_is_shown(capsys):
    page = said(capsys)
    assert all(name in page for name in COMMANDS)
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.strip() == f"adkit {adkit.__version__}"


def test_python_m_adkit_is_the_same_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "adkit", "frob"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("adkit: error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words, message",
    [
        (["frob"], "invalid choice: 'frob'"),
        (["fit"], "the following arguments are required: --out"),
        (["check", "nowhere", "--jsno"], "^adkit check: error: unrecognized arguments: --jsno; see adkit check --help"),
        (["fit", "--out", "OUT", "--devcie=cpu"], "adkit fit: error: .* --devcie=cpu; did you mean '--device'"),
        (["fit", "--out", "OUT", "--method", "vea"], "invalid choice: 'vea'"),
        (["fit", "--out", "OUT", *SMALL, "--set", "stepps=3"], "unknown setting 'stepps'.*did you mean 'steps'"),
        (["fit", "--out", "OUT", *SMALL, "--set", "steps"], "a setting must read like steps=2000, got 'steps'"),
        (["fit", "--out", "OUT", *SMALL, "--set", "steps=2.5"], "steps must be positive, got 2.5"),
        (["fit", "--out", "OUT", *SMALL, "--set", "seed=1"], "seed has an option of its own: write --seed"),
        (["fit", "--out", "OUT", "--root", "nowhere"], "nowhere"),
        (["predict", "nowhere", "OUT"], "no saved detector|no such image"),
        (["evaluate", "nowhere"], "no saved detector at nowhere"),
        (["check", "nowhere"], "no folder nowhere"),
        (["runs", "--remove", "abc"], "nothing that is kept begins with 'abc'"),
        (["compare", "--out", "OUT", "--seeds", "0"], "seeds must be at least 1"),
    ],
)
def test_wrong_use_ends_with_one_line(words, message, capsys, tmp_path):
    import re

    complaint = refused(capsys, *(tmp_path / "out" if word == "OUT" else word for word in words))
    assert re.search(message, complaint)


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "detector"
    assert main([*FIT, "--out", str(out)]) == 0
    return out


def test_fit_says_what_it_saved_and_leaves_nothing_else(detector):
    assert [path.name for path in detector.parent.iterdir()] == ["detector"]
    assert adkit.load_detector(detector, device="cpu").settings.steps == 3


def test_fit_overwrites_nothing_else(capsys, tmp_path):
    (tmp_path / "photos").mkdir()
    assert "exists and is no saved detector" in refused(capsys, *FIT, "--out", tmp_path / "photos")


def test_predict_says_a_verdict_an_image(detector, capsys, tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((32, 64), 90, np.uint8)).save(tmp_path / name)
    words = ["predict", detector, tmp_path / "a.png", tmp_path / "b.png", "--device", "cpu"]
    assert len(said(capsys, *words).splitlines()) == 2
    rows = [json.loads(line) for line in said(capsys, *words, "--json").splitlines()]
    assert [row.keys() >= {"path", "score", "threshold", "is_anomalous"} for row in rows] == [True, True]
    out = said(capsys, "predict", detector, tmp_path, "--out", tmp_path / "verdicts", "--device", "cpu", "--quiet")
    assert "of 2 images are anomalous" in out
    assert (tmp_path / "verdicts" / "predictions.csv").is_file()
    assert "needs --out" in refused(capsys, "predict", detector, tmp_path)
    assert "no such image" in refused(capsys, "predict", detector, tmp_path / "c.png")


def test_evaluate_prepares_the_images_as_the_training_did(detector, capsys, tmp_path):
    words = ["evaluate", detector, "--category", "denim", "--bootstrap", "0", "--device", "cpu"]
    printed = said(capsys, *words, "--json", tmp_path / "e.json")
    assert "image_auroc" in printed
    assert json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))["image_auroc"] is not None


def test_a_warning_is_one_line(detector, capsys, monkeypatch):
    import warnings

    from adkit.experiments import evaluate_command

    monkeypatch.setattr(evaluate_command, "run", lambda chosen: warnings.warn("watch out", stacklevel=1) or 0)
    assert main(["evaluate", str(detector)]) == 0
    assert capsys.readouterr().err == "adkit evaluate: warning: watch out\n"


@pytest.mark.parametrize(
    "error, code", [(RuntimeError("broke"), 1), (KeyboardInterrupt(), 130), (BrokenPipeError(), None)]
)
def test_what_the_work_raises_becomes_one_line(detector, capsys, monkeypatch, error, code):
    from adkit.experiments import evaluate_command

    def fail(chosen):
        raise error

    monkeypatch.setattr(evaluate_command, "run", fail)
    if code is None:
        monkeypatch.setattr(sys.stderr, "close", lambda: None)
    assert main(["evaluate", str(detector)]) == (1 if code is None else code)


def test_an_interrupt_while_a_command_is_imported_is_one_line(monkeypatch, capsys):
    def stopped(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "import_module", stopped)
    assert main(["fit", "--out", "x"]) == 130
    assert capsys.readouterr().err == (
        "adkit fit: error: interrupted; the same command goes on where this one stopped\n"
    )


# -- what is kept ----------------------------------------------------------------------------------------------------


@pytest.fixture
def kept_run():
    settings = {"width": 4, "steps": 3, "crop": 32, "device": "cpu"}
    return run(Experiment(settings=settings, category="denim", image_size=(32, 64)), quiet=True)


def test_runs_lists_and_removes(kept_run, capsys):
    listed = list_kept()
    assert kept_run.path.name in [entry.address for entry in listed]
    page = said(capsys, "runs")
    assert kept_run.path.name in page
    assert "autoencoder, textile, denim, seed 0" in page
    assert said(capsys, "runs", "--remove", "all", "--older-than", "1").startswith("0 removed")
    said(capsys, "runs", "--remove", kept_run.path.name[:8])
    assert not kept_run.path.exists()
    said(capsys, "runs", "--remove", "all")
    assert list_kept() == []


@pytest.mark.parametrize(
    "words, message",
    [
        (["--remove", ""], "nothing that is kept begins with ''"),  # of a variable of the shell that is not set
        (["--remove", "all", "--older-than", "-3"], "--older-than must be 0 or a positive number of days, got -3"),
        (["--remove", "all", "--older-than", "nan"], "--older-than must be 0 or a positive"),
        (["--remove", "0"], "2 addresses begin with '0'; write more of the one that is meant"),
    ],
)
def test_runs_removes_nothing_that_was_not_clearly_meant(words, message, kept_run, capsys):
    for k in range(2):
        (kept_run.path.with_name(f"0{k}23456789abcdef0123.unfinished")).mkdir()
    assert message in refused(capsys, "runs", *words)
    assert len(list_kept()) == 4


def test_unfinished_runs_go_and_those_at_work_stay(capsys, kept_run):
    unfinished = kept_run.path.with_name("0123456789abcdef0123.unfinished")
    unfinished.mkdir()
    (unfinished / "checkpoint.pt").write_bytes(b"x")
    with locked(unfinished.with_name("0123456789abcdef0123")):
        assert "running" in said(capsys, "runs")
        assert "at work, kept" in said(capsys, "runs", "--remove", "0123456789abcdef0123")
    assert unfinished.exists()
    assert "has a checkpoint" in said(capsys, "runs")
    said(capsys, "runs", "--remove", "unfinished")
    assert not unfinished.exists()
    assert kept_run.path.exists()


def test_other_folders_are_left_alone(kept_run, capsys):
    from adkit.runtime import home

    (home() / "01_phase1_baseline").mkdir()
    (home() / "detector" / "weights").mkdir(parents=True)
    said(capsys, "runs", "--remove", "all")
    assert (home() / "detector" / "weights").is_dir()
    assert (home() / "01_phase1_baseline").is_dir()
