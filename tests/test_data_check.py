"""``check``: what lies in a folder, as a table, and what to do."""

import numpy as np
import pytest
from PIL import Image

from adkit.data import check
from tests.data_files import write_image, write_mask, write_mvtec
from tests.layout_files import fill, write_ad2, write_visa


def test_a_good_set_needs_nothing(tmp_path):
    folder = write_mvtec(tmp_path, train=24)
    report = check(tmp_path)
    assert report.ok
    assert report.layout == "MVTec AD"
    assert [(row.part, row.kind, row.images, row.masks) for row in report.rows] == [
        ("train", "good", 19, ""),
        ("validation", "good", 5, ""),
        ("test", "good", 4, ""),
        ("test", "crack", 3, "3 of 3"),
    ]
    text = str(report)
    assert "layout MVTec AD, 31 images" in text
    assert "24 x 32" in text
    assert "masks: 3 label map, above 0" in text
    assert text.endswith("nothing to do")
    assert check(folder).rows == report.rows


def test_all_that_can_be_wrong_is_named(tmp_path):
    folder = write_mvtec(tmp_path, train=24)
    Image.new("L", (32, 24), 128).save(folder / "train/good/plain.png")
    cut = folder / "train/good/003.png"
    cut.write_bytes(cut.read_bytes()[:200])
    (folder / "train/good/empty.png").write_bytes(b"")
    Image.open(folder / "test/good/000.png").save(folder / "train/good/copy.jpg", quality=98)
    (folder / "ground_truth/crack/002_mask.png").unlink()
    write_image(folder / "extra/000.png", seed=5)
    write_mask(folder / "ground_truth/crack/077_mask.png")
    (folder / "train/good/a.heic").write_bytes(b"...")
    report = check(tmp_path)
    text = "\n".join(report.problems)
    assert not report.ok
    assert "2 file(s) cannot be read" in text
    assert sorted(path.name for path in report.damaged) == ["003.png", "empty.png"]
    assert "1 image(s) have one colour" in text
    assert [path.name for path in report.plain] == ["plain.png"]
    assert "1 pair(s) of images in two parts are the same or nearly: copy.jpg = 000.png" in text
    assert "1 mask(s) without an image were left out: crack/077_mask.png" in text
    assert "1 of 3 anomalous images have no mask file" in text
    assert "lies beside train and test" in text
    assert ".heic is no format" in text
    assert {row.kind: row.masks for row in report.rows}["crack"] == "2 of 3"


def test_a_folder_that_is_no_set_is_shown(tmp_path):
    (tmp_path / "odd").mkdir()
    for k in range(3):
        (tmp_path / f"odd/{k}.heic").write_bytes(b"...")
    (tmp_path / "readme.txt").write_text("")
    report = check(tmp_path)
    assert report.layout == "none"
    assert not report.ok
    assert report.unread == {"./*.txt": 1, "odd/*.heic": 3}
    assert "odd/*.heic" in str(report)


def test_few_normals_too_small_a_set_and_no_normals(tmp_path):
    fill(tmp_path / "a", 5, 0)
    report = check(tmp_path / "a")
    assert "too small to split" in "\n".join(report.problems)
    assert "5 normal images to learn from" in "\n".join(report.problems)
    fill(tmp_path / "b/dent", 3, 50)
    assert "has no normal images" in "\n".join(check(tmp_path / "b").problems)


def test_layouts_bits_and_withheld_labels(tmp_path):
    assert check(write_visa(tmp_path / "visa")).layout == "VisA (split_csv)"
    rows = check(write_ad2(tmp_path / "ad2")).rows
    assert [row.images for row in rows if row.part == "unlabelled"] == [4]
    (tmp_path / "deep").mkdir()
    for k in range(12):
        pixels = np.random.default_rng(k).integers(0, 4096, (24, 32), dtype=np.uint16)
        Image.fromarray(pixels).save(tmp_path / f"deep/{k}.png")
    report = check(tmp_path / "deep")
    assert report.rows[0].bits == "12 of 16"
    assert "16-bit files use 12 bits" in str(report)


def test_no_more_is_decoded_than_asked_for(tmp_path):
    write_mvtec(tmp_path, train=24)
    report = check(tmp_path, decode=5)
    assert report.notes == ["5 of 31 images were decoded: check(decode=...)"]
    assert check(tmp_path, decode=0).rows


def test_what_check_does_not_know(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*gone; pass the one that your images lie in"):
        check(tmp_path / "gone")
    with pytest.raises(ValueError, match=r"unknown layout 'textile'; known: mvtec"):
        check(tmp_path, "textile")
