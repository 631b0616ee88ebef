"""What the values of a mask mean."""

import numpy as np
import pytest
from PIL import Image

from adkit.data import formats, load_dataset, read_mask
from adkit.data.mask_values import marked
from adkit.data.read import read_mask_values
from tests.data_files import write_image, write_mvtec

TRUTH = np.zeros((40, 40), bool)
TRUTH[10:20, 5:15] = True


def write(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("value", [1, 2, 50, 100, 127, 128, 255])
def test_two_values_are_a_label_map(tmp_path, value):
    path = write(tmp_path / "a.png", np.where(TRUTH, value, 0).astype(np.uint8))
    assert np.array_equal(read_mask(path), TRUTH)


@pytest.mark.parametrize("value", [1, 2, 255, 4095, 32767, 65535])
def test_two_values_of_sixteen_bits(tmp_path, value):
    path = write(tmp_path / "a.png", np.where(TRUTH, value, 0).astype(np.uint16))
    assert np.array_equal(read_mask(path), TRUTH)


@pytest.mark.parametrize("values", [(60, 120, 180, 240), (1, 2, 3, 4), (1, 2, 3, 255), (64, 128, 192, 255)])
def test_several_classes_are_all_marked(values):
    mask = np.zeros((40, 40), np.uint8)
    for k, value in enumerate(values):
        mask[2:8, 10 * k + 1 : 10 * k + 7] = value
    read = marked(mask)
    assert read.mask.sum() == 4 * 36
    assert read.rule == "label map, above 0"


def test_classes_that_touch_are_a_label_map():
    mask = np.zeros((40, 40), np.uint8)
    mask[5:35, 5:35], mask[12:28, 12:28] = 1, 2
    assert marked(mask).mask.sum() == 900


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_masks_made_smaller_are_cut_at_half(factor):
    large = np.zeros((200, 200), np.uint8)
    large[33:121, 50:131] = 255
    small = np.asarray(Image.fromarray(large).resize((200 // factor,) * 2, Image.Resampling.BOX))
    read = marked(small)
    assert read.rule == "anti-aliased, above 127"
    assert np.array_equal(read.mask, small > 127)


def test_smooth_and_lossy_masks_are_cut_at_half(tmp_path):
    rows, columns = np.mgrid[:60, :60]
    smooth = (255 * np.clip(1.5 - np.hypot(rows - 30, columns - 30) / 12, 0, 1)).astype(np.uint8)
    assert np.array_equal(marked(smooth).mask, smooth > 127)
    path = write(tmp_path / "a.jpg", np.where(TRUTH, 255, 0).astype(np.uint8), quality=60)
    assert np.array_equal(read_mask(path), TRUTH)
    again = write(tmp_path / "b.png", np.asarray(Image.open(path)))
    assert np.array_equal(read_mask(again), TRUTH)
    half = (smooth // 3).astype(np.uint8)  # of a range of its own
    assert np.array_equal(marked(half).mask, half > half.max() // 2)


def test_palettes_colours_and_alpha(tmp_path):
    voc = Image.fromarray(TRUTH.astype(np.uint8))
    voc.putpalette([0, 0, 0, 64, 0, 0])
    voc.save(tmp_path / "voc.png")
    assert np.array_equal(read_mask(tmp_path / "voc.png"), TRUTH)
    red = np.zeros((40, 40, 4), np.uint8)
    red[..., 0] = 255
    red[..., 3] = np.where(TRUTH, 255, 0)
    assert np.array_equal(read_mask(write(tmp_path / "alpha.png", red)), TRUTH)
    red[..., 3] = 255
    red[..., 0] = np.where(TRUTH, 128, 0)
    assert np.array_equal(read_mask(write(tmp_path / "opaque.png", red)), TRUTH)
    red[..., 1] = 200  # everywhere, but seen only where it is not transparent
    red[..., 3] = np.where(TRUTH, 255, 0)
    assert np.array_equal(read_mask(write(tmp_path / "both.png", red)), TRUTH)


def test_black_and_white(tmp_path):
    black = read_mask_values(write(tmp_path / "black.png", np.zeros((4, 4), np.uint8)))
    assert (black.mask.any(), black.rule) == (False, "black")
    assert marked(np.full((4, 4), 255, np.uint8)).mask.all()


def test_class_numbers_keep_all_masks_of_a_set(tmp_path):
    folder = write_mvtec(tmp_path, per_kind=5)
    for k, value in enumerate((1, 2, 3, 4, 7)):
        write(folder / f"ground_truth/crack/{k:03d}_mask.png", np.where(TRUTH[:24, :32], value, 0).astype(np.uint8))
    splits = load_dataset("mvtec", tmp_path)
    assert [int(splits.test.original_mask(4 + k).sum()) for k in range(5)] == [100] * 5
    assert splits.found.mask_rules == {"label map, above 0": 5}


def test_an_inverted_mask_warns(tmp_path):
    folder = write_mvtec(tmp_path)
    write(folder / "ground_truth/crack/000_mask.png", np.where(TRUTH[:24, :32], 0, 255).astype(np.uint8))
    with pytest.warns(
        UserWarning, match=r"masks of 1 image\(s\) mark more than half of the image; .*invert.*crack/000"
    ):
        load_dataset("mvtec", tmp_path)


def test_class_numbers_in_a_jpeg_warn(tmp_path):
    folder = write_mvtec(tmp_path)
    (folder / "ground_truth/crack/000_mask.png").unlink()
    write(folder / "ground_truth/crack/000_mask.jpg", np.where(TRUTH[:24, :32], 3, 0).astype(np.uint8), quality=95)
    with pytest.warns(UserWarning, match=r"1 mask\(s\) hold class numbers in a JPEG file"):
        load_dataset("mvtec", tmp_path)


def test_a_black_mask_of_a_large_image_is_no_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "HARMLESS", 1000)
    folder = write_mvtec(tmp_path, per_kind=1)
    size = (300, 400)
    write_image(folder / "test/crack/000.png", seed=1, size=size)
    big = np.zeros(size, np.uint8)
    big[0, 0] = 255
    path = write(folder / "ground_truth/crack/000_mask.png", big)
    with pytest.raises(ValueError, match="decompression bomb"):
        read_mask(path)
    assert load_dataset("mvtec", tmp_path).test.original_mask(4).sum() == 1
