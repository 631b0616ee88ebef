"""Recorded runs: what they leave, when they paint, what a kill leaves behind, and what they do not overwrite."""

import csv
import json

import pytest
import torch
from safetensors.torch import load_file

from adkit import AutoencoderDetector, DRAEMDetector, PatchCoreDetector, VAEDetector, load_dataset, load_detector
from adkit.data import read_image
from adkit.detectors.base import Detector
from adkit.detectors.folder_report import COLUMNS, GAP
from adkit.detectors.network import NetworkDetector
from adkit.experiments import record as recording
from adkit.experiments.record import record, steps_per_epoch, write_predictions
from adkit.training import TrainingState
from tests.conftest import TINY

SMALL = TINY | {"steps": 12, "batch_size": 16}  # 80 training images: an epoch is 5 steps
NETWORKS = {
    "autoencoder": (AutoencoderDetector, SMALL),
    "draem": (DRAEMDetector, SMALL | {"segment_width": 4}),
    "vae": (VAEDetector, {"latent_dim": 4, "widths": [4, 8]} | {k: v for k, v in SMALL.items() if k != "width"}),
}


def tiny(method="autoencoder", **changes):
    kind, settings = NETWORKS[method]
    return kind(**settings | changes)


@pytest.fixture(scope="module")
def few(splits):
    """The small frames with a test part of four."""
    test = splits.test.subset([0, 1, *(splits.test.kinds.index(kind) for kind in ("bright", "dots"))])
    return type(splits)(splits.train, splits.validation, test, splits.name)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize("method", NETWORKS)
def test_a_run_leaves_everything_and_nothing_else(method, few, tmp_path):
    detector = tiny(method)
    results = record(detector, few, tmp_path / "run", every=1, bootstrap=0)
    pictures = [f"predictions/{n:04d}_{kind}.png" for n, kind in enumerate(few.test.kinds)]
    assert files(tmp_path / "run") == [
        "detector/detector.json", "detector/weights.safetensors",
        *pictures, "predictions/predictions.csv", "predictions/predictions.json",
        "reconstructions/epoch_0001.png", "reconstructions/epoch_0002.png",
        "results.json", "training_curves.png", "training_history.json",
    ]  # fmt: skip
    assert results == json.loads((tmp_path / "run/results.json").read_text())
    history = json.loads((tmp_path / "run/training_history.json").read_text())
    assert [row["step"] for row in history] == [5, 10, 12]
    assert (results["steps_per_epoch"], results["epochs"]) == (5, 12 / 5)
    loaded = load_detector(tmp_path / "run/detector", device="cpu")
    assert results["threshold"]["value"] == loaded.threshold
    assert type(loaded.settings)(**results["settings"]) == loaded.settings
    assert loaded.history == history
    assert detector.model is detector.on_validation is None  # it was a description
    rows = json.loads((tmp_path / "run/predictions/predictions.json").read_text())["images"]
    judged = results["metrics"]["images"]
    assert [(row["score"], row["is_anomalous"]) for row in rows] == [(row["score"], row["flagged"]) for row in judged]
    assert [(row["path"], row["kind"]) for row in rows] == [(row["path"], row["kind"]) for row in judged]
    with (tmp_path / "run/predictions/predictions.csv").open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == [*COLUMNS, "kind", "picture"]


def test_pictures_show_image_reconstruction_and_difference(few, tmp_path):
    record(tiny(), few, tmp_path, every=1, shown=2, bootstrap=0)
    loaded, image = load_detector(tmp_path / "detector", device="cpu"), few.test[2]["image"]
    reconstruction = loaded.reconstruct(image[None])[0]
    panels = read_image(tmp_path / "predictions/0002_bright.png", channels=1).split([32, GAP] * 4 + [32], dim=1)
    for panel, expected in zip(panels[::2], (image, reconstruction), strict=False):  # wide: one below the other
        torch.testing.assert_close(panel, expected, atol=0.003, rtol=0)
    looked = read_image(tmp_path / "reconstructions/epoch_0002.png", channels=1)
    assert looked.shape == (1, 6 * (32 + GAP) + GAP, 64 + 2 * GAP)
    torch.testing.assert_close(looked[:, GAP : GAP + 32, GAP:-GAP], few.validation[0]["image"], atol=0.003, rtol=0)


@pytest.mark.slow
def test_squares_stand_side_by_side_and_sizes_that_differ_are_left_out(tmp_path):
    squares = load_dataset("textile", category="denim", image_size=(32, 32))
    record(tiny(steps=5), squares, tmp_path, every=1, shown=3, bootstrap=0)
    shape = (3, 3 * (32 + GAP) + GAP, 3 * (32 + GAP) + GAP)
    assert read_image(tmp_path / "reconstructions/epoch_0001.png").shape == shape


def test_predictions_of_a_method_that_reconstructs_nothing_have_three_panels(few, fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(NetworkDetector, "reconstruct_images", Detector.reconstruct_images)
    rows = write_predictions(fitted, few.test, tmp_path)
    assert read_image(tmp_path / rows[0]["picture"]).shape == (3, 3 * 32 + 2 * GAP, 64)


def test_an_epoch_is_as_many_crops_as_images(few):
    assert [steps_per_epoch(few.train, size) for size in (16, 32, 80, 81)] == [5, 3, 1, 1]


# -- again, and after a kill ---------------------------------------------------------------------------------------


@pytest.fixture
def fits(monkeypatch):
    """One entry for each time that a detector is really fitted."""
    calls, original = [], Detector.fit
    monkeypatch.setattr(Detector, "fit", lambda self, *parts: calls.append(self) or original(self, *parts))
    return calls


def test_a_run_that_is_over_is_read(few, tmp_path, fits):
    first = record(tiny(), few, tmp_path, every=1, bootstrap=0)
    assert record(tiny(quiet=False), few, tmp_path, every=1, bootstrap=0) == first
    assert len(fits) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes, arguments", [({"seed": 1}, {"every": 1}), ({}, {"every": 2}), ({}, {"every": 1, "shown": 1})]
)
def test_another_run_replaces_it(few, tmp_path, fits, changes, arguments):
    record(tiny(), few, tmp_path, every=1, bootstrap=0)
    (tmp_path / "notes.txt").write_text("the learner's own")
    record(tiny(**changes), few, tmp_path, bootstrap=0, **arguments)
    assert len(fits) == 2
    assert (tmp_path / "notes.txt").exists()
    assert ("reconstructions/epoch_0001.png" in files(tmp_path)) == (arguments["every"] == 1)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_the_same(few, tmp_path, monkeypatch):
    whole = record(tiny(), few, tmp_path / "whole", every=1, bootstrap=0)
    original, steps = TrainingState.save, []

    def save_and_die(self):
        original(self)
        raise Killed

    for _ in range(2):  # dies at step 5, goes on, and dies at step 10
        with monkeypatch.context() as patch:
            patch.setattr(TrainingState, "save", save_and_die)
            with pytest.raises(Killed):
                record(tiny(), few, tmp_path / "broken", every=1, bootstrap=0)
    assert not (tmp_path / "broken/results.json").exists()
    monkeypatch.setattr(TrainingState, "save", lambda self: steps.append(self.step) or original(self))
    resumed = record(tiny(), few, tmp_path / "broken", every=1, bootstrap=0)
    assert steps == [12]
    assert resumed["metrics"] == whole["metrics"]
    assert resumed["address"] == whole["address"]
    assert not list((tmp_path / "broken").glob("checkpoint*"))
    weights = [load_file(tmp_path / name / "detector/weights.safetensors") for name in ("whole", "broken")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.slow
def test_results_come_last(few, tmp_path, monkeypatch, fits):
    with monkeypatch.context() as patch:
        patch.setattr(recording, "write_predictions", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            record(tiny(), few, tmp_path, every=1, bootstrap=0)
    assert not (tmp_path / "results.json").exists()
    steps, original = [], TrainingState.count
    monkeypatch.setattr(TrainingState, "count", lambda self, parts: steps.append(self.step) or original(self, parts))
    record(tiny(), few, tmp_path, every=1, bootstrap=0)
    assert not steps  # the training itself was over
    assert (tmp_path / "results.json").exists()


# -- refused -------------------------------------------------------------------------------------------------------


def test_what_cannot_be_recorded_is_refused(few, tmp_path):
    with pytest.raises(TypeError, match="PatchCoreDetector trains no network: there is no run to record; use fit and"):
        record(PatchCoreDetector(backbone="own"), few, tmp_path)
    for name in ("every", "shown"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
            record(tiny(), few, tmp_path, **{name: 0})
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(FileExistsError, match=r"results\.json was not written by a recorded run; choose another"):
        record(tiny(), few, tmp_path)
