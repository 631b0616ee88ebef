"""Notebooks as a batch run takes them: parameters listed, overridden, and from a file."""

import ast
import json
import re
from pathlib import Path

import papermill
import pytest
import yaml

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FILES = sorted((FOLDER / "params").glob("gpu*.yaml"))  # full.yaml holds all notebooks: tests/test_full_run.py

pytestmark = pytest.mark.filterwarnings("default")  # of papermill and the kernel


def notebook_of(file: Path) -> Path:
    """The notebook a parameter file is for: ``gpu_03.yaml`` for 03, a name without a number for 01."""
    number = re.search(r"_(\d\d[a-z]?)$", file.stem)
    (notebook,) = FOLDER.glob(f"{number[1] if number else '01'}_*.ipynb")
    return notebook


@pytest.mark.slow
def test_an_overridden_parameter_takes_in_a_foreign_folder(tmp_path, monkeypatch):
    for name, value in (("ADKIT_FAST", "1"), ("ADKIT_HEADLESS", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ADKIT_HOME")
    monkeypatch.chdir(tmp_path)
    chosen = {"category": "denim", "steps": 7, "seed": 3, "image_size": [48, 144]}
    notebook = papermill.execute_notebook(
        FOLDER / "00_start_here.ipynb",
        "out.ipynb",
        chosen,
        kernel_name="python3",
        progress_bar=False,
        execution_timeout=300,
    )
    kept = json.loads((tmp_path / "runs" / "00_start_here" / "results.json").read_text(encoding="utf-8"))
    assert kept["mode"] == "fast"
    assert kept["parameters"].items() >= {"category": "denim", "steps": 7}.items()
    (injected,) = [cell for cell in notebook.cells if "injected-parameters" in cell["metadata"]["tags"]]
    values = {line.targets[0].id: ast.literal_eval(line.value) for line in ast.parse(injected["source"]).body}
    assert values == chosen


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_parameter_has_a_type_and_a_help_text(path):
    listed = papermill.inspect_notebook(path)
    assert {"dataset", "root", "category", "image_size", "device", "interactive", "out"} <= set(listed)
    assert "epoch" not in listed  # papermill only logs an unknown name: this is how to notice
    assert [name for name, entry in listed.items() if entry["inferred_type_name"] == "None" or not entry["help"]] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_parameter_file_names_known_parameters_of_the_right_type_and_changes_them(file):
    listed = papermill.inspect_notebook(notebook_of(file))
    chosen = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert sorted(set(chosen) - set(listed)) == []
    for name, value in chosen.items():
        assert type(value).__name__ == listed[name]["inferred_type_name"], name
        assert value != ast.literal_eval(listed[name]["default"]), name


def test_the_gpu_file_trains_with_losses_that_its_crops_can_bear():
    import torch

    from adkit.losses import build_loss

    chosen = yaml.safe_load((FOLDER / "params" / "gpu.yaml").read_text(encoding="utf-8"))
    crops = torch.rand(1, 1, chosen["crop"], chosen["crop"])
    for loss in chosen["losses"]:
        assert build_loss(loss)(crops, crops) < 1e-5, loss
