"""Any folder of images."""

import pytest

from adkit.data import load_dataset
from tests.data_files import write_image, write_mask


def fill(folder, count, seed):
    return [write_image(folder / f"{i}.png", seed=seed + i) for i in range(count)]


def test_normals_only(tmp_path):
    fill(tmp_path, 20, 0)
    splits = load_dataset("folder", tmp_path)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [12, 3, 5]
    assert not splits.test.labels.any()
    assert set(splits.train.categories) == {tmp_path.name}


@pytest.mark.parametrize("name", ["good", "normal", "OK", "train"])
def test_kinds_beside_the_normals(tmp_path, name):
    fill(tmp_path / name, 20, 0)
    for kind in ("scratch", "dent"):
        for i, file in enumerate(fill(tmp_path / kind, 3, 100 if kind == "dent" else 200)):
            write_mask(tmp_path / "masks" / kind / f"{file.stem}{'_mask' if i else ''}.png")
    splits = load_dataset("folder", tmp_path)
    assert splits.test.kinds == ["good"] * 5 + ["dent"] * 3 + ["scratch"] * 3
    assert all(item["has_mask"] for item in splits.test)


def test_train_and_test(tmp_path):
    fill(tmp_path / "train", 10, 0)
    fill(tmp_path / "test/ok", 4, 100)
    for file in fill(tmp_path / "test/dent", 2, 200):
        write_mask(tmp_path / "ground_truth" / file.name)
    splits = load_dataset("folder", tmp_path)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [8, 2, 6]
    assert splits.test.original_mask(5).sum() == 35


def test_several_folders(tmp_path):
    for k, name in enumerate(("left", "right")):
        fill(tmp_path / name, 10, 100 * k)
    splits = load_dataset("folder", tmp_path, category=["left", "right"])
    assert set(splits.train.categories) == {"left", "right"}
    assert set(load_dataset("folder", tmp_path / "left", category="left").train.categories) == {"left"}
    with pytest.raises(ValueError, match=r"\['middle'\] is not in .*there are: left, right"):
        load_dataset("folder", tmp_path, category="middle")


def test_kind_without_masks_warns(tmp_path):
    fill(tmp_path / "good", 20, 0)
    fill(tmp_path / "dent", 3, 100)
    with pytest.warns(UserWarning, match="3 of 3 anomalous images have no mask file"):
        splits = load_dataset("folder", tmp_path)
    assert splits.test.original_mask(6) is None


def test_orphans(tmp_path):
    fill(tmp_path / "good", 20, 0)
    write_mask(tmp_path / "masks/99_mask.png")
    write_mask(tmp_path / "masks/dent/5.png")
    write_mask(tmp_path / "masks/good/5.png", box=None)
    with pytest.warns(UserWarning, match=r"2 mask\(s\) without an image.*99_mask\.png.*dent/5\.png"):
        load_dataset("folder", tmp_path)


def test_flat_mask_for_two_images(tmp_path):
    fill(tmp_path / "good", 20, 0)
    fill(tmp_path / "dent", 1, 100)
    fill(tmp_path / "hole", 1, 200)
    write_mask(tmp_path / "masks/0.png")
    with pytest.raises(ValueError, match=r"0\.png could belong to several images named 0.*masks/<kind>"):
        load_dataset("folder", tmp_path)


def test_layouts_that_say_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"no images in .*expected PNG, JPEG, BMP or TIFF"):
        load_dataset("folder", tmp_path)
    fill(tmp_path / "dent", 2, 0)
    with pytest.raises(ValueError, match="has no normal images"):
        load_dataset("folder", tmp_path)
    fill(tmp_path, 2, 10)
    with pytest.raises(ValueError, match=r"holds 2 images beside folders of images \(dent\)"):
        load_dataset("folder", tmp_path)


def test_unlabelled_test_images(tmp_path):
    fill(tmp_path / "train", 10, 0)
    fill(tmp_path / "test", 3, 20)
    with pytest.raises(ValueError, match="holds 3 images without a label; move them into test/good"):
        load_dataset("folder", tmp_path)


def test_too_few_images(tmp_path):
    fill(tmp_path, 5, 0)
    with pytest.raises(ValueError, match="too small to split"):
        load_dataset("folder", tmp_path)
