"""The full run of a notebook: shown with its date where it is kept, and its parameters are the notebook's own."""

import ast
import json
from pathlib import Path

import nbformat
import pytest
import yaml

from adkit.course.full_run import full_run

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
FULL = NOTEBOOKS / "params" / "full.yaml"


def test_a_kept_run_says_that_it_is_not_of_this_run(tmp_path, capsys):
    kept = {"results": {"steps": {"100": 0.7}}, "seconds": 90.0, "fingerprint": "0123456789", "date": "2026-01-02"}
    (tmp_path / "x.json").write_text(json.dumps(kept | {"device": {"name": "a GPU"}}))
    assert full_run("x", tmp_path) == {"steps": {"100": 0.7}}
    assert "Not of this run: kept from the full run of 2026-01-02 on a GPU, 1 min 30 s" in capsys.readouterr().out
    assert full_run("y", tmp_path) == {}
    assert "No full run of y" in capsys.readouterr().out


@pytest.mark.skipif(not FULL.is_file(), reason="no full run is planned")
def test_full_parameters_are_those_of_their_notebook_and_change_them():
    for name, chosen in yaml.safe_load(FULL.read_text(encoding="utf-8")).items():
        notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        (source,) = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        defaults = {line.target.id: ast.literal_eval(line.value) for line in ast.parse(source).body}
        assert sorted(set(chosen) - set(defaults)) == [], name
        for key, value in chosen.items():
            assert type(value) is type(defaults[key]), (name, key)
            assert value != defaults[key], (name, key)
