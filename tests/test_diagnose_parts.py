"""The measurements behind a diagnosis, each against a case whose answer is known."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from adkit import AutoencoderDetector, VAEDetector, load_dataset
from adkit.diagnose import diagnose, plateau, score_watcher
from adkit.diagnose.adapter import as_detector
from adkit.diagnose.alignment import align
from adkit.diagnose.fault_injection import FAULTS, HEALTHY, out_of_focus, with_cached_reconstruction
from adkit.diagnose.latent_statistics import Codes, mutual_information
from adkit.diagnose.readings import ABOVE, BELOW, Reading, all_of, any_of, negated
from adkit.diagnose.recognition import induce_all, recognition
from adkit.diagnose.reconstruction_readings import common_window, read_reconstructions
from adkit.models.autoencoder import Autoencoder
from adkit.models.vae import VAE
from tests.conftest import TINY

# -- latent codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
def test_the_mutual_information_of_a_gaussian_channel(gain):
    x = torch.randn(512, 2, generator=torch.Generator().manual_seed(0))
    expected = 2 * 0.5 * math.log(1 + gain**2)  # nats, of two channels with noise 1
    assert mutual_information(gain * x, torch.zeros(512, 2)) == pytest.approx(expected, abs=0.12)


def test_the_mutual_information_of_two_clusters_is_one_bit():
    mu = torch.tensor([[-50.0], [50.0]]).repeat(100, 1)
    assert mutual_information(mu, torch.zeros(200, 1)) == pytest.approx(math.log(2), abs=1e-6)


def test_codes_count_active_dimensions_and_agree_with_the_formula():
    draw = torch.Generator().manual_seed(0)
    mu = torch.randn(400, 3, generator=draw) * torch.tensor([1.0, 0.09, 0.11])  # variances 1, 0.0081, 0.0121
    codes = Codes.of(mu, torch.full((400, 3), math.log(0.25)))
    assert codes.active.tolist() == [True, False, True]
    np.testing.assert_allclose(codes.variance, 0.25, rtol=1e-6)
    expected = 0.5 * (mu.square().mean(0) + 0.25 - 1 - math.log(0.25))
    np.testing.assert_allclose(codes.kl, expected, rtol=1e-5)


# -- reconstructions -----------------------------------------------------------------------------------------------


class Known(nn.Module):
    """A network whose reconstruction is a known function of its images."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


@pytest.mark.filterwarnings("ignore:.*are equal, and percentile")  # of the identity: it leaves no residual
@pytest.mark.parametrize(
    "function, variance, kept",
    [(lambda x: x, 1.0, 1.0), (torch.zeros_like, 0.0, 0.0), (lambda x: 0.3 + 0.5 * (x - 0.3), 0.25, 0.5)],
)
def test_a_known_reconstruction_is_measured(splits, function, variance, kept):
    diagnosis = diagnose(Known(function), splits.validation)
    assert diagnosis.evidence["variance_ratio"].value == pytest.approx(variance, abs=1e-5)
    assert diagnosis.evidence["retention"].value == pytest.approx(kept, abs=1e-4)
    assert (diagnosis.evidence["gain_over_mean"].value > 0.999) == (kept == 1.0)


def test_the_mean_image_gains_nothing_over_itself(splits):
    images = torch.stack([splits.validation[i]["image"] for i in range(len(splits.validation))])
    mean = images.mean(0, keepdim=True)
    evidence = diagnose(Known(lambda x: mean.expand_as(x)), splits.validation).evidence
    assert abs(evidence["gain_over_mean"].value) < 0.1
    assert evidence["variance_ratio"].exceeds_limit
    assert evidence["gain_over_mean"].exceeds_limit


@pytest.mark.filterwarnings("ignore:.*are equal, and percentile")
def test_images_of_unequal_sizes_share_a_window(tmp_path):
    from tests.data_files import write_image

    for k in range(12):
        write_image(tmp_path / f"{k}.png", size=(40 + k, 60 - k), seed=k)
    normals = load_dataset("folder", root=tmp_path).validation
    with pytest.warns(UserWarning, match="validation images"):
        evidence = diagnose(Known(lambda x: x), normals).evidence
    assert evidence["variance_ratio"].value == pytest.approx(1, abs=1e-5)
    assert common_window([normals[i]["image"] for i in range(2)]).ndim == 4


# -- maps and masks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [(0, 0), (7, -5), (-12, 3)])
def test_a_known_shift_is_found(shift):
    rng, masks = np.random.default_rng(0), np.zeros((4, 64, 96), bool)
    for mask in masks:
        top, left = rng.integers(15, 40, size=2)
        mask[top : top + 6, left : left + 9] = True
    maps = [np.roll(mask, shift, (0, 1)) + 0.3 * rng.random(mask.shape) for mask in masks]
    found = align(maps, list(masks))
    assert (found.dy, found.dx) == shift
    assert found.distance == pytest.approx(math.hypot(*shift))
    assert found.fits.shape == (33, 33)
    gain = found.fit_moved - found.fit_unmoved
    assert gain == pytest.approx(0) if shift == (0, 0) else gain > 2


def test_no_defect_cannot_be_aligned():
    with pytest.raises(ValueError, match="none of 2 masks holds a defect"):
        align([np.zeros((8, 8))] * 2, [np.zeros((8, 8), bool)] * 2)


# -- history -------------------------------------------------------------------------------------------------------


def test_plateaus():
    assert plateau([0.1, 0.2, 0.3]) is None
    assert plateau([0.5, 0.58, 0.58, 0.57, 0.58, 0.58]).flat
    rising = plateau([0.5, 0.55, 0.6, 0.65, 0.7, 0.75])
    assert not rising.flat
    assert rising.drift == pytest.approx(0.1)
    noisy = plateau([0.5, 0.5, 0.5, 0.4, 0.62, 0.41, 0.63, 0.44])
    assert noisy.flat
    assert noisy.noise > 0.05


def test_a_watched_score_is_what_the_plateau_test_looks_at(splits):
    detector = AutoencoderDetector(**TINY | {"steps": 8}, validate_every=2)
    detector.on_validation = score_watcher(detector, splits.validation, frames=4)
    detector.fit(splits.train, splits.validation)
    assert len(detector.history) == 4
    assert all(0 <= row["synthetic_auroc"] <= 1 for row in detector.history)
    reading = diagnose(detector, splits.validation).evidence["plateau"]
    assert "synthetic_auroc" in reading.name
    assert reading.value is not None
    assert "validation" in diagnose(detector, splits.validation, history=[{"validation": 1.0}]).evidence["plateau"].name


# -- readings ------------------------------------------------------------------------------------------------------


def test_a_reading_knows_on_which_side_it_lies():
    assert Reading("a", 0.1, 0.2, BELOW).exceeds_limit
    assert not Reading("a", 0.1, 0.2, ABOVE).exceeds_limit
    assert Reading("a", 0.1).exceeds_limit is None
    assert Reading("a", None, 0.2, BELOW, "missing").exceeds_limit is None
    assert str(Reading("a", None, note="missing")) == "a – (missing)"
    assert Reading("a", math.inf, 1.0, ABOVE).as_dict()["value"] is None


def test_signs_with_gaps():
    assert [any_of(True, None), any_of(False, None), any_of(False)] == [True, None, False]
    assert [all_of(False, None), all_of(True, None), all_of(True)] == [False, None, True]
    assert [negated(None), negated(True)] == [None, False]


# -- what is diagnosed ---------------------------------------------------------------------------------------------


def test_a_network_on_its_own(splits):
    diagnosis = diagnose(Autoencoder(width=4), splits.validation)
    assert diagnosis.symptoms == {1: "not assessed", 2: "present", 3: "absent"} | {
        4: "not applicable", 5: "not applicable", 6: "not assessed"
    }  # fmt: skip
    assert diagnosis.causes == ["untrained"]
    vae = diagnose(VAE(image_size=(32, 64), channels=1, latent_dim=4, widths=(4, 8)), splits.validation)
    assert vae.symptoms[4] == "present"
    assert len(vae.as_dict()["per_dimension"]["kl"]) == 4


def test_a_detector_that_draws_nothing(splits, fitted):
    class Silent(type(fitted)):
        reconstruct = property()  # as of a method that has none

    silent = object.__new__(Silent)
    silent.__dict__ = fitted.__dict__
    assert read_reconstructions(silent, splits.validation) is None
    diagnosis = diagnose(silent, splits.validation, test=splits.test)
    assert diagnosis.symptoms[2] == "not applicable"
    json.dumps(diagnosis.as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"model": "autoencoder"}, TypeError, "must be a fitted detector or a torch.nn.Module, got a str"),
        ({"model": AutoencoderDetector(**TINY)}, RuntimeError, "has not been fitted"),
        ({"validation": [1, 2]}, TypeError, "validation must be an AnomalyDataset, got a list; pass splits.validation"),
        ({"validation": "test"}, ValueError, r"normal images only, got \d+ labelled anomalous; pass splits.validation"),
        ({"validation": "empty"}, ValueError, "validation holds no image"),
        ({"test": [1]}, TypeError, "test must be an AnomalyDataset, got a list; pass splits.test"),
        ({"test": "validation"}, ValueError, "normal and anomalous images, got 40 of one kind; pass splits.test"),
        ({"history": "long"}, TypeError, "history must be a list of dicts, got str; pass detector.history"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused(splits, fitted, change, error, message):
    parts = {"test": splits.test, "validation": splits.validation, "empty": splits.validation.subset([])}
    given = {"model": fitted, "validation": splits.validation} | {
        key: parts.get(value, value) if isinstance(value, str) and key != "model" else value
        for key, value in change.items()
    }
    with pytest.raises(error, match=message):
        diagnose(**given)


# -- knobs ---------------------------------------------------------------------------------------------------------


def test_injected_faults_leave_the_detector_as_it_is(splits, fitted):
    before = (fitted.settings, fitted.threshold, fitted.pixel_threshold, type(fitted))
    images = splits.validation[0]["image"][None]
    maps = fitted.anomaly_map(images)
    for fault in FAULTS.values():
        if not fault.needs_training:
            assert fault.induce(splits, healthy=fitted) is not fitted
    assert (fitted.settings, fitted.threshold, fitted.pixel_threshold, type(fitted)) == before
    assert torch.equal(fitted.anomaly_map(images), maps)


def test_knobs_do_what_they_say(splits, fitted):
    images = torch.stack([splits.validation[i]["image"] for i in range(3)])
    maps = fitted.anomaly_map(images)
    stretched = FAULTS["stretched_maps"].induce(splits, healthy=fitted).anomaly_map(images)
    assert stretched.amax(dim=(1, 2)).tolist() == [1, 1, 1]
    assert stretched.amin(dim=(1, 2)).tolist() == [0, 0, 0]
    moved = FAULTS["misaligned"].induce(splits, healthy=fitted).anomaly_map(images)
    assert torch.equal(moved, maps.roll((4, -6), dims=(1, 2)))  # an eighth and a fifth of 32 pixels
    mean = FAULTS["mean_score"].induce(splits, healthy=fitted)
    torch.testing.assert_close(mean.image_score(images), maps.mean(dim=(1, 2)))
    raw = FAULTS["other_unit"].induce(splits, healthy=fitted)
    assert raw.threshold > fitted.threshold
    assert torch.equal(raw.anomaly_map(images), maps)
    assert FAULTS["contaminated"].induce(splits, healthy=fitted).threshold > raw.image_threshold.low


def test_a_cached_detector_reconstructs_an_image_once(splits):
    vae = VAEDetector(latent_dim=4, widths=(4, 8), steps=2, crop=32, quiet=True).fit(splits.train, splits.validation)
    kept, images = with_cached_reconstruction(vae), splits.validation[0]["image"][None]
    maps = kept.anomaly_map(images)
    assert torch.equal(maps, vae.anomaly_map(images))
    reconstructed = vae.reconstruct(images)
    vae.model = None  # the network is not asked again
    assert torch.equal(kept.anomaly_map(images), maps)
    assert torch.equal(kept.reconstruct(images), reconstructed)


def test_only_maps_of_the_residual_alone_are_cached(splits, fitted):
    by_code = VAEDetector(latent_dim=4, widths=(4, 8), steps=2, crop=32, quiet=True, score_by="kl")
    with pytest.raises(TypeError, match="maps by its residual alone, got a VAEDetector; use it as it is"):
        with_cached_reconstruction(by_code.fit(splits.train, splits.validation))
    with pytest.raises(TypeError, match="got a TransformedDetector"):
        with_cached_reconstruction(out_of_focus(fitted))


def test_a_transformed_detector_is_its_base_but_for_what_is_transformed(splits, fitted):
    images = splits.validation[0]["image"][None]
    soft = out_of_focus(fitted)
    assert torch.equal(soft.reconstruct(images), fitted.reconstruct(images))
    assert not hasattr(soft, "encode")
    assert (soft.threshold, soft.pixel_threshold) == (fitted.threshold, fitted.pixel_threshold)
    assert not torch.equal(soft.anomaly_map(images), fitted.anomaly_map(images))
    sharp = soft.with_settings(smoothing=0.0)
    assert (sharp.settings["smoothing"], sharp.threshold) == (0.0, fitted.threshold)
    assert sharp.anomaly_map(images).max() > soft.anomaly_map(images).max()


def test_what_lives_in_memory_is_not_saved(splits, fitted, tmp_path):
    with pytest.raises(TypeError, match="a TransformedDetector lives in memory only; save the detector or network"):
        out_of_focus(fitted).save(tmp_path / "soft")
    with pytest.raises(TypeError, match="a ResidualDetector lives in memory only"):
        as_detector(Autoencoder(width=4), splits.validation).save(tmp_path / "bare")


def test_known_diagnoses_are_not_made_again(splits, fitted):
    known = dict.fromkeys([*HEALTHY, *FAULTS], diagnose(fitted, splits.validation))
    runs = dict(induce_all(splits, {}, known))
    names, shares = recognition([runs, runs])
    assert names == [*HEALTHY, *FAULTS]
    assert shares.shape == (len(names), 7)
    assert shares[names.index("untrained")].tolist() == [0, 1, 0, 0, 0, 0, 1]
    assert shares[names.index("VAE"), -1] == 0
