"""AITEX and its traps."""

import pytest

from adkit.data import load_dataset
from adkit.data.aitex import ROLLS, read_aitex
from tests.data_files import write_aitex, write_image, write_mask


def test_layout(tmp_path):
    splits = load_dataset("aitex", write_aitex(tmp_path), category="02")
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [4, 2, 4 + 2]
    assert splits.test.kinds[-2:] == ["019", "006"]
    assert splits.name == "aitex"
    assert splits.train.foreground_name == "fabric"


@pytest.mark.parametrize("category", [2, "2", "02", ["02"], [2]])
def test_ways_to_name_a_fabric(tmp_path, category):
    assert set(load_dataset("aitex", write_aitex(tmp_path), category=category).train.categories) == {"02"}


def test_rolls_tell_the_fabric(tmp_path):
    write_aitex(tmp_path, normals=0)
    for k, roll in enumerate([*ROLLS, "9999999-new", ""]):
        write_image(tmp_path / f"NODefect_images/{roll}/0001_000_07.png", seed=k)
    pools = {pool.category: pool.normals for pool in read_aitex(tmp_path)}
    assert sorted(pools) == ["00", "01", "02", "03", "04", "05", "06", "07"]
    assert [len(pools[fabric]) for fabric in sorted(pools)] == [1] * 7 + [2]
    assert pools["00"][0].source == "NODefect_images/2311694-2040n7u/0001_000_07.png"


def test_two_masks(tmp_path):
    write_aitex(tmp_path)
    (tmp_path / "Mask_images/0001_019_02_mask.png").unlink()
    write_mask(tmp_path / "Mask_images/0001_019_02_mask1.png", box=(0, 0, 2, 2))
    write_mask(tmp_path / "Mask_images/0001_019_02_mask2.png", box=(5, 5, 7, 7))
    assert load_dataset("aitex", tmp_path).test.original_mask(4).sum() == 8


def test_missing_and_black_masks(tmp_path):
    write_aitex(tmp_path, defects=("0001_019_02", "0100_025_02", "0106_010_02"))
    (tmp_path / "Mask_images/0100_025_02_mask.png").unlink()
    write_mask(tmp_path / "Mask_images/0106_010_02_mask.png", box=None)
    with pytest.warns(UserWarning, match="empty mask|no mask file") as caught:
        splits = load_dataset("aitex", tmp_path)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 2
    assert "1 image(s) have an empty mask" in texts[0]
    assert "0106_010_02" in texts[0]
    assert "1 of 3 anomalous images have no mask file" in texts[1]
    assert "0100_025_02" in texts[1]
    assert [splits.test[i]["has_mask"] for i in (-3, -2, -1)] == [True, False, False]


def test_irregular_names(tmp_path):
    write_aitex(tmp_path, defects=("0018_00_02",))
    assert load_dataset("aitex", tmp_path).test.kinds[-1] == "000"
    write_image(tmp_path / "Defect_images/photo_of_05.png", seed=1)
    with pytest.warns(
        UserWarning, match=r"1 file\(s\) without a name such as .* left out: .*photo_of_05\.png"
    ) as caught:
        assert len(load_dataset("aitex", tmp_path).test) == 5
    assert caught[0].filename == __file__


def test_mask_of_another_fabric_is_no_orphan(tmp_path):
    write_aitex(tmp_path)
    write_mask(tmp_path / "Mask_images/0200_019_05_mask.png")
    load_dataset("aitex", tmp_path, category="02")
    write_mask(tmp_path / "Mask_images/0201_019_02_mask.png")
    with pytest.warns(UserWarning, match=r"1 mask\(s\) without an image.*0201_019_02_mask"):
        load_dataset("aitex", tmp_path, category="02")


def test_widths_differ(tmp_path):
    write_aitex(tmp_path)
    write_image(tmp_path / "NODefect_images/2306894-210033u/0042_000_02.png", seed=0, size=(24, 30))
    assert load_dataset("aitex", tmp_path, tile=16).train.image_size == (16, 16)


def test_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no Defect_images, Mask_images, NODefect_images in"):
        load_dataset("aitex", tmp_path)
    write_aitex(tmp_path)
    with pytest.raises(ValueError, match=r"category \['09'\] is not in .*there are: 02"):
        load_dataset("aitex", tmp_path, category=9)
    write_image(tmp_path / "Defect_images/0300_019_04.png", seed=3)
    with pytest.raises(ValueError, match="'04' has no normal images"):
        load_dataset("aitex", tmp_path)


def test_real_strips(real_data):
    root = real_data / "aitex"
    fabrics = {fabric: load_dataset("aitex", root, category=fabric) for fabric in ("00", "02", "04")}
    normals = [len(s.train) + len(s.validation) + int((s.test.labels == 0).sum()) for s in fabrics.values()]
    assert normals == [20, 20, 20]
    assert [int(s.test.labels.sum()) for s in fabrics.values()] == [7, 38, 10]
    assert [len(fabrics["02"].train), len(fabrics["02"].validation)] == [12, 3]
    everything = load_dataset("aitex", root)
    assert [len(everything.train), len(everything.validation), len(everything.test)] == [36, 9, 15 + 55]
    two_masks = next(i for i, path in enumerate(fabrics["04"].test.sources) if "0044_019_04" in path)
    assert fabrics["04"].test.original_mask(two_masks).sum() > 0
    assert fabrics["02"].test[0]["image"].shape == (1, 256, 4096)


def test_real_tiles(real_data):
    splits = load_dataset("aitex", real_data / "aitex", category="00", tile=256, overlap=32)
    whole = len(splits.test.groups()[0])
    trained = [len(group) for group in splits.train.groups()]
    assert whole == 19
    assert max(trained) < whole  # a quarter of these strips is background
    assert splits.train.subset(splits.train.groups()[0]).foreground(0).any()
