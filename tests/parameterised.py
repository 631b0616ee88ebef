"""Run a notebook with other parameters than its own, and leave it as it is."""

import json
from pathlib import Path

from nbclient import NotebookClient
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from tests.environment import environment


def run_with(path: Path, parameters: dict, out: Path, home: Path) -> dict:
    """What a notebook finds with other parameters: its results; nothing of the notebook itself is changed.

    Raises:
        CellExecutionError: if one of its cells fails.
    """
    notebook = parameterize_notebook(load_notebook_node(str(path)), parameters | {"out": str(out)})
    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=14400, kernel_name="python3", resources=place).execute(env=environment(home))
    return json.loads((out / "results.json").read_text(encoding="utf-8"))
