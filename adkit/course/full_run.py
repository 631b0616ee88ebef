"""The full run of a notebook, which takes too long for its default run: made once, kept beside it, shown with its date.

``notebooks/params/full.yaml`` holds its parameters under the notebook's name, ``notebooks/results/full/NAME.json`` what
it found. A lesson shows the numbers and says that they are not of this run.
"""

import json
from pathlib import Path
from typing import Any

from adkit.course.cards import Card, markup, show
from adkit.runtime.progress import duration

FOLDERS = (Path("results/full"), Path("notebooks/results/full"))  # from a notebook's own folder, and from above it


def full_run(name: str, folder: Path | None = None) -> dict[str, Any]:
    """What the full run of a notebook found; says when and where it was made, or that it is not there yet.

    Args:
        name: name of the notebook.
        folder: where full runs are kept; None: beside the notebooks.

    Returns:
        The ``results`` of its ``results.json``; empty where there is none.

    Example:
        >>> full_run("99_nothing")
        No full run of 99_nothing is kept here; the parameters of one stand in notebooks/params/full.yaml.
        {}
    """
    paths = [place / f"{name}.json" for place in ([folder] if folder else FOLDERS)]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        told = f"No full run of {name} is kept here; the parameters of one stand in notebooks/params/full.yaml."
        show(Card(told, markup(told)))
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    told = (
        f"Not of this run: kept from the full run{_date(kept)} on {kept['device']['name']}, "
        f"{duration(kept['seconds'])}, sources {kept['fingerprint'][:8]}."
    )
    show(Card(told, f"<i>{markup(told)}</i>"))
    return kept["results"]


def _date(kept: dict) -> str:
    return f" of {kept['date']}" if kept.get("date") else ""
