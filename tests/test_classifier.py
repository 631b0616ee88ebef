"""The classifier of stage 2: its network, what it learns, and its way to disk and back."""

import json
import urllib.error
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from adkit.data import AnomalyDataset, load_dataset
from adkit.data.plots.samples import labelled_plots, plots_parts
from adkit.detectors.preprocessing import Preprocessing
from adkit.experiments.screening import TypeClassifier, classifier, load_classifier, seen_by
from adkit.experiments.screening.classifier import _mirrored
from adkit.models.torchvision_nets import Classifier
from adkit.runtime import generator, serialization

TINY = {"side": 32, "epochs": 1, "batch_size": 8, "quiet": True, "device": "cpu"}
KINDS = ("spike", "drift")


@pytest.fixture(scope="module")
def labelled():
    """Four plots of two types, and four normal ones."""
    return AnomalyDataset(labelled_plots(4, anomaly_types=KINDS) + plots_parts(counts=(4, 0, 0, 0))["train"])


@pytest.fixture(scope="module")
def fitted(labelled):
    return TypeClassifier(**TINY).fit(labelled)


# -- network -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth, parameters", [(18, 11_181_642), (50, 23_528_522)])
def test_parameters(depth, parameters):
    with torch.device("meta"):
        network = Classifier(10, depth)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_grey_is_the_same_as_three_equal_channels():
    network, grey = Classifier(3).eval(), torch.rand(2, 1, 40, 56)
    with torch.inference_mode():
        torch.testing.assert_close(network(grey), network(grey.expand(-1, 3, -1, -1)))


def test_unknown_networks_are_refused():
    for build in (lambda **k: Classifier(10, **k), TypeClassifier):
        with pytest.raises(ValueError, match="depth must be one of 18, 34, 50, got 19"):
            build(depth=19)
        with pytest.raises(ValueError, match=r"weights of resnet18 must be None \(random\) or one of IMAGENET1K_V1"):
            build(weights="mine")
    with pytest.raises(ValueError, match="at least two classes, got 1"):
        Classifier(1)


def test_a_download_that_fails_is_explained(monkeypatch):
    def offline(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("torchvision.models._api.WeightsEnum.get_state_dict", offline)
    with pytest.raises(ConnectionError, match=r"resnet18 could not be downloaded from https.*take weights=None"):
        Classifier(2, weights="IMAGENET1K_V1")


# -- training ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_learns_what_it_is_shown(labelled):
    learned = TypeClassifier(**TINY | {"epochs": 30, "batch_size": 6}, flips=False).fit(labelled)
    assert learned.classes == ["drift", "good", "spike"]
    assert [row["step"] for row in learned.history] == list(range(2, 61, 2))
    assert learned.history[-1]["loss"] < learned.history[0]["loss"]
    assert np.mean([a == b for a, b in zip(learned.name(labelled), labelled.kinds, strict=True)]) >= 0.9


@pytest.mark.slow
def test_the_seed_decides(labelled, fitted):
    torch.manual_seed(7)
    again, other = (TypeClassifier(**TINY | {"seed": seed}).fit(labelled) for seed in (0, 1))
    assert np.array_equal(again.probabilities(labelled), fitted.probabilities(labelled))
    assert not np.array_equal(other.probabilities(labelled), fitted.probabilities(labelled))


def test_half_of_the_images_are_mirrored_each_way():
    images = torch.arange(12).reshape(1, 1, 3, 4).expand(200, -1, -1, -1)
    mirrored = _mirrored(images, generator(0))
    corners = [(mirrored[:, 0, 0, 0] == corner).sum().item() for corner in (0, 3, 8, 11)]  # as it was, ↔, ↕, both
    assert sum(corners) == 200
    assert min(corners) > 30


def test_flips_can_be_left_out(labelled, monkeypatch):
    monkeypatch.setattr(classifier, "_mirrored", lambda *_: 1 / 0)
    TypeClassifier(**TINY, flips=False).fit(labelled)
    with pytest.raises(ZeroDivisionError):
        TypeClassifier(**TINY).fit(labelled)


def test_names_are_the_most_probable_classes(labelled, fitted):
    probabilities = fitted.probabilities(labelled)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert fitted.name(labelled) == [fitted.classes[k] for k in probabilities.argmax(axis=1)]
    types = fitted.name(labelled, among=["spike", "drift"])
    assert types == ["spike" if row[2] > row[0] else "drift" for row in probabilities]
    with pytest.raises(ValueError, match="does not know bump; it knows"):
        fitted.name(labelled, among=["bump", "spike"])


def test_images_of_any_size_are_seen_at_one(labelled, fitted):
    seen = seen_by(fitted.preprocessing, AnomalyDataset(labelled.samples, image_size=(64, 64), channels=1))
    assert seen[0]["image"].shape == (3, 32, 32)
    assert seen.kinds == labelled.kinds
    assert fitted.name(fitted.preprocessing(np.zeros((50, 70))))[0] in fitted.classes


def test_what_cannot_be_learned_is_refused(labelled):
    for name in ("side", "epochs", "batch_size", "learning_rate"):
        with pytest.raises(ValueError, match=f"{name} must be positive, got 0"):
            TypeClassifier(**{name: 0})
    with pytest.raises(ValueError, match="at least two kinds, got spike only"):
        TypeClassifier(**TINY).fit(labelled.subset([0, 2]))
    for call in (lambda c: c.probabilities(labelled), lambda c: c.save("nowhere")):
        with pytest.raises(RuntimeError, match=r"has not been fitted; call fit\(train\) first"):
            call(TypeClassifier())


@pytest.mark.slow
def test_progress_is_shown_unless_quiet(labelled, capsys):
    TypeClassifier(**TINY | {"quiet": False}).fit(labelled)
    assert "resnet18  step 2/2" in capsys.readouterr().out


# -- on disk -------------------------------------------------------------------------------------------------------


def test_a_loaded_classifier_is_the_same(labelled, fitted, tmp_path):
    loaded = load_classifier(fitted.save(tmp_path / "classifier"), device="cpu")
    assert sorted(path.name for path in (tmp_path / "classifier").iterdir()) == [
        "classifier.json", "weights.safetensors",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["classifier"]  # nothing temporary is left
    assert np.array_equal(loaded.probabilities(labelled), fitted.probabilities(labelled))
    assert (loaded.classes, loaded.history, loaded.settings) == (fitted.classes, fitted.history, fitted.settings)


def test_save_replaces_a_classifier_whole_and_nothing_else(labelled, fitted, tmp_path, monkeypatch):
    path = fitted.save(tmp_path / "classifier")
    before = (path / "weights.safetensors").read_bytes()
    other = TypeClassifier(**TINY | {"seed": 1}).fit(labelled)
    with monkeypatch.context() as patch:
        patch.setattr(serialization.json, "dumps", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            other.save(path)
    assert (path / "weights.safetensors").read_bytes() == before
    other.save(path)
    assert (path / "weights.safetensors").read_bytes() != before
    (tmp_path / "photos").mkdir()
    with pytest.raises(FileExistsError, match="is no saved classifier; choose another path"):
        fitted.save(tmp_path / "photos")


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: (f / "classifier.json").write_text("{"),
        lambda f: (f / "weights.safetensors").write_bytes(b"half a file"),
        lambda f: (f / "weights.safetensors").unlink(),
        lambda f: edit(f, settings={"wings": 2}),
        lambda f: edit(f, classes=["spike", "drift"]),
    ],
)
def test_damage_is_named(fitted, tmp_path, damage):
    damage(fitted.save(tmp_path / "classifier"))
    with pytest.raises(ValueError, match=r"is damaged|does not fit adkit"):
        load_classifier(tmp_path / "classifier", device="cpu")


def edit(folder, **changes):
    description = json.loads((folder / "classifier.json").read_text())
    (folder / "classifier.json").write_text(json.dumps(description | changes))


def test_load_says_what_is_missing(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected a folder with classifier\.json"):
        load_classifier(tmp_path / "classifier")
    with pytest.raises(ValueError, match="device must be auto"):
        load_classifier(fitted.save(tmp_path / "classifier"), device="tpu9")


def test_a_camera_of_twelve_bits_is_seen_the_same_by_everyone(tmp_path):
    draw = np.random.default_rng(0)
    for kind in ("good", "spike", "drift"):
        (tmp_path / kind).mkdir()
        for k in range(12 if kind == "good" else 3):
            pixels = draw.integers(0, 4096, (40, 40)).astype(np.uint16)
            Image.fromarray(pixels).save(tmp_path / kind / f"{k}.png")
    with warnings.catch_warnings(action="ignore"):
        dataset = load_dataset("folder", tmp_path).test
    assert dataset.bits == 12
    assert seen_by(Preprocessing(bits=12), dataset)[0]["image"].equal(dataset[0]["image"])
    assert seen_by(Preprocessing(tile=(20, 20), overlap=5, blend=True), dataset).blend
    fitted = TypeClassifier(**TINY).fit(dataset)
    assert fitted.preprocessing.bits == 12
    loaded = load_classifier(fitted.save(tmp_path / "saved"))
    assert loaded.preprocessing == fitted.preprocessing
    np.testing.assert_array_equal(loaded.probabilities(dataset), fitted.probabilities(dataset))
    assert seen_by(loaded.preprocessing, dataset)[0]["image"].mean() > 0.4
