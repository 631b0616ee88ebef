"""The runner that makes the committed notebooks."""

import base64
import json
import re

import nbformat
import pytest

from tests.execute import absolute_paths, environment, joined, main, texts
from tests.palette import palette_png
from tests.test_notebook_hygiene import executed_cleanly, metadata_is_lean, portable


def test_web_addresses_and_relative_paths_are_no_absolute_paths():
    cell = {"source": "see https://example.org/home/x and ../work/a, ~/tmp/b, ADKIT_HOME=./runs", "outputs": []}
    assert absolute_paths({"cells": [cell]}) == []
    assert texts({"source": ["a", "b"]}) == ["ab"]
    assert absolute_paths({"cells": [{"source": "see ../../runs/photos"}]}) == ["../../runs"]


def test_streams_are_joined_and_the_environment_is_that_of_a_committed_run(monkeypatch, tmp_path):
    pieces = [nbformat.v4.new_output("stream", name=name, text=name) for name in ("stdout", "stdout", "stderr")]
    assert [piece.text for piece in joined(pieces)] == ["stdoutstdout", "stderr"]
    monkeypatch.setenv("ADKIT_FAST", "1")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    kept = environment(tmp_path)
    assert (kept["ADKIT_HEADLESS"], kept["ADKIT_HOME"]) == ("1", str(tmp_path))
    assert not {"ADKIT_FAST", "MPLBACKEND"} & set(kept)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_runner_executes_in_place(tmp_path, capsys):
    cells = [
        "from adkit.course.lesson import begin\nlesson = begin('toy', {'device': 'cpu'}, default=True)\nprint('on')",
        "from adkit import figures\nfigures.heat_table([[1.0]], ['a'], ['b'])",
        "lesson.finish({'one': 1});",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    path = tmp_path / "course" / "toy.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    (path.parent / "results").mkdir()
    old = {"seconds": 36000.0, "fetched_seconds": 0.0, "step_seconds": None}
    (path.parent / "results" / "toy.json").write_text(json.dumps(old), encoding="utf-8")
    stale = tmp_path / "runs" / "results" / "old"
    stale.mkdir(parents=True)
    main([str(path), "--home", str(tmp_path / "runs"), "--fresh"])
    done = json.loads(path.read_text(encoding="utf-8"))
    assert list(executed_cleanly(done)) == list(metadata_is_lean(done)) == list(portable(done)) == []
    png = base64.b64decode(done["cells"][1]["outputs"][0]["data"]["image/png"])
    assert palette_png(png) is png  # it has its palette
    assert json.loads((path.parent / "results" / "toy.json").read_text())["mode"] == "default"
    (told,) = [text for text in "".join(done["cells"][0]["outputs"][0]["text"]).split(" · ") if "takes about" in text]
    assert re.match(r"the default run takes about [\d.]+ s here", told)  # by this run, not by what lay there
    assert not stale.exists()
    assert "toy.ipynb: " in capsys.readouterr().out
    main([str(path), "--home", str(tmp_path / "runs"), "--resume"])
    assert capsys.readouterr().out == "toy.ipynb: run before\n"
    failing = path.with_name("failing.ipynb")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), failing)
    notebook.cells[0].source += "\n"
    nbformat.write(notebook, path)
    with pytest.raises(SystemExit, match=r"not executed:\nfailing.ipynb: ZeroDivisionError: division by zero"):
        main([str(failing), str(path), "--home", str(tmp_path / "runs"), "--resume"])
    assert "toy.ipynb: run before" not in capsys.readouterr().out
    notebook.cells.append(nbformat.v4.new_code_cell("print('/tm' + 'p/x')"))
    nbformat.write(notebook, path)
    with pytest.raises(SystemExit, match=r"toy.ipynb names folders of this machine: /tmp/x; nothing written"):
        main([str(path), "--home", str(tmp_path / "runs")])


def test_what_is_executed_must_be_said(capsys):
    for wrong in ([], ["--all", "notebooks/x.ipynb"]):
        with pytest.raises(SystemExit):
            main(wrong)
        assert "name notebooks, or say --all" in capsys.readouterr().err
