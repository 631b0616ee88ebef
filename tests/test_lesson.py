"""Lessons: claims, answers and results."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from adkit.course.lesson import ClaimError, Lesson, begin, device_name
from adkit.course.parameters import annotated, digest
from adkit.experiments import cache, experiment
from adkit.runtime import home
from adkit.runtime import provenance as sources
from adkit.runtime.provenance import source_fingerprint


@pytest.fixture(autouse=True)
def full_mode(monkeypatch):
    monkeypatch.delenv("ADKIT_FAST", raising=False)


# ---- begin, claim, finish


def test_claims_are_enforced_in_the_default_run_only(capsys, monkeypatch):
    Lesson().claim("before begin", False)
    lesson = begin("toy", {"device": "cpu"}, default=False)
    lesson.claim("own parameters", False, value=0.7, limit=0.65)
    monkeypatch.setenv("ADKIT_FAST", "1")
    begin("toy", {"device": "cpu"}, default=True).claim("fast", False)
    monkeypatch.delenv("ADKIT_FAST")
    lesson = begin("toy", {"device": "cpu"}, default=True)
    with pytest.raises(ClaimError, match=r"does not hold: default \(0\.7; must be below 0\.65\)"):
        lesson.claim("default", False, value=0.7, limit=0.65)
    printed = capsys.readouterr().out
    assert printed.count("✗ does not hold here") == 3
    assert "fast mode" in printed
    assert "default run: claims are enforced" in printed


def test_a_claim_about_code_is_enforced_always():
    lesson = Lesson()
    with pytest.raises(AssertionError, match="shapes agree"):
        lesson.claim("shapes agree", torch.tensor(False), scope="always")
    with pytest.raises(ValueError, match="scope must be one of default, always, got 'never'"):
        lesson.claim("x", True, scope="never")


def test_results_are_strict_json_with_claims_and_margins(tmp_path, capsys):
    @dataclass
    class Interval:
        value: float
        low: float

    lesson = begin("toy", {"device": "cpu", "losses": ["mse"]}, default=False, out=tmp_path / "toy")
    lesson.claim("high", True, value=torch.tensor(0.75), limit=0.5)
    lesson.claim("low", False, value=0.75, limit=0.5)
    lesson.claim("low", False, value=1.0, limit=0.5)  # the cell was run again
    lesson.predict_first("Which AUROC?", 0.9).reveal(0.75)
    path = lesson.finish(
        {
            "auroc": np.float32(0.5),
            "nan": [float("nan"), np.inf],
            "map": torch.ones(2),
            "interval": Interval(1.0, float("nan")),
            "path": Path("a/b"),
            7: None,
        }
    )
    kept = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert path == tmp_path / "toy" / "results.json"
    assert kept["results"] == {
        "auroc": 0.5,
        "nan": [None, None],
        "map": [1.0, 1.0],
        "interval": {"value": 1.0, "low": None},
        "path": "a/b",
        "7": None,
    }
    assert [(c["text"], c["holds"], c["margin"]) for c in kept["claims"]] == [
        ("high", True, 0.25),
        ("low", False, -0.5),
    ]
    assert kept["predictions"] == [{"question": "Which AUROC?", "guess": 0.9, "measured": 0.75}]
    assert (kept["name"], kept["mode"], kept["parameters"]["losses"]) == ("toy", "custom", ["mse"])
    assert kept["seconds"] >= 0
    assert kept["versions"]["torch"] == torch.__version__
    assert kept["fingerprint"] == source_fingerprint(kept["sources"])
    printed = capsys.readouterr().out
    assert "1 claims hold, 1 do not" in printed
    assert str(tmp_path) not in printed


def test_results_go_under_home_by_default_and_refuse_what_is_not_data():
    lesson = begin("toy", {}, default=False)
    assert lesson.finish({}).parent == home() / "toy"
    with pytest.raises(TypeError, match=r"results\.a\[1\] must be numbers.* got a object"):
        lesson.finish({"a": [1, object()]})


def test_begin_names_the_time_of_the_committed_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "results").mkdir()
    noted = {"seconds": 75.0, "device": {"name": "a laptop"}}
    (tmp_path / "results" / "toy.json").write_text(json.dumps(noted))
    monkeypatch.chdir(tmp_path)
    begin("toy", {"device": "cpu"}, default=True)
    assert "the default run takes about 1 min 15 s here" in capsys.readouterr().out
    (tmp_path / "results" / "toy.json").write_text(json.dumps(noted | {"fetched_seconds": 300.0}))
    begin("toy", {"device": "cpu"}, default=True)
    assert "the default run takes about 6 min 15 s here, less with" in capsys.readouterr().out


@pytest.mark.slow
def test_time_of_trainings_that_were_found_on_disk_is_told_apart(monkeypatch):
    monkeypatch.setattr(cache.fetched_time, "seconds", {Path("earlier"): 7.0})
    lesson = begin("toy", {}, default=False)
    tiny = experiment.Experiment(settings={"width": 4, "steps": 2, "crop": 32}, image_size=(64, 64))
    ran = experiment.run(tiny, quiet=True)
    experiment.run(tiny, quiet=True)  # its own result, fetched again: nothing was saved by that
    assert json.loads(lesson.finish({}).read_text())["fetched_seconds"] == 0.0
    monkeypatch.setattr(cache.fetched_time, "seconds", {})  # another process
    lesson = begin("toy", {}, default=False)
    for _ in range(2):
        experiment.run(tiny, quiet=True)
    took = sum(ran.seconds.values())
    assert json.loads(lesson.finish({}).read_text())["fetched_seconds"] == pytest.approx(took, abs=0.06)


def test_device_name_of_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "some GPU")
    assert device_name(torch.device("cuda")) == "some GPU"


def test_fingerprint_follows_the_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PACKAGE", tmp_path)
    (tmp_path / "__init__.py").write_bytes(b"")
    (tmp_path / "losses.py").write_bytes(b"a = 1\n")
    whole, losses = source_fingerprint(), source_fingerprint(["adkit.losses"])
    assert len(whole) == 64
    (tmp_path / "losses.py").write_bytes(b"a = 1\r\n")  # another checkout's line ends
    assert source_fingerprint() == whole
    (tmp_path / "extra.py").write_bytes(b"b = 2\n")
    assert source_fingerprint() != whole
    assert source_fingerprint(["adkit.losses"]) == losses
    (tmp_path / "losses.py").write_bytes(b"a = 2\n")
    assert source_fingerprint(["adkit.losses"]) != losses
    with pytest.raises(ValueError, match=r"'adkit\.loss' is no module of adkit"):
        source_fingerprint(["adkit.loss"])
    with pytest.raises(ValueError, match="'torch' is no module of adkit"):
        source_fingerprint(["torch"])


# ---- predict first


@pytest.mark.parametrize(
    "guess, measured, said",
    [
        (0.5, 0.9, "too low by 0.4"),
        (0.9, 0.9, "as you thought, within 2 %"),
        ("Dots ", "dots", "as you thought"),
        ("dots", "bright", "a surprise"),
        (None, 0.9, "none yet"),
        ("high", 0.9, "measured: 0.9"),
        (["dots", "dark"], ["dark"], "measured: dark"),
    ],
)
def test_predict_first(guess, measured, said, capsys):
    Lesson().predict_first("Which?", guess).reveal(measured)
    assert said in capsys.readouterr().out


def test_the_default_run_is_known_by_its_digest(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("ADKIT_FAST", raising=False)
    known = digest({"steps": 4, "device": "cpu"})
    begin("toy", {"steps": 4, "device": "auto"}, default=known, out=tmp_path)
    begin("toy", {"steps": 5, "device": "auto"}, default=known, out=tmp_path)
    first, second = capsys.readouterr().out.splitlines()
    assert "claims are enforced" in first
    assert "claims are only reported" in second


def test_claims_about_limits(capsys):
    lesson = begin("toy", {}, default=False)
    capsys.readouterr()
    lesson.claim_above("more", 2.0, 1.0)
    lesson.claim_above("unmeasured", None, 1.0)
    lesson.claim_below("less", 0.5, 1.0)
    lesson.claim_below("not less", float("nan"), 1.0)
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["✓", "✗", "✓", "✗"]


# ---- the parameters of a notebook

CELL = "steps: int = 400  # optimiser steps\ndevice: str = 'cpu'  # cpu or cuda\nout: str = ''\nroot: str = ''"
LATER = "import torch\nsteps = 7  # as a batch run sets it\nlosses = ['mse']"


def notebook(*cells):
    """The globals of a kernel that has run these cells."""
    namespace = {"__name__": "__main__", "In": ["", *cells]}
    for cell in cells:
        exec(cell, namespace)
    return namespace


@pytest.mark.parametrize("version", ["keeps a dict", "keeps none"])
def test_the_annotated_names_are_the_parameters_with_the_values_of_a_batch_run(version):
    namespace = notebook(CELL, LATER)
    if version == "keeps none":  # Python 3.14
        namespace.pop("__annotations__", None)
        namespace["In"].insert(1, "%config not = Python")
    assert annotated(namespace) == {"steps": 7, "device": "cpu", "out": "", "root": ""}


def test_begin_reads_the_parameters_cell(tmp_path, capsys):
    known = digest({"steps": 400})
    default, changed = (begin("toy", notebook(CELL, *more), default=known) for more in ((), (LATER,)))
    assert (default.mode, changed.mode) == ("default", "custom")
    assert default.parameters == {"steps": 400, "device": "cpu"}  # no folder of this machine
    assert default.out is None
    chosen = f"out = {str(tmp_path)!r}"
    assert begin("toy", notebook(CELL, chosen), default=known).finish({}) == tmp_path / "results.json"
    explicit = begin("toy", {"steps": 400, "out": str(tmp_path)}, default=known)
    assert (explicit.mode, explicit.out, explicit.parameters) == ("default", tmp_path, {"steps": 400})


def test_a_notebook_without_annotated_parameters_is_refused():
    with pytest.raises(ValueError, match="no parameters: expected a cell with lines such as `steps: int = 400`"):
        begin("toy", notebook("steps = 400"))


def test_two_lessons_know_nothing_of_each_other():
    first, second = Lesson("first"), Lesson("second")
    first.claim("the sky is blue", True)
    first.predict_first("Which?", 1)
    assert (len(first.claims), len(first.guesses), second.claims, second.guesses) == (1, 1, {}, {})


TYPED = (
    "steps: int = 400\nrate: float = 0.1\nseeds: list = [0, 1, 2]\nlosses: list = ['mse']\n"
    "category: str = 'denim'\nown: dict = {}\nfull: bool = False"
)


@pytest.mark.parametrize("version", ["keeps a dict", "keeps none"])
@pytest.mark.parametrize(
    "injected, message",
    [
        ("stpes = 4", "unknown parameter 'stpes'; did you mean 'steps'.*this notebook has steps, rate, seeds"),
        ("steps = 4\nimage_sise = [8, 8]", "unknown parameter 'image_sise'"),
        ("seeds = 3", r"seeds must be a list, got 3; with papermill: -y 'seeds: \[0, 1, 2\]'"),
        ("seeds = '[0, 1]'", r"seeds must be a list, got '\[0, 1\]'; with papermill: -y 'seeds: \[0, 1\]'"),
        ("losses = 'l1'", r"losses must be a list, got 'l1'; with papermill: -y 'losses: \[l1\]'"),
        ("steps = 4.5", "steps must be a whole number, got 4.5; with papermill: -p steps 3"),
        ("steps = True", "steps must be a whole number, got True"),
        ("rate = 'fast'", "rate must be a number, got 'fast'"),
        ("full = 'no'", "full must be True or False, got 'no'"),
        ("own = 3", "own must be a dict, got 3; with papermill: -y 'own: {key: value}'"),
    ],
)
def test_begin_refuses_what_a_batch_run_sets_wrongly(injected, message, version):
    namespace = notebook(TYPED, f"# Parameters\n{injected}", "import torch")
    if version == "keeps none":
        namespace.pop("__annotations__", None)
    with pytest.raises(ValueError, match=message):
        begin("toy", namespace)


def test_begin_takes_what_a_batch_run_sets_rightly(capsys):
    injected = "# Parameters\nsteps = 4\nrate = 1\nseeds = [0]\ncategory = 2\nfull = True"
    lesson = begin("toy", notebook(TYPED, injected, "own_name = 3"))
    assert lesson.parameters["seeds"] == [0]
    assert lesson.parameters["category"] == 2  # the fabric 02, as papermill reads it


def test_a_wrong_guess_is_told_why(capsys):
    for guess, why, told in (
        ("Dots", {"dots": "small, but sharp"}, "a surprise\nsmall, but sharp"),
        ("dark", {"dots": "small, but sharp"}, "a surprise\n"),
        (["dark"], "the map sees contrast", "the map sees contrast"),
        ("texture", "not shown", "as you thought\n"),
    ):
        Lesson().predict_first("Which?", guess).reveal("texture", why)
        assert told in capsys.readouterr().out


def test_a_guess_that_the_run_cannot_tell_from_the_best_is_not_wrong(capsys):
    for guess, level, told in (
        ("attention", ["plain", "attention"], "or nearly"),
        (0.005, [0.02, 0.005], "or nearly"),
        ("gated", ["plain", "attention"], "a surprise\nskips copy"),
        (None, ["plain", "none"], "none yet"),
    ):
        Lesson().predict_first("Which?", guess).reveal("plain" if isinstance(guess, str) else 0.02, "skips copy", level)
        assert told in capsys.readouterr().out
