"""The exercises of the notebooks: each is known to the library, and its solution fills in what the cell asks for."""

import ast
import json
import re
from pathlib import Path

import pytest

from adkit.course.answers import exercise_of

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9]*.ipynb"))
CHECK = re.compile(r'lesson\.check\(\s*"([\w.]+)"')


def checks(path: Path) -> dict[str, ast.Module]:
    """Id of each exercise that a notebook checks → the cell that does."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return {identifier: ast.parse(source) for source in code for identifier in CHECK.findall(source)}


def defined(module: ast.Module) -> set[str]:
    """Names that the statements of a module give a value."""
    targets = [target for line in module.body if isinstance(line, ast.Assign) for target in line.targets]
    functions = {line.name for line in module.body if isinstance(line, ast.FunctionDef)}
    return functions | {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_solution_fills_in_what_its_cell_asks_for(path):
    found = checks(path)
    assert found
    for identifier, cell in found.items():
        assert identifier.startswith(path.stem.split("_")[0] + ".")
        solution = ast.parse(exercise_of(identifier).solution)
        assert defined(solution) & defined(cell), f"{identifier} defines {sorted(defined(solution))}"
