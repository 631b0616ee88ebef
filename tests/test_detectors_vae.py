"""The VAE detector: any frame by tiles, three scores, selection after warm-up, disk, and what is refused."""

import math

import numpy as np
import pytest
import torch

from adkit.data import AnomalyDataset
from adkit.data.plots.samples import plots_parts
from adkit.data.tiling import tile_positions
from adkit.detectors.storage import load_detector
from adkit.detectors.vae import REFERENCE, VAEDetector
from adkit.losses import kl_divergence
from adkit.models.elbo import ANNEALING, ELBOLoss
from adkit.models.vae import VAE
from adkit.models.vae_variants import VARIANTS
from adkit.training import Training, fixed_crops
from tests.conftest import TINY_VAE


def images_of(part, count=3):
    return torch.stack([part[i]["image"] for i in range(count)])


# -- frames and tiles ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(32, 32), (32, 64), (33, 40), (90, 47), (20, 7)])
def test_any_frame_works(fitted_vae, size):
    images = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0))
    assert fitted_vae.reconstruct(images).shape == images.shape
    assert fitted_vae.anomaly_map(images).shape == (2, *size)
    mu, log_variance = fitted_vae.encode(images)
    assert mu.shape == log_variance.shape == (2, len(tile_positions(size, (32, 32), 8)), 4)


def test_tiles_of_an_identity_are_the_image(fitted_vae, monkeypatch):
    images = torch.rand(2, 1, 75, 50)
    monkeypatch.setattr(fitted_vae.model, "reconstruct", lambda square, samples, generator: square)
    assert torch.equal(fitted_vae.reconstruct(images), images)


def test_one_tile_is_the_network_itself(fitted_vae):
    images = torch.rand(3, 1, 32, 32)
    with torch.inference_mode():
        output = fitted_vae.model(images)
    assert torch.equal(fitted_vae.reconstruct(images), output.reconstruction)
    mu, log_variance = fitted_vae.encode(images)
    assert torch.equal(mu[:, 0], output.mu)
    assert torch.equal(log_variance[:, 0], output.log_variance)


def test_maps_and_scores_of_a_batch_agree_with_the_dataset(splits, fitted_vae):
    images = images_of(splits.test)
    maps, scores = fitted_vae.judge_images(splits.test.subset(range(3)))
    torch.testing.assert_close(fitted_vae.anomaly_map(images), torch.from_numpy(np.stack(maps)))
    torch.testing.assert_close(fitted_vae.image_score(images).double(), torch.from_numpy(scores))
    assert fitted_vae.predict(images[0]).score == pytest.approx(scores[0], rel=1e-5)


def test_colour_plots_are_one_tile_each():
    parts = plots_parts(counts=(30, 20, 2, 2))
    train, validation, test = (AnomalyDataset(samples, image_size=(32, 32)) for samples in parts.values())
    detector = VAEDetector(**TINY_VAE, flips=False, overlap=0).fit(train, validation)
    assert detector.encode(images_of(test))[0].shape == (3, 1, 4)
    assert detector.judge_images(test)[0][0].shape == (224, 224)


# -- scores --------------------------------------------------------------------------------------------------------


def test_the_kl_score_is_that_of_the_squares(splits):
    detector = VAEDetector(**TINY_VAE, score_by="kl", overlap=0).fit(splits.train, splits.validation)
    images = images_of(splits.test)
    maps = detector.anomaly_map(images)
    nats = kl_divergence(*(part.flatten(0, 1) for part in detector.encode(images)), reduction="none").sum(dim=1)
    torch.testing.assert_close(maps[:, 5, [5, 40]].flatten(), nats)
    assert (maps[..., :32] == maps[:, :1, :1]).all()
    torch.testing.assert_close(detector.image_score(images), maps.amax(dim=(1, 2)))


def test_both_scores_weigh_the_same(splits):
    detector = VAEDetector(**TINY_VAE, score_by="both").fit(splits.train, splits.validation)
    images = images_of(splits.validation, len(splits.validation))
    with torch.inference_mode():
        residual, nats = detector._both_maps(images)
    torch.testing.assert_close(detector.scales, torch.stack([residual.std(), nats.std()]), rtol=1e-4, atol=0)
    torch.testing.assert_close(detector.anomaly_map(images), residual / detector.scales[0] + nats / detector.scales[1])


def test_several_samples_are_the_same_for_all_batches(splits):
    detector = VAEDetector(**TINY_VAE, samples=3).fit(splits.train, splits.validation)
    images = images_of(splits.test)
    together = detector.anomaly_map(images)
    torch.testing.assert_close(detector.anomaly_map(images[1:2])[0], together[1])
    assert torch.equal(detector.anomaly_map(images), together)
    with torch.inference_mode():
        assert not torch.allclose(detector.reconstruct(images[..., :32])[0], detector.model(images[..., :32])[0][0])


def test_another_scoring_needs_no_other_training(splits, fitted_vae):
    afresh = VAEDetector(**TINY_VAE, score_by="both", samples=2, smoothing=1.0).fit(splits.train, splits.validation)
    rescored = fitted_vae.rescored(splits.validation, score_by="both", samples=2, smoothing=1.0)
    images = images_of(splits.test)
    assert torch.equal(rescored.anomaly_map(images), afresh.anomaly_map(images))
    assert (rescored.threshold, rescored.history) == (afresh.threshold, fitted_vae.history)
    assert rescored.settings == afresh.settings
    assert rescored.model is not fitted_vae.model
    assert torch.equal(rescored.with_settings(score_by="kl").scales, afresh.scales)
    scales = rescored.scales.clone()
    assert torch.equal(rescored.calibrate(splits.validation).scales, scales)
    assert not torch.equal(rescored.calibrate(splits.train).scales, scales)
    with pytest.raises(ValueError, match="beta, steps cannot change without another training"):
        fitted_vae.rescored(splits.validation, steps=5, beta=1.0)
    with pytest.raises(RuntimeError, match="has not been fitted"):
        VAEDetector(**TINY_VAE).rescored(splits.validation)


# -- training ------------------------------------------------------------------------------------------------------


def test_the_history_reports_every_part(splits):
    detector = VAEDetector(**TINY_VAE, loss="mse + 0.1*ssim", beta=0.5, annealing="none")
    (row,) = detector.fit(splits.train, splits.validation).history
    assert row.keys() == {
        "step", "loss", "reconstruction", "kl", "mse", "ssim", "beta", "validation", "learning_rate",
    }  # fmt: skip
    assert row["loss"] == pytest.approx(row["reconstruction"] + 0.5 * row["kl"], rel=1e-5)
    assert row["reconstruction"] == pytest.approx(row["mse"] + 0.1 * row["ssim"], rel=1e-5)
    assert row["beta"] == 0.5


def test_weights_from_before_the_warm_up_are_not_kept(splits):
    settings = TINY_VAE | {
        "steps": 8,
        "validate_every": 1,
        "learning_rate": 0.05,
        "schedule": "constant",
        "flips": True,
    }
    detector = VAEDetector(**settings, beta=20.0, annealing="linear", warmup=0.7)
    detector.fit(splits.train, splits.validation)
    validations = [row["validation"] for row in detector.history]
    assert min(validations[:6]) < min(validations[6:])
    assert [row["beta"] < 20.0 for row in detector.history] == [True] * 6 + [False] * 2
    batches = fixed_crops(splits.validation, detector.training, detector.device)
    kept = elbo_of(detector, batches)
    assert kept == pytest.approx(min(validations[6:]), abs=0.1)


def test_patience_begins_when_beta_is_reached(splits):
    settings = TINY_VAE | {"steps": 12, "validate_every": 1, "schedule": "constant", "learning_rate": 1e-9}
    detector = VAEDetector(**settings, patience=2, beta=1.0, annealing="linear", warmup=0.5, samples=2)
    detector.fit(splits.train, splits.validation)
    assert 7 <= len(detector.history) < 12  # six steps of warm-up and more, then nothing better


def elbo_of(detector, batches):
    """What the criterion says of the weights that were kept."""
    loss = ELBOLoss(detector.settings["loss"])
    with torch.inference_mode():
        values = [
            loss(detector.model(batch.images, batch.generator()), batch.images, detector.settings["beta"])["loss"]
            for batch in batches
        ]
    return float(torch.stack(values).mean())


@pytest.mark.parametrize("annealing", ANNEALING)
def test_beta_follows_its_annealing(splits, annealing):
    settings = TINY_VAE | {"steps": 8, "validate_every": 1}
    detector = VAEDetector(**settings, beta=2.0, annealing=annealing, warmup=0.5, cycles=2)
    detector.fit(splits.train, splits.validation)
    shares = {"none": [1] * 8, "linear": [0, 0.25, 0.5, 0.75, 1, 1, 1, 1], "cyclical": [0, 0.5, 1, 1] * 2}
    assert [row["beta"] for row in detector.history] == pytest.approx([2 * share for share in shares[annealing]])


def test_beta_pulls_the_code_to_the_prior(splits):
    settings = TINY_VAE | {"steps": 40, "learning_rate": 0.01, "annealing": "none"}
    loose, tight = (
        VAEDetector(**settings, beta=beta).fit(splits.train, splits.validation).history[-1]["kl"]
        for beta in (0.01, 100.0)
    )
    assert tight < 0.5 * loose


def test_free_bits_leave_room(splits):
    settings = TINY_VAE | {"steps": 40, "learning_rate": 0.01, "annealing": "none", "beta": 100.0}
    free = VAEDetector(**settings, free_bits=2.0).fit(splits.train, splits.validation)
    none = VAEDetector(**settings).fit(splits.train, splits.validation)
    assert free.history[-1]["kl"] > 2 * none.history[-1]["kl"]


def test_a_run_is_repeatable_and_resumes(splits, fitted_vae, tmp_path):
    again = VAEDetector(**TINY_VAE)
    again.checkpoint = tmp_path / "state.pt"
    again.fit(splits.train, splits.validation)
    resumed = VAEDetector(**TINY_VAE)
    resumed.checkpoint = tmp_path / "state.pt"
    resumed.fit(splits.train, splits.validation)
    for detector in (again, resumed):
        assert detector.history == fitted_vae.history
        assert all(torch.equal(detector._tensors()[name], value) for name, value in fitted_vae._tensors().items())


@pytest.mark.parametrize("settings", [*({"variant": name} for name in VARIANTS), {"adversarial": 0.001}])
def test_every_variant_trains_scores_and_is_saved(splits, settings, tmp_path):
    few = splits.validation.subset(range(20))
    detector = VAEDetector(**TINY_VAE, **settings, score_by="both").fit(splits.train, few)
    images = images_of(splits.test)
    maps = detector.anomaly_map(images)
    assert maps.isfinite().all()
    assert maps.min() >= 0
    loaded = load_detector(detector.save(tmp_path / "vae"), device="cpu")
    assert torch.equal(loaded.anomaly_map(images), maps)
    assert torch.equal(loaded.encode(images)[0], detector.encode(images)[0])
    assert (loaded.settings, loaded.threshold) == (detector.settings, detector.threshold)
    assert ("adversarial" in detector.history[-1]) == ("adversarial" in settings)


def test_the_reference_settings_give_the_reference_network():
    detector = VAEDetector(**REFERENCE)
    assert isinstance(detector.training, Training)
    detector.preprocessing = type(detector.preprocessing)(channels=3)
    with torch.device("meta"):
        built, reference = detector.build_network(), VAE.reference()
    assert [p.shape for p in built.parameters()] == [p.shape for p in reference.parameters()]
    assert detector.settings["beta"] == 1
    expected = {"batch_size": 32, "learning_rate": 1e-4, "weight_decay": 0.0, "schedule": "constant", "crop": 224}
    assert {name: getattr(detector.training, name) for name in expected} == expected


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"score_by": "elbo"}, "score_by must be one of reconstruction, kl, both, got 'elbo'"),
        ({"annealing": "cosine"}, "annealing must be one of none, linear, cyclical, got 'cosine'"),
        ({"warmup": 200}, "warmup must be a share of the steps, between 0 and 1, got 200"),
        ({"beta": -1}, "beta must be 0 or a positive real number, got -1"),
        ({"beta": math.inf}, "beta must be 0 or a positive real number, got inf"),
        ({"adversarial": "yes"}, "adversarial must be 0 or a positive real number, got 'yes'"),
        ({"samples": 1.5}, "samples must be 0 or a positive whole number, got 1.5"),
        ({"cycles": 0}, "cycles must be a positive whole number, got 0"),
        ({"free_bits": -1}, "free_bits must be 0 or a positive number of nats"),
        ({"loss": "mes"}, "unknown loss 'mes'"),
        ({"variant": "deep"}, "variant must be one of plain"),
        ({"latent_dim": 0}, "latent_dim must be positive integers"),
        ({"overlap": 32}, "overlap must be None or a whole number from 0 to 31, below the crop, got 32"),
        ({"residual": "l3"}, "residual must be one of l1, l2"),
        ({"score": "median"}, "score must be one of max, mean, topk"),
        ({"precision": "half"}, "precision must be one of"),
        ({"patience": 3}, "one-cycle must run to its end"),
        ({"percentile": 0}, "percentile must be a number between 0 and 100"),
    ],
)
def test_wrong_settings_are_refused_before_training(settings, message):
    with pytest.raises(ValueError, match=message):
        VAEDetector(**settings)


def test_before_fit_and_with_other_images(fitted_vae):
    for method in (VAEDetector(**TINY_VAE).encode, VAEDetector(**TINY_VAE).reconstruct):
        with pytest.raises(RuntimeError, match="has not been fitted"):
            method(torch.zeros(1, 1, 32, 32))
    for method in (fitted_vae.encode, fitted_vae.reconstruct):
        with pytest.raises(ValueError, match=r"must have the shape \(B, 1, H, W\)"):
            method(torch.zeros(1, 3, 32, 32))
