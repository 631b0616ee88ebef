"""Whole folders judged: what was not judged is named, and nothing is judged twice after a kill."""

import csv
import json
import warnings

import numpy as np
import pytest
from PIL import Image

from adkit.detectors.journal import PARTIAL, Journal
from adkit.runtime import atomic as atomic_module


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for k in range(6):
        Image.fromarray(draw.integers(0, 256, (32, 64), np.uint8)).save(folder / f"{k}.png")
    return folder


class Killed(BaseException):
    pass


def kill_at(detector, monkeypatch, number):
    """Let the detector judge some images, and die."""
    seen, predict = [], type(detector).predict

    def judge(path):
        if len(seen) == number:
            raise Killed
        seen.append(path.name)
        return predict(detector, path)

    monkeypatch.setattr(detector, "predict", judge)
    return seen


def test_the_table_grows_and_a_killed_run_goes_on(fitted, photos, tmp_path, monkeypatch):
    expected = fitted.predict_folder(photos, tmp_path / "whole")
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        kill_at(fitted, patch, 4)
        with pytest.raises(Killed):
            fitted.predict_folder(photos, out)
    with (out / "predictions.csv").open(encoding="utf-8") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["0.png", "1.png", "2.png", "3.png"]
    # half a line, as a power cut may leave it
    with (out / PARTIAL).open("a", encoding="utf-8") as file:
        file.write('{"row": {"path": "4.p')
    (out / "1.png.png").unlink()
    with monkeypatch.context() as patch:
        seen = kill_at(fitted, patch, 99)
        assert fitted.predict_folder(photos, out) == expected
    assert seen == ["1.png", "4.png", "5.png"]
    for name in ("predictions.csv", "predictions.json"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (out / PARTIAL).exists()


def test_another_detector_and_changed_files_are_judged_anew(fitted, photos, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        kill_at(fitted, patch, 5)
        with pytest.raises(Killed):
            fitted.predict_folder(photos, out)
    Image.fromarray(np.zeros((32, 64), np.uint8)).save(photos / "2.png")
    with monkeypatch.context() as patch:
        seen = kill_at(fitted, patch, 5)
        fitted.predict_folder(photos, out)
    assert seen == ["2.png", "5.png"]
    with monkeypatch.context() as patch:
        kill_at(fitted, patch, 5)
        with pytest.raises(Killed):
            fitted.predict_folder(photos, out)
    other = fitted.with_settings(smoothing=1.0)
    with monkeypatch.context() as patch:
        seen = kill_at(other, patch, 9)
        other.predict_folder(photos, out)
    assert len(seen) == 6


def test_what_is_not_judged_is_named(fitted, photos, tmp_path):
    (photos / "notes.txt").write_text("hello")
    (photos / "raw.npy").write_bytes(b"x")
    (photos / "sub").mkdir()
    (photos / "sub" / "scan.jp2").write_bytes(b"x")
    frames = [Image.fromarray(np.full((32, 64), level, np.uint8)) for level in (10, 20, 30)]
    frames[0].save(photos / "pages.tif", save_all=True, append_images=frames[1:])
    (photos / "broken.png").write_bytes(b"no image")
    (photos / ".hidden.txt").write_text("no")
    with warnings.catch_warnings(record=True, action="always") as caught:
        fitted.predict_folder(photos, tmp_path / "out")
    said = [str(warning.message) for warning in caught]
    assert any("1 file(s)" in text and "cannot be read" in text for text in said)
    assert any("4 file(s) or page(s)" in text and "were not judged" in text for text in said)
    skipped = json.loads((tmp_path / "out" / "predictions.json").read_text(encoding="utf-8"))["skipped"]
    assert {entry["path"] for entry in skipped} == {
        "broken.png", "notes.txt", "raw.npy", "sub/scan.jp2", "pages.tif, pages 2 to 3",
    }  # fmt: skip


def test_a_place_for_the_results_that_cannot_be_is_refused(fitted, photos, tmp_path):
    for out in (photos, tmp_path, photos / ".." / "photos"):
        with pytest.raises(ValueError, match="out must be a folder beside or below"):
            fitted.predict_folder(photos, out)
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match=r"out must be a folder, and .* is a file"):
        fitted.predict_folder(photos, tmp_path / "file")
    with pytest.raises(TypeError, match="folder must be the path of a folder, got a list"):
        fitted.predict_folder([photos / "0.png"], tmp_path / "out")


def test_a_full_disk_says_so_and_names_the_way_out(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "out", "a", ["path"])
    monkeypatch.setattr(atomic_module, "_is_full", lambda path: True)

    def full(text):
        raise RuntimeError("inline_container unexpected pos 64 vs 0")

    journal.close()
    monkeypatch.setattr(journal, "_partial", type("Full", (), {"write": staticmethod(full), "close": lambda self: 0})())
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match=r"No space left on device: cannot write .*ADKIT_HOME"):
        journal.add({"path": "a"}, tmp_path / "a")


def test_reprs_say_what_a_thing_is(fitted, splits):
    assert repr(fitted).startswith("AutoencoderDetector(")
    assert "width=4" in repr(fitted)
    assert "fitted, threshold" in repr(fitted)
    assert repr(fitted.fresh()).endswith(": not fitted")
    first, second = (fitted.predict(splits.test[0]["image"]) for _ in range(2))
    assert first == second
    assert first != fitted.predict(splits.test[1]["image"])
    assert first != 3
    assert repr(first).startswith("Prediction(")
    assert len(repr(first)) < 150
    with warnings.catch_warnings(action="ignore"):
        from adkit import evaluate

        assert len(repr(evaluate(fitted, splits.test, bootstrap=0))) < 400


@pytest.mark.parametrize(
    "label", ["3_mask.png", "3_GT.bmp", "3_label.tif", "mask_3.png", "ground_truth/3.png", "gt/crack/3_mask.png",
              "sub/Masks/3.png", "labels/3/000.png", "3.bmp"],
)  # fmt: skip
def test_a_mask_is_never_judged_and_always_named(fitted, photos, tmp_path, label):
    mask = np.zeros((32, 64), np.uint8)
    mask[4:9, 4:9] = 255
    (photos / label).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(photos / label)
    with pytest.warns(UserWarning, match=r"1 file\(s\).*were not judged, for they are masks"):
        rows = fitted.predict_folder(photos, tmp_path / "out")
    assert [row["path"] for row in rows] == [f"{k}.png" for k in range(6)]
    (skipped,) = json.loads((tmp_path / "out" / "predictions.json").read_text(encoding="utf-8"))["skipped"]
    assert skipped == {"path": label, "reason": "by its name the mask of 3.png"}


@pytest.mark.parametrize("stem", ["x" * 251, "雪" * 83, "ü" * 60 + "x" * 120])
def test_names_as_long_as_a_file_system_takes(fitted, photos, tmp_path, stem):
    (photos / "0.png").rename(photos / f"{stem}.png")
    assert len(fitted.predict_folder(photos, tmp_path / "out")) == 6
    assert len(list((tmp_path / "out").glob("*.png"))) == 6


def test_photographs_of_labels_are_judged(fitted, photos, tmp_path):
    """A name alone makes no mask: only that of another image does."""
    (photos / "0.png").rename(photos / "x_label.png")
    (photos / "seg").mkdir()
    (photos / "1.png").rename(photos / "seg" / "1.png")
    rows = fitted.predict_folder(photos.rename(tmp_path / "labels"), tmp_path / "out")
    assert {row["path"] for row in rows} == {"2.png", "3.png", "4.png", "5.png", "seg/1.png", "x_label.png"}


def test_twelve_bits_are_shown_as_they_are_judged(splits, tmp_path):
    from adkit import FilterBankDetector, load_dataset

    draw = np.random.default_rng(0)
    for part, count in (("good", 24), ("bad", 3)):
        (tmp_path / "set" / part).mkdir(parents=True)
        for k in range(count):
            pixels = draw.normal(2000, 300, (32, 48)).clip(0, 4095).astype(np.uint16)
            Image.fromarray(pixels).save(tmp_path / "set" / part / f"{k}.png")
    with warnings.catch_warnings(action="ignore"):
        parts = load_dataset("folder", tmp_path / "set")
        detector = FilterBankDetector(quiet=True).fit(parts.train, parts.validation)
    assert detector.preprocessing.bits == 12
    Image.fromarray(np.full((32, 48), 9000, np.uint16)).save(tmp_path / "set" / "bad" / "deeper.png")
    with warnings.catch_warnings(record=True, action="always") as caught:
        rows = detector.predict_folder(tmp_path / "set" / "bad", tmp_path / "out")
    assert len(rows) == 3
    assert ["1 file(s)" in str(warning.message) for warning in caught] == [True]
    (skipped,) = json.loads((tmp_path / "out" / "predictions.json").read_text(encoding="utf-8"))["skipped"]
    assert "values up to 9000, and 12 bits end at 4095" in skipped["reason"]
    picture = np.asarray(Image.open(tmp_path / "out" / "0.png.png"))
    assert picture.max(axis=-1)[:32].mean() > 80  # half of the range, not a sixteenth of it
