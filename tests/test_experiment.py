"""Experiments: what is refused, what the address depends on, what is kept, and what a kill leaves behind."""

import json
import os
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from adkit import AutoencoderDetector, Experiment, evaluate, run
from adkit.experiments import experiment
from adkit.experiments.evaluation import judge
from adkit.training import TrainingState
from tests.data_files import write_mvtec

TINY = {"width": 4, "steps": 4, "validate_every": 2, "crop": 32, "device": "cpu"}
SMALL = {"category": "denim", "image_size": (32, 64)}


def tiny(seed=0, **settings):
    return Experiment(settings=TINY | settings, seed=seed, **SMALL)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Intervals are tested elsewhere."""
    monkeypatch.setattr(experiment, "judge", partial(judge, bootstrap=10))


# -- configuration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "oracle"}, "method must be one of autoencoder, latent.*, got .oracle."),
        ({"settings": {"widht": 8}}, "unknown setting 'widht' for autoencoder; did you mean 'width'. known: .*width"),
        ({"settings": {"seed": 1}}, r"unknown setting 'seed' .*\(data and seed are arguments of Experiment itself\)"),
        ({"settings": {"loss": "mes"}}, "unknown loss 'mes'"),
        ({"settings": {"score": "maximum"}}, "score must be one of max"),
        ({"settings": {"percentile": 0}}, "percentile must be a number between 0 and 100"),
        ({"settings": {"loss": {"mine": torch.nn.L1Loss()}}}, "settings are saved as JSON"),
    ],
)
def test_wrong_configurations_are_refused_before_any_data_are_read(arguments, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**arguments)


def test_an_experiment_is_a_value():
    settings = {"loss": {"mse": 1.0}}
    experiment = Experiment(settings=MappingProxyType(settings), root=Path("images"))
    settings["loss"]["mse"] = 2.0  # a later change of the argument
    assert experiment == Experiment(settings={"loss": {"mse": 1.0}}, root="images")
    assert len({experiment, Experiment(settings={"loss": {"mse": 1.0}}, root="images"), Experiment()}) == 2
    with pytest.raises(AttributeError):
        experiment.seed = 3


def test_the_label_names_what_was_chosen_and_matters():
    assert Experiment().label == Experiment(seed=5, settings={"device": "cpu", "quiet": True}).label == "autoencoder"
    assert Experiment(settings={"loss": "l1", "width": 8}).label == "autoencoder, loss=l1, width=8"


def test_a_variant_differs_in_what_is_named():
    base = Experiment(settings={"width": 8, "loss": "l1"}, category="denim")
    other = base.variant(loss="mse", steps=10, seed=3, image_size=(32, 64))
    settings = {"width": 8, "loss": "mse", "steps": 10}
    assert other == Experiment(settings=settings, seed=3, category="denim", image_size=(32, 64))
    assert base.settings == {"width": 8, "loss": "l1"}
    assert base.variant() == base
    with_defaults = base.variant(method="vae", settings={"beta": 1.0}, steps=20)
    assert with_defaults == Experiment("vae", {"beta": 1.0, "steps": 20}, category="denim")


def test_a_variant_refuses_unknown_names_with_the_known_ones():
    unknown_field = r"unknown setting '?catgory'? for autoencoder; known: .*width.*those are .*category"
    with pytest.raises(ValueError, match=unknown_field):
        Experiment().variant(catgory="denim")
    with pytest.raises(ValueError, match=r"unknown setting '?width'? for vae"):
        Experiment(settings={"width": 8}).variant(method="vae")


# -- address -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        tiny(device="auto"),
        tiny(quiet=True),
        tiny(latent=32),  # the default, said aloud
        Experiment(settings=TINY, category="denim", image_size=[32, 64]),  # a list, as YAML gives it
    ],
)
def test_what_changes_nothing_keeps_the_address(other):
    assert other.address() == tiny().address()
    assert other.fit_address() == tiny().fit_address()


@pytest.mark.parametrize(
    "other",
    [
        tiny(seed=1),
        tiny(loss="l1"),
        Experiment(settings=TINY, category="sateen", image_size=(32, 64)),
        Experiment(settings=TINY, **SMALL, data_seed=1),
    ],
)
def test_what_changes_the_result_changes_the_address(other):
    assert other.address() != tiny().address()
    assert other.fit_address() != tiny().fit_address()


def test_fast_mode_and_sources_change_the_address(monkeypatch):
    address = tiny().address()
    monkeypatch.setenv("ADKIT_FAST", "1")
    assert tiny().address() != address
    monkeypatch.delenv("ADKIT_FAST")
    assert tiny().address() == address
    fit_address = tiny().fit_address()
    monkeypatch.setattr(experiment, "source_hash", lambda detector_class, dataset, rooms="all": rooms)
    assert tiny().address() != address
    assert tiny().fit_address() != fit_address


def test_images_count_and_not_where_they_lie(tmp_path):
    for name in ("a", "b"):
        write_mvtec(tmp_path / name)
    here, there = (Experiment(dataset="mvtec", root=tmp_path / name, settings=TINY) for name in ("a", "b"))
    address = here.address()
    assert there.address() == address
    assert here.splits() is here.splits()  # loaded once
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(tmp_path / "a/tile/train/good/000.png")
    assert here.address() != address  # seen without a new session
    assert there.address() == address


# -- run -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_result_is_kept(fits):
    first, second = run(tiny(), quiet=True), run(tiny(), quiet=True)
    assert len(fits) == 1
    assert first == second
    assert (first.from_cache, second.from_cache) == (False, True)
    assert first.path.parent == Path(os.environ["ADKIT_HOME"]) / "results"
    assert sorted(file.name for file in first.path.iterdir()) == ["detector", "result.json"]
    assert [row["step"] for row in first.history] == [2, 4]
    assert set(first.seconds) == {"fit", "evaluate"}
    stored = json.loads((first.path / "result.json").read_text())
    assert stored["experiment"]["settings"]["width"] == 4
    assert set(stored["machine"]) == {"adkit", "torch", "python"}
    assert run(tiny(seed=1), quiet=True).path != first.path
    assert len(fits) == 2
    forced = run(tiny(), force=True, quiet=True)
    assert len(fits) == 3
    assert not forced.from_cache
    assert forced.evaluation == first.evaluation


def test_a_result_gives_its_detector_back():
    result = run(tiny(), quiet=True)
    detector = result.detector()
    assert isinstance(detector, AutoencoderDetector)
    assert detector.device.type == "cpu"
    assert evaluate(detector, tiny().splits().test, bootstrap=10) == result.evaluation


@pytest.mark.slow
def test_progress_is_shown_unless_quiet(capsys):
    run(tiny())
    assert "step 4/4" in capsys.readouterr().out
    run(tiny(seed=1, quiet=True))
    assert capsys.readouterr().out == ""


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path / "whole"))
    whole = run(tiny(), quiet=True)
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path / "broken"))
    original = TrainingState.save

    def save_and_die(self):
        original(self)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "save", save_and_die)
        with pytest.raises(Killed):
            run(tiny(), quiet=True)
    folder = tmp_path / "broken/fitted" / f"{tiny().fit_address()}.unfinished"
    assert [file.name for file in folder.iterdir()] == ["checkpoint.pt"]
    torch.manual_seed(99)  # another process would have drawn other numbers
    steps = []
    monkeypatch.setattr(TrainingState, "save", lambda self: steps.append(self.step) or original(self))
    resumed = run(tiny(), quiet=True)
    assert steps == [4]  # steps 1 and 2 were not run again
    assert (resumed.history, resumed.evaluation) == (whole.history, whole.evaluation)
    weights = [load_file(result.path / "detector/weights.safetensors") for result in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("kind, left, trainings", [("fitted", ["checkpoint.pt"], 2), ("results", [], 1)])
def test_result_json_comes_last_and_whole(kind, left, trainings, monkeypatch, fits):
    name = tiny().fit_address() if kind == "fitted" else tiny().address()
    folder = Path(os.environ["ADKIT_HOME"]) / kind / f"{name}.unfinished"
    replace = os.replace

    def die_at_the_end(source, target):
        if Path(target) == folder / "result.json":
            assert (folder / "detector/weights.safetensors").exists()
            raise Killed
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die_at_the_end)
        with pytest.raises(Killed):
            run(tiny(), quiet=True)
    assert sorted(file.name for file in folder.iterdir()) == [*left, "detector"]
    assert run(tiny(), quiet=True).history[-1]["step"] == 4
    assert len(fits) == trainings
