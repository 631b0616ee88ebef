"""Parameters of the full runs: each key is a notebook, and each name under it one of its parameters, of its type."""

from pathlib import Path

import nbformat
import pytest
import yaml

from adkit.course.parameters import TYPES

FOLDER = Path(__file__).parents[1] / "notebooks"
FULL = yaml.safe_load((FOLDER / "params" / "full.yaml").read_text(encoding="utf-8"))


def annotations(path: Path) -> dict[str, str]:
    """Parameter → its type, as the notebook's parameters cell annotates them."""
    cells = nbformat.read(path, as_version=4).cells
    (cell,) = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    lines = [line.partition(":") for line in cell.source.splitlines() if line.strip()]
    return {name: rest.partition("=")[0].strip() for name, _, rest in lines}


@pytest.mark.parametrize("name", FULL)
def test_every_name_is_a_parameter_of_its_notebook(name):
    known = annotations(FOLDER / f"{name}.ipynb")
    assert set(FULL[name]) <= set(known)
    for parameter, value in FULL[name].items():
        valid, expected, _ = TYPES[known[parameter]]
        assert valid(value), f"{parameter} must be {expected}"
