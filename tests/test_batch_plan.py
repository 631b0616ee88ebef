"""Plans: what they come to, and that everything wrong in one is said before anything starts."""

import json
from pathlib import Path

import pytest
import yaml

from adkit.__main__ import main
from adkit.batch import Done, load_plan, run_plan
from adkit.batch.figures_of_merit import figures_of
from adkit.batch.index import Index
from adkit.batch.parameters import accepts, notebook_parameters, problems
from adkit.batch.plan import run_name
from tests.batch_jobs import notebook

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def write(folder: Path, plan: object, **texts: str) -> Path:
    """A plan and what lies beside it."""
    for name, text in texts.items():
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
    (folder / "plan.yaml").write_text(plan if isinstance(plan, str) else yaml.safe_dump(plan), encoding="utf-8")
    return folder / "plan.yaml"


def test_a_plan_comes_to_its_runs(tmp_path):
    (tmp_path / "gpu.yaml").write_text("steps: 4000\nrate: 0.5\n", encoding="utf-8")
    job = {
        "notebook": "a.ipynb",
        "profile": "gpu.yaml",
        "parameters": {"rate": 2},
        "grid": {"fabric": ["denim", "calico"], "seeds": [[0], [0, 1]]},
        "gpus": 2,
        "environment": {"B": 2},
    }
    text = notebook(parameters="steps = 4\nrate: float = 0.1\nfabric: str = ''\nseeds: list[int] = [0]")
    plan = load_plan(write(tmp_path, {"runs": "out", "timeout": 9, "environment": {"A": 1}, "jobs": [job]}, a=text))
    assert plan.runs == tmp_path / "out"
    assert [run.name for run in plan.jobs[:2]] == ["a--fabric=denim,seeds=0", "a--fabric=denim,seeds=0-1"]
    assert [run.name for run in plan.jobs[2:]] == ["a--fabric=calico,seeds=0", "a--fabric=calico,seeds=0-1"]
    first = plan.jobs[0]
    assert first.parameters == {"steps": 4000, "rate": 2, "fabric": "denim", "seeds": [0]}
    assert (first.timeout, first.gpus, first.environment) == (9, 2, {"A": "1", "B": "2"})
    assert len({run.key for run in plan.jobs}) == 4


@pytest.mark.parametrize(
    "plan, message",
    [
        ({"jobs": []}, "it has no jobs"),
        ({"job": [1], "jobs": [{"notebook": "a.ipynb"}]}, "the plan has no 'job'; known: runs, jobs"),
        ({"jobs": [{"notebook": "b.ipynb"}]}, "job 1: no notebook .*b.ipynb"),
        ({"jobs": ["a.ipynb"]}, "job 1: expected `notebook: FILE`"),
        ({"jobs": [{"notebook": "a.ipynb", "parameter": {}}]}, "it has no 'parameter'; known: notebook"),
        (
            {"jobs": [{"notebook": "a.ipynb", "parameters": {"step": 1}}]},
            "a.ipynb: it has no parameter 'step'; did you mean",
        ),
        ({"jobs": [{"notebook": "a.ipynb", "parameters": {"steps": "9"}}]}, "a.ipynb: steps must be int, got '9'"),
        ({"jobs": [{"notebook": "a.ipynb", "grid": {"steps": [1, True]}}]}, "a.ipynb: steps must be int, got True"),
        ({"jobs": [{"notebook": "a.ipynb", "grid": {"steps": 1}}]}, "grid: expected a list of values for steps"),
        ({"jobs": [{"notebook": "a.ipynb", "profile": "no.yaml"}]}, "profile: no file .*no.yaml"),
        (
            {"jobs": [{"notebook": "a.ipynb"}, {"notebook": "a.ipynb"}]},
            "two runs are called a; give a job another `name:`",
        ),
        ({"jobs": [{"notebook": "a.ipynb"}], "timeout": "1h"}, "timeout must be int or float, got '1h'"),
        ({"jobs": [{"notebook": "a.ipynb", "timeout": 0}]}, "timeout must be positive"),
        ({"jobs": [{"notebook": "a.ipynb", "gpus": -1}]}, "gpus must be positive"),
        (
            {"jobs": [{"notebook": "bare.ipynb", "parameters": {"steps": 1}}]},
            "bare.ipynb: no cell is tagged `parameters`",
        ),
        ({"jobs": [{"notebook": "broken.ipynb", "parameters": {"steps": 1}}]}, "broken.ipynb: "),
        ("- 1\n- 2\n", "should hold names with values"),
        ("a: [", "is no YAML of plain data"),
        ("a: 2026-01-01\n", "is no YAML of plain data"),
    ],
)
def test_what_is_wrong_in_a_plan_is_said(tmp_path, plan, message):
    path = write(tmp_path, plan, a=notebook(), bare=notebook("1", parameters=None), broken="{")
    with pytest.raises(ValueError, match=message):
        load_plan(path)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    jobs = [{"notebook": "a.ipynb", "parameters": {"step": 1, "out": 3}}, {"notebook": "gone.ipynb"}]
    with pytest.raises(ValueError, match="nothing was started") as error:
        load_plan(write(tmp_path, {"jobs": jobs}, a=notebook()))
    assert [line.strip()[:6] for line in str(error.value).splitlines()[1:]] == ["job 1:", "job 1:", "job 2:"]


def test_the_command_tells_errors_in_a_line_and_starts_nothing(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["batch", str(tmp_path / "plan.yaml")])
    assert capsys.readouterr().err == f"adkit batch: error: no file {tmp_path / 'plan.yaml'}\n"
    path = write(tmp_path, {"jobs": [{"notebook": "a.ipynb", "grid": {"steps": [1, 2]}}]}, a=notebook())
    assert main(["batch", str(path), "--dry-run", "--out", str(tmp_path / "o")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"2 runs, outputs in {tmp_path / 'o'}",
        "to run    a--steps=1  steps=1",
        "to run    a--steps=2  steps=2",
    ]
    assert not (tmp_path / "o").exists()


def test_names_of_runs_are_fit_for_files_and_differ():
    assert run_name("a", {}) == "a"
    assert run_name("a", {"loss": "mse + 0.1*ssim"}) != run_name("a", {"loss": "mse - 0.1/ssim"})
    for value in ("../../x", "a b", "ü" * 300, "=cmd|x"):
        name = run_name("a", {"v": value})
        assert "/" not in name
        assert len(name) <= 100


def test_every_profile_of_the_course_passes_the_check(tmp_path):
    jobs = []
    for file in sorted((NOTEBOOKS / "params").glob("gpu*.yaml")):
        number = file.stem.rpartition("_")[2] if "_" in file.stem else "01"
        (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
        jobs.append({"notebook": str(path), "profile": str(file)})
    assert len(load_plan(write(tmp_path, {"jobs": jobs})).jobs) >= 11


@pytest.mark.parametrize(
    "annotation, good, bad",
    [
        ("int", [3], [3.0, True, "3", None]),
        ("float", [3, 0.5], [True, "1e-3"]),
        ("str | None", ["a", None], [1]),
        ("Optional[int]", [1, None], ["a"]),
        ("list[int]", [[], [1]], [["a"], 1]),
        ("list", [[1, "a"]], ["ab"]),
        ("tuple[int, int]", [[1, 2]], ["a"]),
        ("dict[str, float]", [{"a": 1}], [{"a": "b"}, []]),
        ("typing.Literal['a', 'b']", ["a"], ["c"]),
        ("'int'", [1], ["a"]),
        ("Path", ["a", 1], []),
    ],
)
def test_types_of_parameters(annotation, good, bad):
    assert [value for value in good if not accepts(annotation, value)] == []
    assert [value for value in bad if accepts(annotation, value)] == []


def test_parameters_without_annotation_take_the_type_of_their_default():
    known = notebook_parameters(json.loads(notebook(parameters="a = b = 3\nc = None\nd = f(1)\n# note")))
    assert {name: each.annotation for name, each in known.items()} == {"a": "int", "b": "int", "c": "", "d": ""}
    assert problems(known, {"a": 1, "c": "x", "d": []}) == []
    with pytest.raises(ValueError, match="is no Python"):
        notebook_parameters(json.loads(notebook(parameters="%matplotlib inline")))


def test_the_index_keeps_what_others_wrote_and_no_formula(tmp_path):
    index = Index(tmp_path)
    index.note(Done("=cmd|a", "ok", 1.0, figures={"pro": 0.5}), "a.ipynb", {"x": 1})
    index.note(Done("b", "failed", 2.0, error="-1 is bad"))
    again = Index(tmp_path)
    again.note(Done("b", "ok", 3.0, figures={"pixel_ap": -0.25}))
    again.note(Done("=cmd|a", "skipped"))
    lines = (tmp_path / "index.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "name,status,notebook,parameters,started,seconds,host,gpus,attempts,error,pro,pixel_ap"
    assert lines[1].startswith('\'=cmd|a,ok,a.ipynb,"{""x"": 1}",,1.0,')
    assert lines[2] == "b,ok,,{},,3.0,,,1,,,-0.25"
    assert len(lines) == 3


def test_figures_of_merit_are_the_best_of_a_run(tmp_path):
    assert figures_of(tmp_path) == {}
    results = {
        "results": {"rows": [{"pro": 0.4}, {"pro": {"value": 0.7, "low": 0.5}}], "by_kind": {"dots": {"pro": 0.99}}},
        "claims": [{"text": "a", "holds": True}, {"text": "b", "holds": False}],
    }
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    assert figures_of(tmp_path) == {"pro": 0.7, "claims": 2, "claims_that_hold": 1}


def test_run_plan_is_what_the_command_calls(tmp_path, capsys):
    path = write(tmp_path, {"jobs": [{"notebook": "a.ipynb"}]}, a=notebook())
    assert run_plan(path, dry_run=True) == []
    assert "1 runs" in capsys.readouterr().out
