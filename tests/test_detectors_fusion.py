"""Several detectors as one: scale, choice of members, saving."""

import warnings

import numpy as np
import pytest
import torch

from adkit import (
    AutoencoderDetector,
    Experiment,
    FilterBankDetector,
    FusionDetector,
    load_dataset,
    load_detector,
    run,
)
from adkit.detectors import Detector, register
from adkit.detectors.registry import source_modules, unregister

TINY = {"method": "autoencoder", "width": 4, "steps": 5, "crop": 32}


@pytest.fixture(scope="module")
def splits():
    return load_dataset("textile", image_size=(64, 64))


@pytest.fixture(scope="module")
def equal(splits):
    """Filter bank and a tiny autoencoder, with equal weights."""
    return FusionDetector(members=["filterbank", TINY], weights=None, quiet=True).fit(splits.train, splits.validation)


@pytest.fixture
def noise():
    """A member that sees noise and nothing else."""

    @register("noise")
    class NoiseDetector(Detector):
        def _fit(self, train, validation):
            self.scale = torch.ones(1)

        def _anomaly_map(self, images):
            return torch.rand(images[:, 0].shape, generator=torch.Generator().manual_seed(0))

        def _tensors(self):
            return {"scale": self.scale}

        def _restore(self, tensors):
            self.scale = tensors["scale"]

    yield NoiseDetector
    unregister("noise")


def test_the_map_is_the_mean_of_the_members_maps_each_over_its_level_on_normals(equal, splits):
    image, expected = splits.test[0]["image"][None], 0
    for member in equal.members:
        normal, _ = member.judge_items(splits.validation)
        level = np.percentile(torch.stack(normal).numpy(), 99.5)
        expected = expected + member.anomaly_map(image) / level / 2
    torch.testing.assert_close(equal.anomaly_map(image), expected)


def test_weights_and_maximum(equal, splits):
    image = splits.test[0]["image"][None]
    first, second = (m.anomaly_map(image) / level for m, level in zip(equal.members, equal.levels, strict=True))
    weighted = FusionDetector.of(equal.members, splits.validation, weights=[3, 1], quiet=True)
    torch.testing.assert_close(weighted.anomaly_map(image), 0.75 * first + 0.25 * second)
    highest = FusionDetector.of(equal.members, splits.validation, weights=None, combine="max", quiet=True)
    torch.testing.assert_close(highest.anomaly_map(image), torch.maximum(first, second))


def test_a_member_that_spoils_the_sum_is_left_out(splits, noise):
    fusion = FusionDetector(members=["filterbank", "noise"], quiet=True).fit(splits.train, splits.validation)
    assert fusion.chosen == [0]
    assert fusion.qualities["0"] == max(fusion.qualities.values())
    assert set(fusion.qualities) == {"0", "1", "0+1"}


def test_a_saved_one_computes_the_same_bits(equal, splits, tmp_path):
    again = load_detector(equal.save(tmp_path / "fusion"))
    image = splits.test[3]["image"][None]
    assert torch.equal(again.anomaly_map(image), equal.anomaly_map(image))
    assert torch.equal(again.image_score(image), equal.image_score(image))
    assert again.chosen == equal.chosen
    assert again.threshold == equal.threshold


def test_one_of_fitted_members_is_that_of_members_it_fits_itself(equal, splits):
    again = FusionDetector.of(equal.members, splits.validation, weights=None, quiet=True)
    image = splits.test[1]["image"][None]
    torch.testing.assert_close(again.anomaly_map(image), equal.anomaly_map(image))
    assert again.settings.members[1]["width"] == 4


def test_calibrate_measures_levels_anew_and_trains_nothing(equal, splits):
    other = equal.with_settings(percentile=90.0)
    levels = other.levels.clone()
    other.calibrate(splits.validation.subset(range(0, 40, 2)))
    assert not torch.equal(other.levels, levels)
    assert torch.equal(equal.levels, levels)


def test_few_validation_images_are_told_once(splits):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        few = splits.validation.subset(range(4))
        FusionDetector(members=["filterbank", TINY], weights=None, quiet=True).fit(splits.train, few)
    assert sum("validation images" in str(warning.message) for warning in caught) == 1


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"members": []}, "at least one method"),
        ({"members": ["nothing"]}, "method must be one of"),
        ({"members": [{"width": 3}]}, "the name of a method, or a dict with 'method'"),
        ({"members": [{"method": "filterbank", "width": 3}]}, "width: no setting of FilterBankDetector"),
        ({"members": [{"method": "filterbank", "stride": 0}]}, "stride must be"),
        ({"weights": [1, 1]}, "3 numbers of at least 0"),
        ({"weights": [0, 0, 0]}, "not all 0"),
        ({"weights": "best"}, "None, 'auto'"),
        ({"combine": "min"}, "combine must be one of mean, max"),
    ],
)
def test_refusals_say_what_came(settings, message):
    with pytest.raises(ValueError, match=message):
        FusionDetector(**settings)


def test_unfitted_or_unlike_members_are_refused(equal, splits):
    with pytest.raises(ValueError, match="must be fitted first"):
        FusionDetector.of([FilterBankDetector()], splits.validation)
    other = load_dataset("textile", image_size=(64, 96))
    unlike = AutoencoderDetector(width=4, steps=2, crop=32, quiet=True).fit(other.train, other.validation)
    with pytest.raises(ValueError, match="prepared in the same way"):
        FusionDetector.of([*equal.members, unlike], splits.validation)


def test_an_experiment_takes_members_that_are_kept_already(tmp_path, monkeypatch):
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path))
    data = {"image_size": (64, 64), "category": "denim"}
    settings = {"width": 4, "steps": 5, "crop": 32}
    alone = run(Experiment(method="autoencoder", settings=settings, **data), quiet=True)
    trained = []
    monkeypatch.setattr(AutoencoderDetector, "_fit", lambda *_: trained.append(1))
    fused = run(
        Experiment(method="fusion", settings={"members": ["filterbank", TINY], "weights": None}, **data), quiet=True
    )
    assert not trained
    image = fused.experiment.splits().test[0]["image"][None]
    torch.testing.assert_close(fused.detector().members[1].anomaly_map(image), alone.detector().anomaly_map(image))


def test_the_sources_of_all_methods_count():
    modules = source_modules(FusionDetector)
    assert {"adkit.detectors.draem", "adkit.detectors.filterbank", "adkit.detectors.vae"} <= set(modules)
