"""MVTec AD layout, and all that can be wrong with it."""

import pytest

from adkit.data import load_dataset
from tests.data_files import write_image, write_mask, write_mvtec


def test_layout(tmp_path):
    write_mvtec(tmp_path, kinds=("crack", "hole"))
    splits = load_dataset("mvtec", tmp_path)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (9, 3, 4 + 6)
    assert splits.test.kinds == ["good"] * 4 + ["crack"] * 3 + ["hole"] * 3
    assert all(splits.test.original_mask(i).sum() == 35 for i in range(4, 10))


def test_masks_named_as_the_image(tmp_path):
    write_mvtec(tmp_path, suffix="")
    assert load_dataset("mvtec", tmp_path).test[-1]["has_mask"]


def test_one_or_several_categories(tmp_path):
    for name in ("one", "two", "three"):
        write_mvtec(tmp_path, name)
    (tmp_path / "notes").mkdir()
    assert set(load_dataset("mvtec", tmp_path).train.categories) == {"one", "two", "three"}
    assert set(load_dataset("mvtec", tmp_path, category=["one", "two"]).test.categories) == {"one", "two"}
    alone = load_dataset("mvtec", tmp_path / "two")
    assert alone.train.sources == load_dataset("mvtec", tmp_path, category="two").train.sources
    with pytest.raises(ValueError, match=r"category \['four'\] is not in .*there are: one, three, two"):
        load_dataset("mvtec", tmp_path, category="four")
    with pytest.raises(ValueError, match="there are: two"):
        load_dataset("mvtec", tmp_path / "two", category="one")


def test_without_test_normals_some_are_split_off(tmp_path):
    write_mvtec(tmp_path, train=20, good=0)
    splits = load_dataset("mvtec", tmp_path)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [12, 3, 5 + 3]


def test_without_a_test_folder_there_are_only_normals(tmp_path):
    write_mvtec(tmp_path, train=20, good=0, kinds=())
    assert not load_dataset("mvtec", tmp_path).test.labels.any()


def test_kind_without_masks(tmp_path):
    folder = write_mvtec(tmp_path)
    write_image(folder / "test/scratch/000.png", seed=9)
    with pytest.warns(UserWarning, match=r"1 of 4 anomalous images have no mask file.*scratch/000\.png") as caught:
        splits = load_dataset("mvtec", tmp_path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert [splits.test[i]["has_mask"] for i in range(-4, 0)] == [True, True, True, False]


def test_mask_without_image(tmp_path):
    folder = write_mvtec(tmp_path)
    write_mask(folder / "ground_truth/crack/077_mask.png")
    write_mask(folder / "ground_truth/lost/001_mask.png")
    with pytest.warns(UserWarning, match=r"2 mask\(s\) without an image were left out: crack/077_mask.*lost/001_mask"):
        load_dataset("mvtec", tmp_path)


def test_masks_of_normals_are_not_needed(tmp_path):
    folder = write_mvtec(tmp_path)
    write_mask(folder / "ground_truth/good/000_mask.png", box=None)
    assert len(load_dataset("mvtec", tmp_path).test) == 7


def test_mask_of_another_size(tmp_path):
    folder = write_mvtec(tmp_path)
    write_mask(folder / "ground_truth/crack/001_mask.png", size=(48, 64))
    with pytest.raises(ValueError, match=r"001_mask\.png is 48 x 64 pixels.*is 24 x 32 pixels.*export the mask"):
        load_dataset("mvtec", tmp_path)


def test_empty_mask(tmp_path):
    folder = write_mvtec(tmp_path)
    write_mask(folder / "ground_truth/crack/001_mask.png", box=None)
    with pytest.warns(UserWarning, match=r"1 image\(s\) have an empty mask.*stay out of pixel metrics: crack/001\.png"):
        splits = load_dataset("mvtec", tmp_path)
    assert [splits.test[i]["has_mask"] for i in (-3, -2, -1)] == [True, False, True]
    assert splits.test.original_mask(5) is None


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere; root must be"):
        load_dataset("mvtec", tmp_path / "nowhere")
    with pytest.raises(ValueError, match="root is missing"):
        load_dataset("mvtec")
    with pytest.raises(ValueError, match=r"no category in .*expected <category>/train/good"):
        load_dataset("mvtec", tmp_path)
    (tmp_path / "tile/train/good").mkdir(parents=True)
    with pytest.raises(ValueError, match="'tile' has no normal images"):
        load_dataset("mvtec", tmp_path)


def test_truncated_image_is_named_when_it_is_read(tmp_path):
    folder = write_mvtec(tmp_path)
    victim = folder / "train/good/004.png"
    victim.write_bytes(victim.read_bytes()[:300])
    splits = load_dataset("mvtec", tmp_path)
    part = splits.train if "tile/train/good/004.png" in splits.train.sources else splits.validation
    with pytest.raises(ValueError, match=r"cannot read .*004\.png"):
        part.preload()


def test_magnetic_tile(real_data):
    splits = load_dataset("mvtec", real_data / "magnetic_tile", category="tile")
    assert len(splits.train) + len(splits.validation) == 110
    assert {kind: splits.test.kinds.count(kind) for kind in set(splits.test.kinds)} == {
        "good": 40,
        "blowhole": 40,
        "crack": 30,
    }
    assert splits.test.image_size is None
    assert splits.test.channels == 1
    assert load_dataset("mvtec", real_data / "magnetic_tile", "tile", image_size=224).test[50]["mask"].any()


def test_hazelnut_toy(real_data):
    splits = load_dataset("mvtec", real_data / "hazelnut_toy", category="hazelnut")
    assert [len(splits.train) + len(splits.validation), len(splits.test)] == [28, 23]
    assert splits.test[0]["image"].shape == (3, 512, 512)
    assert all(splits.test[i]["has_mask"] for i in range(23))
