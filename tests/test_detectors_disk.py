"""Detectors on disk: whole or not at all, the same after loading, damage named; and whole folders judged."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import adkit
from adkit import AutoencoderDetector, load_dataset, load_detector
from adkit.data import read_image
from adkit.detectors.folder_report import GAP, OUTLINE, prediction_panels
from adkit.detectors.prediction import Prediction
from adkit.runtime import serialization as saved_module
from tests.conftest import TINY


@pytest.fixture
def saved(fitted, tmp_path):
    return fitted.save(tmp_path / "detector")


def test_a_loaded_detector_is_the_same_detector(splits, fitted, saved):
    loaded = load_detector(saved, device="cpu")
    images = torch.stack([splits.test[i]["image"] for i in range(3)])
    assert torch.equal(loaded.anomaly_map(images), fitted.anomaly_map(images))
    assert torch.equal(loaded.image_score(images), fitted.image_score(images))
    assert loaded.image_threshold == fitted.image_threshold
    assert loaded.pixel_threshold == fitted.pixel_threshold
    assert loaded.preprocessing == fitted.preprocessing
    assert (loaded.settings, loaded.history) == (fitted.settings, fitted.history)


def test_what_is_read_has_memory_of_its_own(tmp_path):
    tensors = {"odd": torch.rand(3), "matrix": torch.rand(5, 7)}  # 12 bytes: what follows lies off every boundary
    path = saved_module.write_folder(tmp_path / "thing", "thing", {}, tensors)
    for name, value in saved_module.read_folder(path, "thing")[1].items():
        assert torch.equal(value, tensors[name])
        assert value.is_contiguous()
        assert value.data_ptr() % 64 == 0  # as memory that torch itself takes


def test_a_folder_holds_weights_and_text_and_nothing_else(saved):
    assert sorted(file.name for file in saved.iterdir()) == ["detector.json", "weights.safetensors"]
    assert sorted(file.name for file in saved.parent.iterdir()) == ["detector"]  # nothing temporary is left
    assert json.loads((saved / "detector.json").read_text())["provenance"].keys() == {"adkit", "torch"}


def test_settings_survive_the_way_to_disk(splits, tmp_path):
    first = AutoencoderDetector(**TINY, loss={"mse": 1, "l1": 0.5}, skip="add").fit(splits.train, splits.validation)
    assert load_detector(first.save(tmp_path / "a"), device="cpu").settings == first.settings


def test_save_replaces_a_detector_whole_or_not_at_all(splits, saved, monkeypatch):
    before = (saved / "weights.safetensors").read_bytes()
    other = AutoencoderDetector(**TINY, seed=1).fit(splits.train, splits.validation)
    with monkeypatch.context() as patch:
        patch.setattr(json, "dumps", lambda *_, **__: 1 / 0)  # after the weights are written
        with pytest.raises(ZeroDivisionError):
            other.save(saved)
    assert (saved / "weights.safetensors").read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["detector"]
    other.save(saved)
    assert (saved / "weights.safetensors").read_bytes() != before


def test_save_overwrites_nothing_else(fitted, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(FileExistsError, match="is no saved detector; choose another path"):
        fitted.save(tmp_path / "photos")


def edit(folder, **changes):
    description = json.loads((folder / "detector.json").read_text())
    (folder / "detector.json").write_text(json.dumps(description | changes))


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda f: (f / "detector.json").write_text("{"), "is damaged"),
        (lambda f: (f / "detector.json").write_bytes(b"\xff\xfe\xff"), "is damaged"),
        (lambda f: (f / "weights.safetensors").write_bytes(b"half a file"), "is damaged"),
        (lambda f: (f / "weights.safetensors").unlink(), "is damaged"),
        (
            lambda f: edit(f, detector="OracleDetector"),
            "holds a 'OracleDetector', which is not known here: .*@register",
        ),
        (lambda f: edit(f, settings={"wings": 2}), r"does not fit adkit .*TypeError.*wings"),
        (lambda f: edit(f, settings={"width": 8}), r"does not fit adkit .*RuntimeError"),
        (lambda f: edit(f, preprocessing={"zoom": 2}), r"does not fit adkit .*zoom"),
    ],
)
def test_damaged_detectors_are_refused(saved, damage, message):
    damage(saved)
    with pytest.raises(ValueError, match=message):
        load_detector(saved)


def test_load_says_what_is_missing(saved):
    with pytest.raises(ValueError, match="device must be auto"):
        load_detector(saved, device="tpu9")
    shutil.rmtree(saved)
    with pytest.raises(FileNotFoundError, match=r"expected a folder with detector\.json"):
        load_detector(saved)


# -- folders -------------------------------------------------------------------------------------------------------


def test_predict_folder_writes_tables_and_pictures(fitted, tmp_path):
    folder, out = tmp_path / "photos", tmp_path / "photos" / "out"
    (folder / "night").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for name, size in {"a.png": (32, 64), "a.jpg": (64, 32), "night/b.bmp": (20, 90)}.items():
        Image.fromarray(draw.integers(0, 256, size, dtype=np.uint8)).save(folder / name)
    (folder / "broken.png").write_bytes(b"no image")
    (folder / ".hidden.png").write_bytes(b"no image either")
    for _ in range(2):  # what the first run wrote is not judged by the second
        with pytest.warns(UserWarning, match=r"1 file\(s\) of .* cannot be read; see .*predictions\.json"):
            rows = fitted.predict_folder(folder, out)
    assert [row["path"] for row in rows] == ["a.jpg", "a.png", "night/b.bmp"]
    report = json.loads((out / "predictions.json").read_text())
    assert report["images"] == rows
    assert [entry["path"] for entry in report["skipped"]] == ["broken.png"]
    assert "cannot read" in report["skipped"][0]["reason"]
    assert (out / "predictions.csv").read_text().splitlines()[0] == "path,score,threshold,is_anomalous,mask_share"
    assert len((out / "predictions.csv").read_text().splitlines()) == 4
    for row in rows:
        prediction = fitted.predict(folder / row["path"])
        assert row["score"] == prediction.score
        assert row["mask_share"] == prediction.mask.mean()
    pictures = {p.relative_to(out).as_posix(): read_image(p).shape for p in out.rglob("*.png")}
    assert pictures == {
        "a.jpg.png": (3, 64, 5 * 32 + 16),  # high: side by side
        "a.png.png": (3, 5 * 32 + 16, 64),  # wide: one below the other
        "night/b.bmp.png": (3, 5 * 20 + 16, 90),
    }


def test_reconstructions_and_differences_come_at_the_size_of_the_file(splits):
    detector = AutoencoderDetector(**TINY)
    halves = load_dataset("textile", category="denim", image_size=(32, 64), tile=32, overlap=0)
    detector.fit(halves.train, halves.validation)
    draw = np.random.default_rng(0)
    for height, width in ((50, 80), (32, 64)):
        photo = draw.random((3, height, width), dtype=np.float32)
        (reconstructed,) = detector.reconstruct_images(detector.preprocessing(photo))
        assert (reconstructed.image.shape, reconstructed.difference.shape) == ((1, height, width), (height, width))
    tiles = torch.stack([item["image"] for item in detector.preprocessing(photo)])
    difference = (tiles - detector.reconstruct(tiles)).abs()[:, 0]
    np.testing.assert_allclose(reconstructed.difference, np.hstack(difference), atol=1e-6)
    whole = splits.test.subset([0, 1])
    for i, one in enumerate(detector.reconstruct_images(whole)):
        assert np.array_equal(one.image, detector.reconstruct(whole[i]["image"][None])[0])


def test_predict_folder_needs_images(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        fitted.predict_folder(tmp_path / "none", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no images in"):
        fitted.predict_folder(tmp_path / "empty", tmp_path / "out")


def test_maps_are_coloured_on_one_scale():
    mask = np.zeros((8, 8), bool)
    mask[2:4, 2:4] = True
    pictures = [
        prediction_panels(
            np.full((3, 8, 8), 0.5, np.float32), Prediction(1, 1, True, np.full((8, 8), level), mask), 0.5
        )
        for level in (0.25, 0.5, 0.5, 1.0, 9.0)
    ]
    assert {picture.shape for picture in pictures} == {(8, 3 * 8 + 2 * GAP, 3)}  # nothing was drawn again
    low, middle, again, high, beyond = (picture[0, 8 + GAP].tolist() for picture in pictures)
    assert low != middle == again != high == beyond  # clipped at twice the threshold
    outlined = (pictures[0][:, -8:] == OUTLINE).all(-1)
    assert outlined.any()
    assert not outlined[mask].any()


TINY_OF_EACH = {
    "AutoencoderDetector": TINY,
    "LatentDetector": TINY | {"distance": "mahalanobis"},
    "VAEDetector": {"latent_dim": 4, "widths": [4, 8], "steps": 3, "crop": 32, "quiet": True, "device": "cpu"},
    "PatchCoreDetector": {
        "backbone": "own",
        "own": {"width": 4, "steps": 2, "crop": 32},
        "quiet": True,
        "device": "cpu",
    },
    "DRAEMDetector": {"width": 4, "steps": 2, "crop": 32, "quiet": True, "device": "cpu"},
}


@pytest.mark.parametrize("name", TINY_OF_EACH)
def test_what_a_fit_leaves_lies_in_memory_as_what_a_file_brings(splits, tmp_path, name):
    """One layout before first use: another one takes other paths through linear algebra, and loses the last digits."""
    detector = getattr(adkit, name)(**TINY_OF_EACH[name]).fit(splits.train, splits.validation)
    loaded = load_detector(detector.save(tmp_path / "detector"), device="cpu")
    tensors = loaded._tensors()
    for key, value in detector._tensors().items():
        assert value.stride() == tensors[key].stride(), key
        assert torch.equal(value, tensors[key]), key
    images = torch.stack([splits.test[i]["image"] for i in range(3)])
    assert torch.equal(loaded.anomaly_map(images), detector.anomaly_map(images))
    assert torch.equal(loaded.image_score(images), detector.image_score(images))
