"""Tracking, by a stand-in for MLflow's client: nothing twice, nothing unsafe, and no training that it stops."""

import json
import math
import sys
from types import SimpleNamespace

import pytest

from adkit.deploy import Tracker, import_runs, track
from adkit.deploy.tracking.store import Store, open_store, safe_name

ENTITIES = SimpleNamespace(
    Param=lambda key, value: (key, value), Metric=lambda key, value, timestamp, step: (key, value, step)
)


class Client:
    """As much of an ``MlflowClient`` as is used."""

    def __init__(self):
        self.runs, self.experiments = {}, {}

    def get_experiment_by_name(self, name):
        return self.experiments.get(name)

    def create_experiment(self, name, artifact_location=None):
        self.experiments[name] = SimpleNamespace(experiment_id="1", place=artifact_location)
        return "1"

    def create_run(self, experiment_id, tags, run_name):
        info = SimpleNamespace(run_id=f"run{len(self.runs)}", status="RUNNING")
        self.runs[info.run_id] = SimpleNamespace(info=info, tags=tags, name=run_name, params=[], metrics=[], files=[])
        return self.runs[info.run_id]

    def search_runs(self, ids, text):
        address = text.split("'")[1]
        return [run for run in self.runs.values() if run.tags.get("adkit.address") == address]

    def log_batch(self, run_id, metrics=(), params=()):
        self.runs[run_id].metrics += metrics
        self.runs[run_id].params += params

    def log_artifact(self, run_id, path, place):
        self.runs[run_id].files.append((path.rpartition("/")[2], place))

    def set_terminated(self, run_id, status):
        self.runs[run_id].info.status = status


@pytest.fixture
def store(tmp_path):
    return Store(Client(), ENTITIES, artifacts=tmp_path / "artifacts")


@pytest.fixture
def runs(tmp_path):
    """One run, one recording, a comparison, and what is none of them."""
    root = tmp_path / "runs"
    contents = {
        "results/abc/result.json": {
            "address": "abc", "experiment": {"settings": {"width": 4}}, "evaluation": {"pro": 0.5, "f1": None},
            "history": [{"step": 1, "loss": 0.5}, {"step": 2, "loss": math.pi}], "seconds": {"fit": 2.0},
        },
        "recorded/results.json": {"address": "def", "settings": {"loss": "mse"}, "metrics": {"f1 at 50 %": 0.25}},
        "compared/results.json": {"methods": {"vae": {"pro": 0.25}}},
        "results/xyz.unfinished/result.json": {},
    }  # fmt: skip
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(json.dumps(content))
    (root / "recorded/training_history.json").write_text('[{"step": 3, "loss": 1.5}]')
    (root / "recorded/checkpoint.pt").write_bytes(b"x")
    (root / "recorded/detector").mkdir()
    (root / "recorded/detector/detector.json").write_text("{}")
    return root


def test_all_that_lies_on_disk_is_tracked_once(store, runs):
    first = import_runs(runs, store=store)
    assert len(first) == len(set(first)) == 3
    assert import_runs(runs, store=store) == first
    by_name = {run.name: run for run in store.client.runs.values()}
    assert set(by_name) == {"abc", "recorded", "compared"}
    abc = by_name["abc"]
    assert ("experiment.settings.width", "4") in abc.params
    assert ("evaluation.pro", 0.5, 0) in abc.metrics
    assert [metric for metric in abc.metrics if metric[0] == "loss"] == [("loss", 0.5, 1), ("loss", math.pi, 2)]
    assert not [metric for metric in abc.metrics if "f1" in metric[0]]
    recorded = by_name["recorded"]
    assert ("metrics.f1 at 50 _", 0.25, 0) in recorded.metrics
    assert ("loss", 1.5, 3) in recorded.metrics
    assert set(recorded.files) == {
        ("results.json", None), ("training_history.json", None), ("detector.json", "detector")
    }  # fmt: skip
    assert all(run.info.status == "FINISHED" for run in store.client.runs.values())
    assert store.client.experiments["adkit"].place.startswith("file://")


def test_a_run_that_broke_off_is_tracked_anew(store, runs, monkeypatch):
    def fail(run_id, path, place):
        raise OSError("no space")

    monkeypatch.setattr(store.client, "log_artifact", fail)
    with pytest.raises(OSError, match="no space"):
        track(runs / "recorded", store=store)
    assert store.client.runs["run0"].info.status == "FAILED"
    monkeypatch.undo()
    assert track(runs / "recorded", store=store, tags={"line": "3"}) == "run1"
    assert store.client.runs["run1"].tags["line"] == "3"


def test_what_is_no_result_is_refused(store, tmp_path):
    with pytest.raises(FileNotFoundError, match="no finished run"):
        track(tmp_path, store=store)
    for text in ("{", "[]"):
        (tmp_path / "result.json").write_text(text)
        with pytest.raises(ValueError, match="result"):
            track(tmp_path, store=store)
    assert not store.client.runs


def test_a_training_is_watched(store):
    with Tracker("try", {"width": 4}, store=store) as tracker:
        tracker.watch({"step": 5, "loss": 0.5, "odd": math.nan})
    run = store.client.runs[tracker.run_id]
    assert (run.metrics, run.params, run.info.status) == ([("loss", 0.5, 5)], [("width", "4")], "FINISHED")
    with pytest.raises(KeyError), Tracker("try", {}, store=store) as tracker:
        raise KeyError
    assert store.client.runs[tracker.run_id].info.status == "FAILED"


def test_a_tracker_that_fails_never_stops_a_training(store, monkeypatch):
    def fail(*args, **options):
        raise TimeoutError("database is locked")

    with Tracker("try", {}, store=store) as tracker:
        monkeypatch.setattr(store.client, "log_batch", fail)
        with pytest.warns(UserWarning, match="database is locked.*goes on without"):
            tracker.watch({"step": 1, "loss": 1.0})
        tracker.watch({"step": 2, "loss": 1.0})  # said once
    monkeypatch.setattr(store.client, "create_run", fail)
    with pytest.warns(UserWarning, match="tracking does not work"), Tracker("try", {}, store=store) as tracker:
        tracker.watch({"step": 1})


def test_without_mlflow_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match=r'pip install "FOLDER\[tracking\]"'):
        open_store()
    with pytest.warns(UserWarning, match="FOLDER.tracking"):
        Tracker("try", {})


def test_names_are_made_safe():
    assert [safe_name(name) for name in ("a/b:c d.e-f_g", "pro[0.3]", "", "ü")] == [
        "a/b:c d.e-f_g",
        "pro_0.3_",
        "_",
        "_",
    ]


def test_a_tracker_that_keeps_failing_is_left_alone_and_one_failure_is_forgiven(store, monkeypatch):
    asked, broken = [], [True]
    whole = store.log

    def log(*arguments):
        asked.append(arguments)
        if broken[0]:
            raise OSError("gone")
        whole(*arguments)

    with Tracker("first", {}, store=store) as tracker:
        monkeypatch.setattr(store, "log", log)
        with pytest.warns(UserWarning, match="tracking does not work"):
            tracker.watch({"step": 1, "loss": 0.5})
        broken[0] = False
        tracker.watch({"step": 2, "loss": 0.5})
        broken[0] = True
        for step in range(3, 9):
            tracker.watch({"step": step, "loss": 0.5})
    assert [arguments[2] for arguments in asked] == [1, 2, 3, 4, 5]
    assert store.client.runs[tracker.run_id].metrics == [("loss", 0.5, 2)]
