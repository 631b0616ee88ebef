"""The DRAEM detector: it learns from synthetic defects, repeats itself, survives the disk, refuses what cannot be."""

import pytest
import torch

from adkit import load_dataset, load_detector
from adkit.defects import SyntheticDefects
from adkit.detectors.draem import DRAEMDetector
from adkit.metrics import average_precision
from adkit.models.draem import DRAEM
from tests.conftest import TINY_DRAEM


@pytest.mark.slow
def test_it_learns_to_mark_synthetic_defects(splits):
    settings = TINY_DRAEM | {"width": 8, "segment_width": 8, "steps": 60, "batch_size": 8, "validate_every": 20}
    train = splits.train.subset(range(8))
    detector = DRAEMDetector(**settings, smoothing=1.0).fit(train, splits.validation)
    first, *_, last = detector.history
    assert set(first) == {"step", "loss", "mse", "ssim", "focal", "validation", "learning_rate"}
    assert last["focal"] < 0.5 * first["focal"]
    images = torch.stack([train[i]["image"] for i in range(8)])
    mixture = SyntheticDefects(["perlin"], size=(1 / 64, 0.5))
    seen, masks, _ = mixture(images, generator=torch.Generator().manual_seed(0))
    share = masks.float().mean().item()
    assert average_precision(masks.numpy(), detector.anomaly_map(seen).numpy()) > 2 * share


def test_maps_scores_and_reconstructions(splits, fitted_draem):
    images = torch.stack([splits.test[i]["image"] for i in range(3)])
    maps = fitted_draem.anomaly_map(images)
    assert maps.shape == (3, 32, 64)
    assert (maps > 0).all()
    assert torch.equal(fitted_draem.image_score(images), maps.amax((1, 2)))
    assert fitted_draem.reconstruct(images).shape == images.shape
    assert fitted_draem.anomaly_map(images[:, :, :31, :57]).shape == (3, 31, 57)
    assert fitted_draem.image_threshold.n == 40


def test_a_sure_network_still_ranks_its_pixels(fitted_draem):
    logits = torch.tensor([20.0, 25.0, -25.0, -20.0, 100.0]).view(5, 1, 1)
    assert logits.sigmoid().unique().numel() < 5
    maps = fitted_draem._smoothed(logits).flatten()
    assert torch.equal(maps.argsort(), logits.flatten().argsort())
    assert (maps > 0).all()


def test_the_same_seed_gives_the_same_map(splits, fitted_draem):
    image = splits.test[0]["image"][None]
    again, other = (DRAEMDetector(**TINY_DRAEM, seed=s).fit(splits.train, splits.validation) for s in (0, 1))
    assert torch.equal(again.anomaly_map(image), fitted_draem.anomaly_map(image))
    assert again.threshold == fitted_draem.threshold
    assert not torch.equal(other.anomaly_map(image), fitted_draem.anomaly_map(image))


def test_it_comes_back_from_disk_as_it_was(splits, fitted_draem, tmp_path):
    loaded = load_detector(fitted_draem.save(tmp_path / "draem"), device="cpu")
    image = splits.test[0]["image"][None]
    assert torch.equal(loaded.anomaly_map(image), fitted_draem.anomaly_map(image))
    assert loaded.settings == fitted_draem.settings
    assert loaded.threshold == fitted_draem.threshold


@pytest.mark.parametrize("texture", ["textile", "batch", "folder"])
def test_colour_images_and_every_texture_source(texture, tmp_path):
    colour = load_dataset("textile", category="denim", image_size=(32, 32), channels=3)
    if texture == "folder":
        from skimage.io import imsave

        texture = str(tmp_path / "textures")
        (tmp_path / "textures").mkdir()
        imsave(tmp_path / "textures" / "noise.png", torch.randint(256, (64, 64, 3), dtype=torch.uint8).numpy())
    detector = DRAEMDetector(**TINY_DRAEM, texture=texture).fit(colour.train, colour.validation)
    image = colour.test[0]["image"][None]
    expected = detector.anomaly_map(image)
    assert expected.shape == (1, 32, 32)
    detector.save(tmp_path / "detector")
    for file in (tmp_path / "textures").glob("*"):
        file.unlink()  # a fitted detector needs its textures no more
    assert torch.equal(load_detector(tmp_path / "detector", device="cpu").anomaly_map(image), expected)


def test_its_networks_are_those_of_the_settings_as_small_or_as_large_as_the_papers():
    ours, paper = DRAEMDetector(), DRAEMDetector(width=128, depth=4, segment_width=64, segment_depth=5, stride=1)
    with torch.device("meta"):  # shapes only
        small, large, expected = ours.build_network(), paper.build_network(), DRAEM.paper(channels=1)
    assert (small.stride, small.depths) == (2, (3, 3))
    assert str(large) == str(expected)


def test_the_mixture_is_the_papers_unless_said_otherwise():
    paper = DRAEMDetector(**TINY_DRAEM).settings.mixture()
    assert (paper.kinds, paper.clean, list(paper.size)) == (("perlin",), 0.5, [1 / 64, 0.5])
    assert DRAEMDetector(**TINY_DRAEM, defects=["perlin"]).settings.mixture().size == SyntheticDefects().size
    spec = {"kinds": ["stain", "perlin"], "weights": [1, 3], "clean": 0.2, "size": [0.1, 0.4]}
    own = DRAEMDetector(**TINY_DRAEM, defects=spec, opacity=(0.5, 0.7)).settings.mixture()
    assert (own.kinds, own.weights, own.clean, list(own.size)) == (("stain", "perlin"), (1, 3), 0.2, [0.1, 0.4])
    images = torch.zeros(64, 1, 32, 32)
    perlin = DRAEMDetector(**TINY_DRAEM, opacity=(0.4, 0.4)).settings.mixture(
        lambda images, draw: torch.ones_like(images)
    )
    corrupted, mask, _ = perlin(images)
    torch.testing.assert_close(corrupted[:, 0], 0.4 * mask)
    assert 0 < mask.flatten(1).any(1).float().mean() < 1


def test_other_kinds_of_defect_and_a_foreground(splits):
    detector = DRAEMDetector(**TINY_DRAEM, defects=["line", "missing_yarn"]).fit(splits.train, splits.validation)
    assert detector.threshold > 0


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"width": 0}, "width must be a positive integer, got 0"),
        ({"segment_depth": 2.5}, "segment_depth must be a positive integer, got 2.5"),
        ({"stride": 0}, "stride must be a positive integer, got 0"),
        ({"loss": "mes"}, "unknown loss 'mes'"),
        ({"gamma": -1}, "gamma must be a number of at least 0, got -1"),
        ({"focal": 0}, "focal must be a positive weight, got 0"),
        ({"focal": "1"}, "focal must be a positive weight, got '1'"),
        ({"opacity": 0.5}, r"opacity must be \(smallest, largest\) within \[0, 1\], got 0.5"),
        ({"defects": None}, "DRAEM learns from synthetic defects, and defects is None; 'perlin' is the paper's"),
        ({"defects": "perlim"}, "unknown defects 'perlim'; known: all, recommended, or some of mask"),
        ({"defects": {"kind": "perlin"}}, "unknown argument 'kind' for synthetic defects"),
        ({"opacity": (0.5, 2)}, r"opacity must be \(smallest, largest\) within \[0, 1\]"),
        ({"smoothing": -1}, "smoothing must be 0 or a positive number of pixels, got -1"),
        ({"percentile": 100}, "percentile must be a number between 0 and 100, got 100"),
        ({"steps": 0}, "steps must be positive, got 0"),
        ({"precision": "half"}, "precision must be one of"),
    ],
)
def test_wrong_settings_are_refused_before_training(settings, message):
    with pytest.raises(ValueError, match=message):
        DRAEMDetector(**settings)


def test_a_texture_that_is_not_there_is_refused_when_it_is_needed(splits):
    detector = DRAEMDetector(**TINY_DRAEM, texture="skimge")
    with pytest.raises(ValueError, match="texture must be batch, skimage, textile or a folder with images"):
        detector.fit(splits.train, splits.validation)


def test_an_unfitted_detector_says_so():
    with pytest.raises(RuntimeError, match="has not been fitted"):
        DRAEMDetector(**TINY_DRAEM).reconstruct(torch.zeros(1, 1, 32, 32))
