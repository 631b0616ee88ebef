"""More names that people give to folders; and what is said where a name is not understood."""

import re
import warnings

import pytest

from adkit.data import load_dataset, read_image
from tests.data_files import write_mask
from tests.layout_files import fill


def load(root, **options):
    """A folder, and the number of images of each kind in its test part."""
    with warnings.catch_warnings(action="ignore"):
        splits = load_dataset("folder", root, **options)
    return splits, {kind: splits.test.kinds.count(kind) for kind in dict.fromkeys(splits.test.kinds)}


@pytest.mark.parametrize(
    "normal, defect",
    [("good_images", "bad_images"), ("Good Parts", "Bad Parts"), ("pass", "fail"), ("OK-Photos", "NOK-Photos"),
     ("Gut", "Schlecht"), ("accepted", "rejected"), ("normal_data", "anomaly_data")],
)  # fmt: skip
def test_names_of_normals_and_defects(tmp_path, normal, defect):
    fill(tmp_path / normal, 20, 0)
    fill(tmp_path / defect / "dent", 3, 100)
    fill(tmp_path / defect / "hole", 2, 200)
    assert load(tmp_path)[1] == {"good": 5, "dent": 3, "hole": 2}


@pytest.mark.parametrize(
    "train, test", [("train_images", "test_images"), ("TrainData", "eval"), ("train", "Evaluation")]
)
def test_names_of_parts(tmp_path, train, test):
    fill(tmp_path / train / "good", 10, 0)
    fill(tmp_path / "validate" / "good", 4, 50)
    fill(tmp_path / test / "good", 4, 100)
    fill(tmp_path / test / "dent", 3, 200)
    splits, kinds = load(tmp_path)
    assert (len(splits.train), len(splits.validation), kinds) == (10, 4, {"good": 4, "dent": 3})


@pytest.mark.parametrize("name", ["{}_mask", "{}_masks", "{}-gt", "mask_{}", "{} labels", "{}_ground_truth", "{}_seg"])
@pytest.mark.parametrize("parts", [False, True])
def test_a_folder_called_as_the_masks_of_another_holds_its_masks(tmp_path, name, parts):
    """Of a kind, such as hole_mask, or of a part, such as test_masks."""
    fill(tmp_path / "train/good", 20, 0)
    for kind in ("hole", "dent"):
        for file in fill(tmp_path / "test" / kind, 3, 100 if kind == "hole" else 200):
            folder = tmp_path / name.format("test") / kind if parts else tmp_path / "test" / name.format(kind)
            write_mask(folder / file.name)
    splits, kinds = load(tmp_path)
    assert kinds == {"good": 5, "hole": 3, "dent": 3}
    assert all(item["has_mask"] for item in splits.test)


def test_a_kind_that_is_called_so_stays_one_if_the_user_says_so(tmp_path):
    fill(tmp_path / "good", 20, 0)
    fill(tmp_path / "paint", 3, 100)
    fill(tmp_path / "paint_seg", 3, 200)
    assert load(tmp_path, defects=["paint", "paint_seg"])[1] == {"good": 5, "paint": 3, "paint_seg": 3}
    assert load(tmp_path)[1] == {"good": 5, "paint": 3}


def test_images_and_masks_side_by_side_each_with_all_parts(tmp_path):
    fill(tmp_path / "images/train/good", 20, 0)
    fill(tmp_path / "images/test/good", 4, 100)
    for file in fill(tmp_path / "images/test/hole", 3, 200):
        write_mask(tmp_path / "masks/test/hole" / file.name)
    splits, kinds = load(tmp_path)
    assert (set(splits.test.categories), kinds) == ({tmp_path.name}, {"good": 4, "hole": 3})
    assert all(item["has_mask"] for item in splits.test)


@pytest.mark.parametrize(
    "folders, message",
    [
        ({"reference": 20, "scratched": 5}, r"\(reference: 20, scratched: 5\).*say which is normal, as in normal='ref"),
        ({"0": 20, "1": 5}, r"no name such as good, normal or ok; say which is normal, as in normal='0'"),
        ({"bad": 20}, r"\(bad: 20\) have no name such as good, normal or ok$"),
        ({"a/b/good": 20, "a/b/bad": 4}, r"some seem to lie in .*good: pass root='.*b'"),
        ({"test/good": 20, "test/bad": 4}, r"some seem to lie in .*good: pass root='.*test'"),
    ],
)
def test_where_no_name_is_understood_the_names_are_told(tmp_path, folders, message):
    for k, (folder, count) in enumerate(folders.items()):
        fill(tmp_path / folder, count, 100 * k)
    with pytest.raises(ValueError, match=f"has no normal images to train on.*{message}"):
        load(tmp_path)


def test_normals_in_a_format_that_is_not_read_are_told(tmp_path):
    fill(tmp_path / "hole", 3, 0)
    (tmp_path / "good").mkdir()
    for k in range(4):
        (tmp_path / "good" / f"{k}.jp2").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"no file in .*good has a suffix that is read \(.png.*\), but 4 .jp2"):
        load(tmp_path)


@pytest.mark.parametrize(
    "content, message", [(b"", "it is empty"), (b"<html>404</html>", "it begins with b'<html>404</h', as none"),
                         (b"version https://git-lfs.github.com", "it begins with b'version http'")],
)  # fmt: skip
def test_what_is_no_image_says_what_it_is(tmp_path, content, message):
    (tmp_path / "a.png").write_bytes(content)
    for source in (tmp_path / "a.png", content):
        with pytest.raises(ValueError, match=re.escape(message)):
            read_image(source)


def test_a_link_to_nowhere_is_told_as_one(tmp_path):
    fill(tmp_path / "good", 20, 0)
    (tmp_path / "good" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.warns(UserWarning, match=r"1 file\(s\) are not used: it is a link to a file that is gone: good/gone"):
        load_dataset("folder", tmp_path)


def test_a_name_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    fill(tmp_path / "referenz", 20, 0)
    with pytest.raises(ValueError, match=r"\(referenz: 20\)"):
        load(tmp_path, normal="reference")
