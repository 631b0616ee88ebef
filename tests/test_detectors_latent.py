"""The latent detector: fitted from scratch or on a trained autoencoder, its terms, its way to disk and back."""

import inspect
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image

from adkit import AutoencoderDetector, load_dataset, load_detector
from adkit.data import AnomalyDataset
from adkit.data.samples import FileSample
from adkit.detectors.latent import OWN, LatentDetector
from adkit.models.distances import DISTANCES
from tests.conftest import TINY

FEW = "validation images"


@pytest.fixture(scope="module")
def images(splits):
    return torch.stack([splits.test[i]["image"] for i in (0, 1, 60, 70)])


@pytest.fixture(scope="module")
def scored(splits, fitted):
    """One scoring of the shared autoencoder for each distance."""
    return {
        kind: LatentDetector.from_autoencoder(fitted, splits.train, splits.validation, distance=kind, coreset=50)
        for kind in DISTANCES
    }


# -- fitting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DISTANCES)
def test_a_scoring_of_a_trained_autoencoder_equals_a_full_fit(splits, scored, images, kind):
    full = LatentDetector(**TINY, distance=kind, coreset=50).fit(splits.train, splits.validation)
    again = scored[kind]
    assert again.settings == full.settings
    assert again.history == full.history
    assert again.image_threshold == full.image_threshold
    assert again.pixel_threshold == full.pixel_threshold
    assert torch.equal(again.anomaly_map(images), full.anomaly_map(images))
    assert all(torch.equal(value, again._tensors()[name]) for name, value in full._tensors().items())


def test_the_autoencoder_stays_as_it_is(splits, images):
    detector = AutoencoderDetector(**TINY).fit(splits.train, splits.validation)
    before, history = detector.anomaly_map(images), list(detector.history)
    latent = LatentDetector.from_autoencoder(detector, splits.train, splits.validation, distance="mean")
    with torch.no_grad():
        latent.model.head[1].bias += 1.0
    latent.history.clear()
    assert torch.equal(detector.anomaly_map(images), before)
    assert detector.history == history


def test_a_scoring_fitted_again_is_trained_again(splits, scored, images):
    latent = LatentDetector.from_autoencoder(scored["mean"], splits.train, splits.validation)
    with torch.no_grad():
        latent.model.head[1].bias += 1.0
    again = latent.fit(splits.train, splits.validation)
    assert torch.equal(again.anomaly_map(images), scored["mean"].anomaly_map(images))


def test_a_scoring_can_change_what_needs_no_training(splits, scored):
    other = {"residual": "l1", "smoothing": 1.0, "score": "topk", "percentile": 90.0, "pixel_percentile": 99.0}
    latent = LatentDetector.from_autoencoder(
        scored["knn"], splits.train, splits.validation, **other, levels=[1], seed=0
    )
    assert asdict(latent.settings) == asdict(scored["knn"].settings) | other | {"levels": [1]}


def test_what_needs_a_training_cannot_change(splits, fitted):
    with pytest.raises(ValueError, match="width, seed cannot change without another training; leave it out"):
        LatentDetector.from_autoencoder(fitted, splits.train, splits.validation, width=5, seed=3)
    with pytest.raises(RuntimeError, match="AutoencoderDetector has not been fitted"):
        LatentDetector.from_autoencoder(AutoencoderDetector(**TINY), splits.train, splits.validation)
    other = load_dataset("textile", category="denim", image_size=(64, 64), tile=32)
    with pytest.raises(ValueError, match=r"train is prepared as Preprocessing\(.*tile=\(32, 32\).*load the images as"):
        LatentDetector.from_autoencoder(fitted, other.train, other.validation)


def test_synthetic_defects_train_the_same_network(splits, images):
    plain = AutoencoderDetector(**TINY, defects="all").fit(splits.train, splits.validation)
    latent = LatentDetector(**TINY, defects="all", distance="reconstruction").fit(splits.train, splits.validation)
    assert torch.equal(latent.reconstruct(images), plain.reconstruct(images))
    assert latent.history == plain.history


# -- scoring --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DISTANCES)
def test_terms_are_standardised_on_validation_normals_and_add_up(splits, scored, kind):
    detector = scored[kind]
    normals = torch.stack([splits.validation[i]["image"] for i in range(len(splits.validation))])
    terms = detector.terms(normals)
    assert list(terms) == ["level 0", "level 1", "level 2", "level 3", "bottleneck", "residual"]
    for term in terms.values():
        assert term.shape == (len(normals), 32, 64)
        assert float(term.mean()) == pytest.approx(0, abs=1e-3)
        assert float(term.std(correction=0)) == pytest.approx(1, abs=1e-3)
    apart = detector.anomaly_map(normals) - sum(terms.values())
    torch.testing.assert_close(apart, apart.mean().expand_as(apart), atol=1e-3, rtol=0)
    assert (detector.anomaly_map(normals) >= 0).all()


def test_weights_choose_terms(splits, fitted, images):
    def score(**settings):
        return LatentDetector.from_autoencoder(
            fitted, splits.train, splits.validation, **{"distance": "reconstruction"} | settings
        )

    both = score(levels=[3, 0], level_weights=[0.0, 2.0], residual_weight=0.0)
    alone = score(levels=[0], residual_weight=0.0)
    torch.testing.assert_close(both.anomaly_map(images), 2 * alone.anomaly_map(images))
    residual = score(levels=[0], level_weights=[0], residual_weight=3.0, standardise=False)
    torch.testing.assert_close(residual.anomaly_map(images), 3 * fitted.anomaly_map(images))
    assert residual.threshold == pytest.approx(3 * fitted.threshold)


def test_without_standardising_the_terms_are_as_they_are(splits, fitted, images):
    raw = LatentDetector.from_autoencoder(fitted, splits.train, splits.validation, distance="mean", standardise=False)
    terms = raw.terms(images)
    torch.testing.assert_close(raw.anomaly_map(images), sum(terms.values()))
    torch.testing.assert_close(terms["residual"], fitted.anomaly_map(images))


def test_pooled_features_are_one_vector_an_image(scored, images):
    pooled = scored["knn"].pooled(images)
    assert pooled.shape == (4, 4 + 8 + 16 + 32 + 32)
    levels = scored["knn"].model.features(images)
    torch.testing.assert_close(pooled[:, :4], levels[0].detach().mean(dim=(2, 3)))


def test_batches_of_another_shape_or_range_are_refused(scored):
    detector = scored["mean"]
    for method in (detector.anomaly_map, detector.terms, detector.pooled):
        with pytest.raises(ValueError, match=r"must have the shape \(B, 1, H, W\), got \(1, 3, 32, 64\)"):
            method(torch.zeros(1, 3, 32, 64))
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
            method(torch.full((1, 1, 32, 64), 2.0))
        with pytest.raises(RuntimeError, match="LatentDetector has not been fitted"):
            getattr(LatentDetector(**TINY), method.__name__)(torch.zeros(1, 1, 32, 64))


def strips(folder, *sizes):
    """Strips of several sizes whose first columns are background, white."""
    for i, (height, width) in enumerate(sizes):
        strip = np.random.default_rng(i).integers(50, 150, (height, width), dtype=np.uint8)
        strip[:, : 60 + 8 * i] = 255
        Image.fromarray(strip).save(folder / f"{i}.png")
    return [FileSample(path, "strip", path.name) for path in sorted(folder.iterdir())]


@pytest.mark.parametrize("kind", DISTANCES)
def test_images_of_unequal_odd_sizes_and_their_background(tmp_path, kind):
    samples = strips(tmp_path, (40, 600), (41, 607), (37, 601), (39, 615), (37, 605), (43, 590))
    train, validation, test = (AnomalyDataset(samples[i : i + 2], foreground="fabric") for i in (0, 2, 4))
    with pytest.warns(UserWarning, match=FEW):
        detector = LatentDetector(**TINY, distance=kind, coreset=20).fit(train, validation)
    judged = detector.predict_dataset(test)
    assert [one.shape for one in judged.maps] == [(37, 605), (43, 590)]
    for path, one, score in zip(judged.paths, judged.maps, judged.scores, strict=True):
        assert not one[:, :56].any()
        assert one[:, 200:].all()
        prediction = detector.predict(path)
        np.testing.assert_allclose(prediction.anomaly_map, one, rtol=1e-5, atol=1e-5)
        assert prediction.score == pytest.approx(score, rel=1e-5)
    image = test[0]["image"][None]
    assert not any(term[..., :56].any() for term in detector.terms(image).values())
    spoilt = image.clone()
    spoilt[..., :20] = 0.9  # background still, and further than a receptive field from the fabric
    torch.testing.assert_close(detector.pooled(spoilt), detector.pooled(image))


# -- on disk --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DISTANCES)
@pytest.mark.parametrize("extra", [{}, {"levels": [4, 1], "level_weights": (1, 0.5), "standardise": False}])
def test_a_loaded_detector_is_the_same_detector(splits, fitted, images, tmp_path, kind, extra):
    settings = {"distance": kind, "neighbours": 2, "coreset": 40} | extra
    latent = LatentDetector.from_autoencoder(fitted, splits.train, splits.validation, **settings)
    loaded = load_detector(latent.save(tmp_path / "latent"), device="cpu")
    assert loaded.settings == latent.settings
    assert loaded.image_threshold == latent.image_threshold
    assert loaded.pixel_threshold == latent.pixel_threshold
    assert torch.equal(loaded.anomaly_map(images), latent.anomaly_map(images))
    assert torch.equal(loaded.image_score(images), latent.image_score(images))
    assert torch.equal(loaded.pooled(images), latent.pooled(images))
    assert all(torch.equal(value, loaded.terms(images)[name]) for name, value in latent.terms(images).items())


# -- settings -------------------------------------------------------------------------------------------------------


def test_all_settings_are_in_the_signature():
    names = set(inspect.signature(LatentDetector).parameters)
    assert names == set(inspect.signature(AutoencoderDetector).parameters) | set(OWN)
    assert names == set(asdict(LatentDetector().settings))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"distance": "l2"}, "distance must be one of mean, reconstruction"),
        ({"levels": [5]}, "levels must list one or more levels from 0 to 4"),
        ({"levels": [3], "depth": 2}, "levels must list one or more levels from 0 to 2"),
        ({"neighbours": 0}, "neighbours must be a positive integer"),
        ({"coreset": 2.0}, "coreset must be a positive count or a float fraction"),
        ({"level_weights": [1, 1]}, "one number for each of level 0, level 1, level 2, level 3, bottleneck, got"),
        ({"level_weights": 1.0}, r"level_weights must list one number for each of .*, got 1.0"),
        ({"level_weights": [1, 1, 1, 1, -1]}, "must be numbers of at least 0, and not all 0"),
        ({"level_weights": ["1"] * 5}, "must be numbers of at least 0, and not all 0"),
        ({"residual_weight": float("nan")}, "must be numbers of at least 0, and not all 0"),
        ({"levels": [0], "level_weights": [0], "residual_weight": 0}, "and not all 0, got .0. and 0"),
        ({"residual": "l3"}, "residual must be one of l1, l2"),
    ],
)
def test_wrong_settings_are_refused_before_training(settings, message):
    with pytest.raises(ValueError, match=message):
        LatentDetector(**settings)


def test_unknown_settings_are_refused():
    with pytest.raises(TypeError, match="coresets"):
        LatentDetector(coresets=3)
