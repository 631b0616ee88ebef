"""Where runs are tracked: MLflow's client, and nothing of its global state. Names are made safe, values finite."""

import logging
import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from adkit.deploy.extras import require
from adkit.runtime import home

ADDRESS = "adkit.address"
# MLflow cuts a parameter there, with a warning
LONGEST = 500
# it would ask a host at every start, and wait minutes for a server that is gone
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}  # fmt: skip
# bytes of a file that goes along as an artifact
LARGEST = 50_000_000


class Store:
    """Runs in one experiment of MLflow.

    Args:
        client: an ``mlflow.MlflowClient``, or what does the same.
        entities: the module ``mlflow.entities``, for its ``Metric`` and ``Param``.
        experiment: name of the experiment; it is made where it is missing.
        artifacts: folder of files that belong to runs.
    """

    def __init__(self, client, entities, experiment: str = "adkit", artifacts: str | Path | None = None):
        self.client, self.entities = client, entities
        found = client.get_experiment_by_name(experiment)
        if found is None:
            # told, or MLflow would put them into the folder of whoever runs first
            place = None if artifacts is None else Path(artifacts).absolute().as_uri()
            self.experiment_id = client.create_experiment(experiment, artifact_location=place)
        else:
            self.experiment_id = found.experiment_id

    def find(self, address: str) -> str | None:
        """The run that an address was tracked as; None: it was not, or not to its end."""
        found = self.client.search_runs([self.experiment_id], f"tags.`{ADDRESS}` = '{address}'")
        return next((run.info.run_id for run in found if run.info.status == "FINISHED"), None)

    def start(self, name: str, params: Mapping, tags: Mapping | None = None) -> str:
        """Begin a run; returns its id."""
        tags = {str(key): str(value)[:LONGEST] for key, value in (tags or {}).items()}
        run_id = self.client.create_run(self.experiment_id, tags=tags, run_name=name).info.run_id
        listed = [self.entities.Param(safe_name(key), str(value)[:LONGEST]) for key, value in flat(params)]
        for start in range(0, len(listed), 100):
            self.client.log_batch(run_id, params=listed[start : start + 100])
        return run_id

    def log(self, run_id: str, numbers: Mapping, step: int = 0) -> None:
        """Log numbers of a step; what is no finite number is left out."""
        now = int(1000 * time.time())
        metrics = [
            self.entities.Metric(safe_name(key), float(value), now, int(step))
            for key, value in flat(numbers)
            if is_number(value)
        ]
        for start in range(0, len(metrics), 1000):
            self.client.log_batch(run_id, metrics=metrics[start : start + 1000])

    def log_files(self, run_id: str, folder: Path) -> None:
        """Log the files of a folder and below it, but for huge ones and those that a run keeps to go on."""
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            wanted = path.stat().st_size <= LARGEST and path.suffix != ".pt" and not path.name.startswith(".")
            if wanted:
                place = path.parent.relative_to(folder).as_posix()
                self.client.log_artifact(run_id, str(path), None if place == "." else place)

    def end(self, run_id: str, status: str = "FINISHED") -> None:
        """End a run: ``FINISHED``, ``FAILED`` or ``KILLED``."""
        self.client.set_terminated(run_id, status=status)


def open_store(uri: str | None = None, experiment: str = "adkit") -> Store:
    """The store of an address.

    Args:
        uri: of MLflow; None: a sqlite file under ``ADKIT_HOME``, which needs no server and no network.
        experiment: name of the experiment.

    Raises:
        ImportError: if MLflow is not installed; it says what to install.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    require("mlflow", "tracking")
    from mlflow import MlflowClient, entities

    logging.getLogger("mlflow.store.db").setLevel(logging.WARNING)  # else it tells of each table that it makes

    uri = uri or f"sqlite:///{home() / 'mlflow.db'}"
    return Store(MlflowClient(tracking_uri=uri), entities, experiment, home() / "mlflow-artifacts")


def safe_name(name: str) -> str:
    """A name as MLflow takes it: letters, digits, and ``_ - . / : `` and blanks.

    Example:
        >>> safe_name("f1 at 50 %"), safe_name("pro[0.3]")
        ('f1 at 50 _', 'pro_0.3_')
    """
    return re.sub(r"[^A-Za-z0-9_\-. :/]", "_", name)[:250] or "_"


def flat(content: Mapping, prefix: str = "") -> Iterator[tuple[str, object]]:
    """The leaves of nested data, by names with dots.

    Example:
        >>> dict(flat({"a": {"b": 1}, "c": [2, 3]}))
        {'a.b': 1, 'c': [2, 3]}
    """
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def is_number(value: object) -> bool:
    """Whether a value is a finite number, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
