"""The filter bank: what it compares a place with, any size, strips with background, its way to disk."""

import numpy as np
import pytest
import torch
from PIL import Image

from adkit import Experiment, FilterBankDetector, load_dataset, load_detector, run
from adkit.data import AnomalyDataset
from adkit.data.samples import FileSample
from adkit.detectors.filterbank import to_pixels

QUICK = {"wavelengths": [3.0, 8.0], "orientations": 3, "cells": 200, "quiet": True, "device": "cpu"}


@pytest.fixture(scope="module")
def detectors(splits):
    """One of each reference, on small denim frames."""
    return {
        reference: FilterBankDetector(**QUICK, reference=reference).fit(splits.train, splits.validation)
        for reference in ("image", "train", "both")
    }


def batch(part, count=3):
    return torch.stack([part[i]["image"] for i in range(count)])


def test_another_lamp_is_no_defect_to_the_own_image(splits, detectors):
    frames = batch(splits.validation)
    brighter = frames * 0.8 + 0.2  # a constant and a factor: every place of the image changes alike
    change = {name: float((d.image_score(brighter) / d.image_score(frames)).mean()) for name, d in detectors.items()}
    assert change["image"] == pytest.approx(1, abs=0.1)
    assert change["train"] > 1.3
    assert change["both"] > 1.3


def test_a_patch_of_other_texture_is_found(splits, detectors):
    frames = batch(splits.validation)
    spoilt = frames.clone()
    spoilt[:, :, 8:24, 20:40] = torch.rand(3, 1, 16, 20, generator=torch.Generator().manual_seed(0))
    maps = detectors["image"].anomaly_map(spoilt)
    inside = maps[:, 8:24, 20:40].mean(dim=(1, 2))
    assert (inside > 2 * maps[:, :, 48:].mean(dim=(1, 2))).all()


@pytest.mark.parametrize("reference", ["image", "train", "both"])
def test_a_loaded_detector_is_the_same_detector(splits, detectors, tmp_path, reference):
    fitted, images = detectors[reference], batch(splits.test)
    loaded = load_detector(fitted.save(tmp_path / "detector"), device="cpu")
    assert loaded.settings == fitted.settings
    assert torch.equal(loaded.anomaly_map(images), fitted.anomaly_map(images))
    assert torch.equal(loaded.image_score(images), fitted.image_score(images))


def test_the_same_seed_learns_the_same(splits, detectors):
    again = FilterBankDetector(**QUICK).fit(splits.train, splits.validation)
    other = FilterBankDetector(**QUICK, seed=1).fit(splits.train, splits.validation)
    images = batch(splits.test)
    assert torch.equal(again.anomaly_map(images), detectors["image"].anomaly_map(images))
    assert not torch.equal(other.anomaly_map(images), again.anomaly_map(images))


def test_strips_of_unequal_sizes_with_background(tmp_path):
    rng, samples = np.random.default_rng(0), []
    for i in range(9):
        strip = rng.integers(50, 150, (40, 600 + 2 * i), dtype=np.uint8)
        strip[:, : 60 + 8 * i] = 255
        Image.fromarray(strip).save(tmp_path / f"{i}.png")
        samples.append(FileSample(tmp_path / f"{i}.png", "strip", f"{i}.png"))
    parts = [AnomalyDataset(part, foreground="fabric") for part in (samples[:5], samples[5:])]
    with pytest.warns(UserWarning, match="validation"):
        detector = FilterBankDetector(**QUICK).fit(*parts)
    maps, scores = detector.judge_images(parts[1])
    assert [a_map.shape for a_map in maps] == [(40, 610), (40, 612), (40, 614), (40, 616)]
    assert np.isfinite(scores).all()
    assert all((a_map[:, :40] == 0).all() and a_map[:, 200:].min() > 0 for a_map in maps)


def test_colour_and_odd_sizes():
    splits = load_dataset("plots", image_size=(45, 61))
    few = splits.train.subset(range(6))
    with pytest.warns(UserWarning, match="validation"):
        detector = FilterBankDetector(**QUICK).fit(few, splits.validation.subset(range(4)))
    assert detector.anomaly_map(splits.test[0]["image"][None]).shape == (1, 45, 61)


def test_it_is_a_method_by_name():
    result = run(Experiment(method="filterbank", settings=QUICK, image_size=(32, 64), category="denim"), quiet=True)
    assert type(result.detector()) is FilterBankDetector
    assert 0 <= result.evaluation.pro <= 1


def test_scoring_may_change_after_fit_and_the_bank_may_not(detectors, splits):
    other = detectors["image"].with_settings(smoothing=1.0).calibrate(splits.validation)
    assert other.threshold != detectors["image"].threshold
    with pytest.raises(ValueError, match="orientations"):
        detectors["image"].with_settings(orientations=4)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"reference": "own"}, "reference must be one of image, train, both"),
        ({"wavelengths": [2.0]}, "wavelengths must be pixels above 2"),
        ({"wavelengths": []}, "wavelengths must be"),
        ({"pool": 4}, "pool must be an odd number"),
        ({"stride": 0}, "stride must be a whole number"),
        ({"smoothing": -1}, "smoothing must be"),
        ({"score": "sum"}, "score must be one of"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        FilterBankDetector(**settings)


def test_cells_come_back_at_their_pixels():
    cells = torch.arange(12.0).view(1, 3, 4)
    pixels = to_pixels(cells, 2, (6, 8))
    assert pixels.shape == (1, 6, 8)
    torch.testing.assert_close(pixels[:, ::2, ::2], cells)
    assert torch.equal(to_pixels(cells, 1, (3, 4)), cells)


def test_one_or_two_training_images_are_enough_to_save(tmp_path):
    splits = load_dataset("textile", image_size=(64, 64))
    detector = FilterBankDetector(quiet=True).fit(splits.train.subset([0, 1]), splits.validation)
    again = load_detector(detector.save(tmp_path / "few"))
    image = splits.test[0]["image"][None]
    assert torch.equal(again.anomaly_map(image), detector.anomaly_map(image))
