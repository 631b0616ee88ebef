"""Settings of detectors: a value that survives JSON, checked at once, shown by help()."""

import inspect
import json
import math
import pydoc
from dataclasses import asdict, fields

import numpy as np
import pytest
import torch

from adkit import (
    AutoencoderDetector,
    DRAEMDetector,
    Experiment,
    FilterBankDetector,
    PatchCoreDetector,
    VAEDetector,
    evaluate,
)
from adkit.detectors.network import TrainingSettings
from adkit.training import Training


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"percentile": 100}, "percentile must be a number between 0 and 100, got 100"),
        ({"pixel_percentile": "99"}, "pixel_percentile must be a number between 0 and 100, got '99'"),
        ({"loss": "mes"}, "unknown loss 'mes'"),
        ({"loss": {"mine": torch.nn.MSELoss()}}, "settings are saved as JSON"),
        ({"width": 0}, "width must be a positive number"),
        ({"repair": -1}, "repair must be a weight of at least 0"),
        ({"defects": ["moth"]}, "a defect type must be"),
        ({"defects": "recomended"}, "unknown defects 'recomended'; known: all, recommended, or some of mask"),
        ({"defects": {"kind": ["stain"]}}, "unknown argument 'kind' for synthetic defects"),
        ({"skip": "conact"}, "conact"),
        ({"residual": "l3"}, "residual must be one of l1, l2"),
        ({"smoothing": -1}, "smoothing must be 0 or a positive number of pixels, got -1"),
        (
            {"score": "maximum"},
            "score must be one of max, mean, topk, peak, top_peak, got 'maximum'; did you mean 'max'",
        ),
        ({"steps": "many"}, "steps must be positive, got 'many'"),
        ({"precision": "half"}, "precision must be one of"),
        ({"device": "tpu9"}, "device must be auto"),
        ({"seed": "1"}, "seed must be a whole number of 64 bits, got '1'"),
        ({"residual": "gradients"}, "got 'gradients'; did you mean 'gradient'"),
    ],
)
def test_wrong_settings_are_refused_before_training(settings, message):
    with pytest.raises(ValueError, match=message):
        AutoencoderDetector(**settings)


def test_settings_are_a_value_that_survives_json():
    given = {
        "loss": {"mse": 1, "l1": 0.5},
        "skip_levels": (0, 2),
        "defects": {"size": (0.1, 0.4)},
        "width": np.float64(8),
    }
    settings = AutoencoderDetector(**given).settings
    given["loss"]["mse"] = 2  # a later change of the argument
    assert settings == type(settings)(**json.loads(json.dumps(asdict(settings))))
    assert settings.loss == {"mse": 1, "l1": 0.5}
    assert settings["skip_levels"] == [0, 2]
    assert type(settings.width) is float
    with pytest.raises(AttributeError, match="cannot assign"):
        settings.width = 3


def test_unknown_settings_are_refused_with_the_closest_name():
    with pytest.raises(TypeError, match=r"unknown setting 'stepps' for AutoencoderDetector; did you mean 'steps'\?"):
        AutoencoderDetector(stepps=3)


def test_help_shows_the_settings_and_their_defaults():
    parameters = inspect.signature(AutoencoderDetector).parameters
    assert parameters["smoothing"].default == 4.0
    assert next(iter(parameters)) == "width"  # its own first
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())
    assert "width: float = 16" in pydoc.render_doc(AutoencoderDetector, renderer=pydoc.plaintext)


def test_the_training_settings_are_those_of_the_training():
    names = {field.name for field in fields(Training)} - {"gradient_clip"}
    assert names <= {field.name for field in fields(TrainingSettings)}
    ours, theirs = TrainingSettings(), Training()
    assert all(getattr(ours, name) == getattr(theirs, name) for name in names)
    assert ours.training() == theirs


@pytest.mark.parametrize("name", ["steps", "batch_size", "crop", "validate_every"])
@pytest.mark.parametrize("wrong", [math.inf, math.nan, 2.5, "4", True, 0, -1, None, [3]])
def test_counts_are_whole_numbers(name, wrong):
    for make in (AutoencoderDetector, Training, lambda **k: Experiment(settings=k)):
        with pytest.raises(ValueError, match=rf"{name} must be positive, got .*; give a whole number"):
            make(**{name: wrong})


@pytest.mark.parametrize(
    "kind, wrong, message",
    [
        (AutoencoderDetector, {"flips": "no"}, "flips must be True or False, got 'no'"),
        (AutoencoderDetector, {"quiet": 1}, "quiet must be True or False, got 1"),
        (AutoencoderDetector, {"augment": "yes"}, "augment must be True or False"),
        (AutoencoderDetector, {"percentile": 0.95}, r"got 0\.95; did you mean 95\?"),
        (AutoencoderDetector, {"pixel_percentile": 0.995}, r"did you mean 99\.5\?"),
        (AutoencoderDetector, {"device": None}, "device must be auto, cpu, cuda"),
        (AutoencoderDetector, {"loss": None}, "a loss must be a text such as .* or a dict of weights, got None"),
        (AutoencoderDetector, {"loss": ["mse"]}, "a loss must be a text such as"),
        (AutoencoderDetector, {"width": 1e9}, "no network can be built from these sizes"),
        (AutoencoderDetector, {"learning_rate": math.inf}, "learning_rate must be positive, got inf; give a finite"),
        (AutoencoderDetector, {"weight_decay": -1}, "weight_decay must be 0 or a positive number"),
        (AutoencoderDetector, {"patience": 2.5, "schedule": "constant"}, "patience must be None or a positive whole"),
        (VAEDetector, {"widths": 3}, "widths must be positive integers, got 3"),
        (VAEDetector, {"overlap": "8"}, "overlap must be None or a whole number"),
        (PatchCoreDetector, {"weights": None, "layers": 3}, "layers must be None or a list of layers"),
        (PatchCoreDetector, {"backbone": "own", "own": 3}, "own must be None or a dict of settings"),
        (DRAEMDetector, {"texture": 3}, "texture must be skimage, textile, batch or a folder, got 3"),
        (FilterBankDetector, {"wavelengths": 3}, "wavelengths must be pixels above 2, got 3"),
    ],
)
def test_every_kind_of_wrong_value_is_an_error_where_it_is_written(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        kind(**wrong)


def test_numbers_of_numpy_and_devices_of_torch_are_taken():
    given = {"steps": np.int64(4), "seed": np.int32(3), "smoothing": np.float32(2), "device": torch.device("cpu")}
    settings = AutoencoderDetector(**given, flips=np.bool_(False)).settings
    assert (settings.steps, settings.seed, settings.smoothing, settings.device) == (4, 3, 2.0, "cpu")
    assert settings.flips is False
    assert type(settings.steps) is int


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"seed": []}, r"seed must be a whole number of 64 bits, got \[\]"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"data_seed": "x"}, "data_seed must be a whole number"),
        ({"dataset": "textil"}, r"unknown dataset 'textil'; did you mean 'textile'\?; known: textile"),
        ({"dataset": None}, "unknown dataset None; known"),
        ({"image_size": "64"}, r"image_size must be a positive number or a pair \(height, width\), got '64'"),
        ({"image_size": [0, 1]}, "image_size must be"),
        ({"image_size": [64]}, "image_size must be"),
        ({"tile": 2.5}, "tile must be"),
        ({"overlap": -1}, "overlap must be a whole number of pixels"),
        ({"channels": 2}, "channels must be 1, 3 or None"),
        ({"channels": True}, "channels must be 1, 3 or None"),
        ({"category": set()}, "category must be None, a name or a list of names"),
        ({"category": []}, "category must be"),
        ({"root": 3}, "root must be None or the path of a folder"),
        ({"settings": 3}, "settings must be a dict"),
    ],
)
def test_an_experiment_checks_its_data_before_it_reads_them(wrong, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**wrong)


def test_an_experiment_takes_numbers_of_numpy():
    assert Experiment(seed=np.int64(3), channels=np.int8(1)) == Experiment(seed=3, channels=1)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"bootstrap": -1}, "bootstrap must be a whole number of samples, 0 for none, got -1"),
        ({"bootstrap": "no"}, "bootstrap must be"),
        ({"bootstrap": 2.5}, "bootstrap must be"),
        ({"bootstrap": True}, "bootstrap must be"),
        ({"fpr_limit": 0}, r"fpr_limit must .*\(0, 1\]"),
        ({"fpr_limit": "a"}, "fpr_limit must"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_an_evaluation_checks_its_arguments_before_it_judges(splits, fitted, wrong, message, monkeypatch):
    monkeypatch.setattr(type(fitted), "predict_dataset", lambda *_: pytest.fail("it was judged"))
    with pytest.raises(ValueError, match=message):
        evaluate(fitted, splits.test, **wrong)
