"""Settings of detectors: a value that survives JSON, checked at once, shown by help()."""

import inspect
import json
import pydoc
from dataclasses import asdict, fields

import numpy as np
import pytest
import torch

from adkit import AutoencoderDetector
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
        ({"score": "maximum"}, "score must be one of max, mean, topk, got 'maximum'; did you mean 'max'"),
        ({"steps": "many"}, "steps must be positive, got 'many'"),
        ({"precision": "half"}, "precision must be one of"),
        ({"device": "tpu9"}, "device must be auto"),
        ({"seed": "1"}, "seed must be a whole number, got '1'"),
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
