"""Published layouts, each on self-made files: read by name and recognised, with all masks, and nothing left unread."""

import pytest

from adkit.data import load_dataset
from adkit.data.layouts.recognise import LAYOUTS
from adkit.data.load import READERS
from tests import layout_files as files
from tests.data_files import write_aitex, write_image, write_mvtec

# name: how to write it, the layout's own name, (train, validation, test), (defective, with a mask)
SETS = {
    "ad2": ("mvtec", files.write_ad2, "MVTec AD 2", (12, 3, 7), (3, 3)),
    "loco": ("mvtec", files.write_loco, "MVTec LOCO", (12, 3, 8), (4, 4)),
    "visa": ("visa", files.write_visa, "VisA (split_csv)", (9, 3, 7), (3, 3)),
    "btad": ("btad", files.write_btad, "BTAD", (27, 9, 18), (6, 6)),
    "ksdd": ("ksdd", files.write_ksdd, "KolektorSDD", (11, 4, 9), (3, 3)),
    "ksdd2": ("ksdd2", files.write_ksdd2, "KolektorSDD2", (9, 3, 8), (2, 2)),
    "dagm": ("dagm", files.write_dagm, "DAGM 2007", (18, 6, 16), (4, 4)),
    "mpdd": ("mpdd", files.write_mpdd, "MPDD", (18, 6, 12), (4, 4)),
    "magnetic_tile": ("magnetic_tile", files.write_magnetic_tile, "magnetic tile", (12, 3, 10), (5, 5)),
    "manifest": ("manifest", files.write_manifest, "manifest", (8, 4, 11), (3, 3)),
}
LEFT_OUT = "ignore:.*defective, in a part that is for normal images only"


def counts(splits):
    return tuple(len(part) for part in (splits.train, splits.validation, splits.test))


@pytest.mark.filterwarnings(LEFT_OUT)
@pytest.mark.parametrize("key", SETS)
def test_a_set_is_read_by_name_and_recognised(tmp_path, key):
    name, write, layout, sizes, (defective, masked) = SETS[key]
    root = write(tmp_path / "set")
    named, found = load_dataset(name, root), load_dataset("folder", root)
    for splits in (named, found):
        assert splits.found.layout == layout
        if key != "ksdd":  # shares of 21 normals
            assert counts(splits) == sizes
        anomalous = [splits.test[i] for i in range(len(splits.test)) if splits.test.labels[i]]
        assert (len(anomalous), sum(item["has_mask"] for item in anomalous)) == (defective, masked)
        assert all(item["mask"].any() for item in anomalous)
        everything = {path for part in (splits.train, splits.validation, splits.test) for path in part.paths}
        assert not any("mask" in path or "_GT" in path or "label" in path.lower() for path in everything)
    assert found.train.fingerprint == named.train.fingerprint
    assert layout in repr(found)


def test_every_reader_has_a_layout_that_is_recognised():
    modules = {function.partition(":")[0] for name, function in READERS.items() if name != "folder"}
    assert modules == set(LAYOUTS)


def test_older_layouts_are_recognised_too(tmp_path):
    write_mvtec(tmp_path / "mvtec", "nut")
    assert load_dataset("folder", tmp_path / "mvtec").found.layout == "MVTec AD"
    assert load_dataset("folder", write_aitex(tmp_path / "aitex")).found.layout == "AITEX"


def test_withheld_labels_are_none_and_never_normal(tmp_path):
    splits = load_dataset("mvtec", files.write_ad2(tmp_path))
    assert len(splits.unlabelled) == 4
    assert list(splits.unlabelled.labels) == [None] * 4
    assert splits.unlabelled[0]["label"] is None
    assert splits.unlabelled.original_mask(0) is None
    assert not any("private" in path for part in (splits.train, splits.test) for path in part.paths)
    assert "unlabelled:" in repr(splits)


def test_several_masks_of_one_image_are_united(tmp_path):
    splits = load_dataset("mvtec", files.write_loco(tmp_path))
    assert splits.test.kinds[4:] == ["logical_anomalies"] * 2 + ["structural_anomalies"] * 2
    assert splits.test.original_mask(4).sum() == 8
    assert splits.found.mask_rules == {"label map, above 0": 8}


def test_visa_names_kinds_and_reads_masks_that_look_black(tmp_path):
    splits = load_dataset("visa", files.write_visa(tmp_path), category="candle")
    assert splits.test.kinds == ["good"] * 4 + ["melt"] + ["melt,dent"] * 2
    assert [int(splits.test.original_mask(i).sum()) for i in (4, 5, 6)] == [35] * 3
    folders = files.write_visa(tmp_path / "more", split=False)
    for root in (folders, folders / "candle", folders / "candle/Data", folders / "candle/Data/Images"):
        assert counts(load_dataset("folder", root)) == (9, 3, 7)
        assert load_dataset("folder", root).found.layout == "VisA (folders)"


@pytest.mark.parametrize("category", ["01", 1, [1], ["01"]])
def test_a_number_stands_for_a_name_of_digits(tmp_path, category):
    assert set(load_dataset("btad", files.write_btad(tmp_path), category=category).train.categories) == {"01"}
    assert set(load_dataset("folder", tmp_path, category=category).train.categories) == {"01"}
    with pytest.raises(ValueError, match=r"category \['7'\] is not in .*there are: 01, 02, 03"):
        load_dataset("btad", tmp_path, category=7)


@pytest.mark.filterwarnings(LEFT_OUT)
def test_dagm_class_by_number(tmp_path):
    assert set(load_dataset("dagm", files.write_dagm(tmp_path), category=2).test.categories) == {"Class2"}


@pytest.mark.parametrize("write", [files.write_ksdd2, files.write_dagm])
def test_defects_of_the_training_part_are_left_out_and_named(tmp_path, write):
    write(tmp_path)
    with pytest.warns(UserWarning, match=r"defective, in a part that is for normal images only") as caught:
        splits = load_dataset("folder", tmp_path)
    assert caught[0].filename == __file__
    left = [path for path, why in splits.found.unused.items() if "defective, in a part" in why]
    assert left
    assert not {str(path) for path in left} & {path for part in (splits.train, splits.test) for path in part.paths}


def test_tiles_of_one_number_stay_together(tmp_path):
    files.write_magnetic_tile(tmp_path)
    write_image(tmp_path / "MT_Free/Imgs/exp3_num_4000.jpg", seed=77)
    sources = load_dataset("magnetic_tile", tmp_path)
    parts = [sources.train.sources, sources.validation.sources, sources.test.sources]
    assert sum(any(source.endswith("/num_4000") for source in part) for part in parts) == 1


@pytest.mark.parametrize("name", sorted(set(READERS) - {"folder", "manifest"}))
def test_another_layout_is_refused_with_what_was_expected(tmp_path, name):
    write_image(tmp_path / "notes/a.png", seed=1)
    with pytest.raises((ValueError, FileNotFoundError), match=r"expected|not laid out"):
        load_dataset(name, tmp_path)


# -- the manifest ---------------------------------------------------------------------------------------------------


class Frame:
    """What is asked of a DataFrame."""

    def __init__(self, rows):
        self.rows = rows

    def to_dict(self, how):
        assert how == "records"
        return self.rows


def test_a_manifest_says_parts_sources_and_masks(tmp_path):
    splits = load_dataset("manifest", files.write_manifest(tmp_path) / "manifest.csv")
    assert sorted(set(splits.validation.sources)) == ["part 0", "part 1"]
    assert splits.test.kinds[-3:] == ["scratch"] * 3
    assert len(splits.unlabelled) == 1
    assert splits.unlabelled[0]["label"] is None


def test_a_table_in_memory_is_a_manifest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"path": str(file), "label": 0.0, "mask": float("nan")} for file in files.fill(tmp_path / "a", 12, 0)]
    rows += [{"path": f"b/{file.name}", "label": 1.0} for file in files.fill(tmp_path / "b", 2, 50)]
    for table in (Frame(rows), rows):
        with pytest.warns(UserWarning, match="2 of 2 anomalous images have no mask file"):
            splits = load_dataset("manifest", table)
        assert splits.test.kinds[-2:] == ["defect"] * 2


@pytest.mark.parametrize(
    "lines, message",
    [
        (["file,label", "a.png,0"], r"needs a column 'path'.*got file, label"),
        (["path,label", "gone.png,0"], r"row 1 of the manifest names .*gone\.png, which is missing"),
        (["path,split", "a.png,holdout"], r"row 1 of the manifest has split 'holdout'; expected train, validation"),
        (["path,label", "a.png,0", "a.png,1"], r"names a\.png twice"),
        (["path,label", "a.png,0,1,2"], r"line 2 of .* has more values than there are columns"),
        (["path"], "got no rows"),
    ],
)
def test_a_manifest_that_cannot_be_right(tmp_path, lines, message):
    write_image(tmp_path / "a.png", seed=0)
    (tmp_path / "list.csv").write_text("\n".join(lines))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_dataset("manifest", tmp_path / "list.csv")


def test_what_is_no_manifest(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no manifest .*manifest\.csv; root must be a CSV file"):
        load_dataset("manifest", tmp_path)
    with pytest.raises(ValueError, match="a CSV file, a DataFrame or a list of dicts for a manifest, got int"):
        load_dataset("manifest", 3)
    (tmp_path / "manifest.csv").write_bytes(b"path\n\xff\xfe")
    with pytest.raises(ValueError, match="is no table in UTF-8"):
        load_dataset("manifest", tmp_path)


def test_unknown_columns_are_named(tmp_path):
    rows = [f"{file.name},3" for file in files.fill(tmp_path, 12, 0)]
    (tmp_path / "manifest.csv").write_text("\n".join(["path,camera", *rows]))
    with pytest.warns(UserWarning, match="the columns camera of the manifest are not used; known: path, label"):
        load_dataset("folder", tmp_path)
