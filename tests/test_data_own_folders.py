"""Folders as people have them: names, depths, parts and masks of every kind are read rightly, or named."""

import pytest

from adkit.data import load_dataset
from tests.data_files import write_image, write_mask
from tests.layout_files import fill, write_label


def kinds(splits):
    return {kind: splits.test.kinds.count(kind) for kind in dict.fromkeys(splits.test.kinds)}


@pytest.mark.parametrize(
    "train, test", [("Train", "Test"), ("TRAIN", "TEST"), ("training", "testing"), ("Train_Set", "Test-Set")]
)
def test_parts_in_capitals_and_other_names(tmp_path, train, test):
    fill(tmp_path / train, 10, 0)
    fill(tmp_path / test / "Good", 4, 100)
    for file in fill(tmp_path / test / "Scratch", 2, 200):
        write_mask(tmp_path / "Ground_Truth/Scratch" / file.name)
    splits = load_dataset("folder", tmp_path)
    assert (len(splits.train), len(splits.validation), kinds(splits)) == (8, 2, {"good": 4, "Scratch": 2})
    assert splits.test[5]["has_mask"]


def test_kinds_and_normals_one_level_deeper(tmp_path):
    fill(tmp_path / "good", 12, 0)
    fill(tmp_path / "good/tuesday", 8, 50)
    fill(tmp_path / "bad/scratch", 4, 100)
    fill(tmp_path / "bad/dent", 3, 200)
    fill(tmp_path / "hole/line2", 2, 300)
    for kind, count in (("scratch", 4), ("dent", 3)):
        for i in range(count):
            write_mask(tmp_path / f"masks/bad/{kind}/{i:03d}.png")
    for i in range(2):
        write_mask(tmp_path / f"hole/masks/line2/{i:03d}.png")
    splits = load_dataset("folder", tmp_path)
    assert len(splits.train) + len(splits.validation) + 5 == 20
    assert kinds(splits) == {"good": 5, "dent": 3, "scratch": 4, "hole": 2}
    assert all(item["has_mask"] for item in splits.test)


@pytest.mark.parametrize("name", ["val", "validation", "Valid"])
@pytest.mark.parametrize("below", ["", "good"])
def test_a_validation_folder_validates(tmp_path, name, below):
    fill(tmp_path / "train/good", 12, 0)
    fill(tmp_path / name / below, 6, 100)
    splits = load_dataset("folder", tmp_path)
    assert {"val" in path.lower() for path in splits.validation.paths} == {True}
    assert (len(splits.validation), kinds(splits)) == (6, {"good": 4})


def test_defects_in_parts_for_normals_are_left_out_and_named(tmp_path):
    fill(tmp_path / "train", 12, 0)
    fill(tmp_path / "train/scratch", 2, 50)
    fill(tmp_path / "val/good", 3, 100)
    fill(tmp_path / "val/scratch", 1, 150)
    fill(tmp_path / "test/good", 4, 200)
    with pytest.warns(UserWarning, match=r"3 file\(s\) are not used: defective, in a part that is for normal images"):
        splits = load_dataset("folder", tmp_path)
    assert (len(splits.train), len(splits.validation)) == (12, 3)


def test_folders_of_normals_that_do_not_say_so_are_taken_with_a_warning(tmp_path):
    fill(tmp_path / "train/camera1", 6, 0)
    fill(tmp_path / "train/camera2", 6, 50)
    fill(tmp_path / "train/dent", 2, 90)
    fill(tmp_path / "test/good", 4, 200)
    fill(tmp_path / "test/dent", 2, 250)
    with pytest.warns(UserWarning, match=r"camera1, camera2 in .* taken as normal|defective, in a part|no mask file"):
        splits = load_dataset("folder", tmp_path)
    assert len(splits.train) + len(splits.validation) == 12


def test_names_that_the_user_gives(tmp_path):
    fill(tmp_path / "iO_2024", 20, 0)
    fill(tmp_path / "Kratzer", 3, 100)
    fill(tmp_path / "unsortiert", 3, 200)
    with pytest.raises(ValueError, match="has no normal images"):
        load_dataset("folder", tmp_path)
    with pytest.warns(UserWarning, match=r"none of those named in normal= and defects=|no mask file"):
        splits = load_dataset("folder", tmp_path, normal="iO_2024", defects=["Kratzer"])
    assert kinds(splits) == {"good": 5, "Kratzer": 3}
    with pytest.raises(ValueError, match="cannot be normal and a defect at once"):
        load_dataset("folder", tmp_path, normal="a", defects=["A"])
    with pytest.raises(ValueError, match="normal must be the name of a folder or a list of names, got 3"):
        load_dataset("folder", tmp_path, normal=3)
    with pytest.raises(ValueError, match="'mvtec' has names of its own"):
        load_dataset("mvtec", tmp_path, normal="a")
    with pytest.raises(ValueError, match="leave normal, defects, bits and damaged out"):
        load_dataset("textile", bits=12)


def test_categories_side_by_side_without_being_named(tmp_path):
    for k, name in enumerate(("nut", "bolt")):
        fill(tmp_path / name / "good", 10, 100 * k)
    assert set(load_dataset("folder", tmp_path).train.categories) == {"nut", "bolt"}


def test_what_lies_beside_categories_is_named(tmp_path):
    for k, name in enumerate(("nut", "bolt")):
        fill(tmp_path / name / "train/good", 10, 100 * k)
        fill(tmp_path / name / "test/good", 4, 100 * k + 50)
    fill(tmp_path / "pictures", 3, 900)
    with pytest.warns(
        UserWarning, match=r"3 file\(s\) are not used: it lies in no folder that the layout has: pictures"
    ):
        splits = load_dataset("folder", tmp_path)
    assert splits.found.layout == "MVTec AD"
    fill(tmp_path / "good", 20, 500)
    with pytest.warns(UserWarning, match=r"no mask file|a part of a set, in a folder of defects"):
        assert load_dataset("folder", tmp_path).found.layout == "folder"


# -- what is not read is named ----------------------------------------------------------------------------------------


def test_files_that_are_not_read_are_named(tmp_path):
    fill(tmp_path / "good", 18, 0)
    fill(tmp_path / "good", 4, 900, ".webp", first=50)
    (tmp_path / "good/x.heic").write_bytes(b"...")
    (tmp_path / "good/y.npy").write_bytes(b"...")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".hidden").mkdir()
    write_image(tmp_path / ".hidden/a.png", seed=1)
    with pytest.warns(UserWarning, match=r"1 file\(s\) are not used: \.(heic|npy) is no format") as caught:
        splits = load_dataset("folder", tmp_path)
    assert len(caught) == 2
    assert caught[0].filename == __file__
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 22
    assert sorted(path.name for path in splits.found.unused) == ["x.heic", "y.npy"]
    assert splits.found.documents == {".txt": 1}
    assert "x.heic" in str(splits.found)


def test_folders_beside_train_and_test_are_named(tmp_path):
    fill(tmp_path / "train", 10, 0)
    fill(tmp_path / "test/good", 4, 100)
    fill(tmp_path / "archive", 3, 200)
    with pytest.warns(UserWarning, match=r"3 file\(s\) are not used: it lies beside train and test.*archive/000\.png"):
        load_dataset("folder", tmp_path)


def test_later_pages_are_named(tmp_path):
    from PIL import Image

    fill(tmp_path, 11, 0)
    pages = [Image.effect_noise((32, 24), 20 + k) for k in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.warns(UserWarning, match=r"1 file\(s\) hold several pages, of which the first is read: .*stack\.tif"):
        load_dataset("folder", tmp_path)


def test_a_damaged_later_page_does_not_cost_the_first(tmp_path):
    from PIL import Image

    from adkit.data.read import read_header, read_pixels

    Image.effect_noise((32, 24), 30).save(tmp_path / "a.tif")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    directory = int.from_bytes(data[4:8], "little")
    end = directory + 2 + 12 * int.from_bytes(data[directory : directory + 2], "little")
    data[end : end + 4] = (3).to_bytes(4, "little")  # where the next page is said to be
    (tmp_path / "a.tif").write_bytes(data)
    assert read_header(tmp_path / "a.tif").size == read_pixels(tmp_path / "a.tif").shape[1:]


def test_a_loop_of_links_ends(tmp_path):
    fill(tmp_path / "good", 12, 0)
    (tmp_path / "good/again").symlink_to(tmp_path / "good", target_is_directory=True)
    splits = load_dataset("folder", tmp_path)
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 12


# -- masks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "folder", ["masks", "mask", "gt", "groundtruth", "ground_truth", "Ground Truth", "labels", "annotations", "Masks"]
)
@pytest.mark.parametrize("nested", [True, False])
def test_a_mask_folder_is_never_a_kind(tmp_path, folder, nested):
    fill(tmp_path / "good", 20, 0)
    for file in fill(tmp_path / "scratch", 4, 100):
        write_mask(tmp_path / folder / ("scratch" if nested else "") / file.name)
    splits = load_dataset("folder", tmp_path)
    assert kinds(splits) == {"good": 5, "scratch": 4}
    assert all(item["has_mask"] for item in splits.test)


@pytest.mark.parametrize(
    "name",
    [
        "{}_mask.png", "{}_gt.png", "{}_GT.png", "{}_label.bmp", "{}-mask.png", "{}.mask.png", "{}_seg.png",
        "{}_Mask.png", "{}_m.png", "{}.png.png", "{}.png-mask.tif", "mask_{}.png", "{}_mask2.png",
        "{}_groundtruth.png", "{}.tif",
    ],
)  # fmt: skip
@pytest.mark.parametrize("beside", [True, False])
def test_names_of_masks(tmp_path, name, beside):
    if beside and name in ("{}.png.png", "{}.tif"):
        pytest.skip("said by no word: see the twins below")
    fill(tmp_path / "good", 20, 0)
    for file in fill(tmp_path / "scratch", 4, 100):
        write_mask((tmp_path / "scratch" if beside else tmp_path / "masks") / name.format(file.stem))
    splits = load_dataset("folder", tmp_path)
    assert kinds(splits) == {"good": 5, "scratch": 4}
    assert all(item["has_mask"] for item in splits.test)


def test_twins_of_another_format_are_masks_where_they_look_like_it(tmp_path):
    fill(tmp_path / "good", 20, 0, ".jpg")
    for file in fill(tmp_path / "scratch", 3, 100, ".jpg"):
        write_mask(file.with_suffix(".png"))
    fill(tmp_path / "dent", 2, 200, ".jpg")
    fill(tmp_path / "dent", 2, 300, ".png")
    with pytest.warns(UserWarning, match="4 of 7 anomalous images have no mask file"):
        splits = load_dataset("folder", tmp_path)
    assert kinds(splits) == {"good": 5, "dent": 4, "scratch": 3}


def test_images_that_are_called_mask_keep_their_masks(tmp_path):
    fill(tmp_path / "good", 20, 0)
    for k in range(3):
        write_image(tmp_path / f"scratch/part_mask{k}.png", seed=100 + k)
        write_mask(tmp_path / f"masks/scratch/part_mask{k}.png")
    assert all(item["has_mask"] for item in load_dataset("folder", tmp_path).test)


def test_flat_images_are_told_apart_by_their_masks(tmp_path):
    for k, file in enumerate(fill(tmp_path / "images", 16, 0)):
        write_label(tmp_path / "masks" / file.name, value=255 if k < 3 else 0)
    with pytest.warns(UserWarning, match=r"mark something in 3 image\(s\) among the normal ones: 3 count as defective"):
        splits = load_dataset("folder", tmp_path)
    assert kinds(splits) == {"good": 4, "defect": 3}
    assert all(item["has_mask"] for item in splits.test)


def test_labels_beside_training_images_are_no_images(tmp_path):
    for k, file in enumerate(fill(tmp_path / "train", 14, 0)):
        write_label(file.with_name(f"{file.stem}_label.png"), value=255 if k == 0 else 0)
    fill(tmp_path / "test/good", 4, 100)
    with pytest.warns(UserWarning, match="1 are left out of training and validation|defective, in a part"):
        splits = load_dataset("folder", tmp_path)
    assert len(splits.train) + len(splits.validation) == 13


def test_masks_by_part(tmp_path):
    for part, seed in (("train", 0), ("test", 100)):
        for k, file in enumerate(fill(tmp_path / part / "images", 12, seed)):
            write_label(tmp_path / part / "labels" / file.name, value=255 if part == "test" and k < 2 else 0)
    with pytest.warns(UserWarning, match=r"mark something in 2 image\(s\)"):
        splits = load_dataset("folder", tmp_path)
    assert kinds(splits) == {"good": 10, "defect": 2}
