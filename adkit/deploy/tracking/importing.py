"""What lies on disk already, tracked after the fact: each result once, however often it is asked for."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from adkit.deploy.tracking.store import ADDRESS, Store, flat, is_number, open_store
from adkit.runtime import home

# what a run, a recording and a comparison leave when they are over
RESULTS = ("result.json", "results.json")
PARAMS = ("settings", "experiment", "options", "dataset")


def track(
    folder: str | Path, uri: str | None = None, experiment: str = "adkit", tags: Mapping | None = None,
    store: Store | None = None,
) -> str:  # fmt: skip
    """Track one finished run.

    Args:
        folder: with a ``result.json`` or a ``results.json``.
        uri: of MLflow; None: a sqlite file under ``ADKIT_HOME``.
        experiment: name of the experiment.
        tags: of the run.
        store: where to log; None: the one of ``uri``.

    Returns:
        The id of the run; that of before, if the same result was tracked already.

    Raises:
        FileNotFoundError: if there is no result.
        ValueError: if it is damaged.
    """
    folder = Path(folder)
    path = next((folder / name for name in RESULTS if (folder / name).is_file()), None)
    if path is None:
        raise FileNotFoundError(f"no finished run at {folder}: expected {' or '.join(RESULTS)}")
    content, address = read_result(path)
    store = store or open_store(uri, experiment)
    if (known := store.find(address)) is not None:
        return known
    params = {name: content[name] for name in PARAMS if isinstance(content.get(name), Mapping)}
    run_id = store.start(folder.name, params, {ADDRESS: address, "adkit.file": path.name, **(tags or {})})
    try:
        skipped = {*PARAMS, "history", "machine", "address"}
        store.log(run_id, {key: value for key, value in flat(content) if key.split(".")[0] not in skipped})
        for row in history_of(content, folder):
            numbers = {name: value for name, value in row.items() if name != "step" and is_number(value)}
            store.log(run_id, numbers, row.get("step", 0))
        store.log_files(run_id, folder)
    except BaseException:
        store.end(run_id, "FAILED")
        raise
    store.end(run_id)
    return run_id


def import_runs(
    root: str | Path | None = None, uri: str | None = None, experiment: str = "adkit", store: Store | None = None
) -> list[str]:
    """Track all finished runs in a folder and below it; those that are known stay as they are.

    Args:
        root: where to look; None: ``ADKIT_HOME``.
        uri: of MLflow; None: a sqlite file under ``ADKIT_HOME``.
        experiment: name of the experiment.
        store: where to log; None: the one of ``uri``.

    Returns:
        The ids of the runs, one for each result.
    """
    root = home() if root is None else Path(root)
    folders = list(finished(root))
    store = store or open_store(uri, experiment)
    return [track(folder, store=store) for folder in folders]


def finished(root: Path) -> Iterator[Path]:
    """Folders that hold a result, in order of their names; what is hidden or unfinished is none."""
    for path in sorted({path.parent for name in RESULTS for path in root.rglob(name)}):
        parts = path.relative_to(root).parts
        if not any(
            part.startswith(".") or part.endswith(".unfinished") or part == "mlflow-artifacts" for part in parts
        ):
            yield path


def read_result(path: Path) -> tuple[dict, str]:
    """A result and its address: the one that it tells, else a hash of what it says; raises a ValueError."""
    try:
        data = path.read_bytes()
        content = json.loads(data)
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); run it again") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no result; expected an object")
    return content, str(content.get("address") or hashlib.sha256(data).hexdigest()[:20])


def history_of(content: Mapping, folder: Path) -> list[dict]:
    """The rows of a training: of the result itself, or of ``training_history.json`` beside it."""
    beside = folder / "training_history.json"
    rows = content.get("history") or (json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else [])
    return [row for row in rows if isinstance(row, dict)]
