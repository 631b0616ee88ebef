"""Splits go by source, repeat, and do not leak."""

from pathlib import Path

import pytest

from adkit.data import AnomalyDataset, Splits, check_leakage, load_dataset
from adkit.data.samples import CategorySamples, FileSample
from adkit.data.splits import split_category
from tests.data_files import write_image, write_mvtec


def pool(count, test_normals=0, anomalous=0):
    def make(kind, number):
        return [FileSample(Path(f"{kind}{i}.png"), "c", f"c/{kind}{i}", kind) for i in range(number)]

    tests = [FileSample(Path(f"t{i}.png"), "c", f"c/t{i}") for i in range(test_normals)]
    return CategorySamples("c", make("good", count), tests, make("bad", anomalous))


def sources(samples):
    return {sample.source for sample in samples}


def test_shares_without_test_normals():
    train, validation, test = split_category(pool(100, anomalous=7))
    assert (len(train), len(validation), len(test)) == (60, 15, 25 + 7)
    train, validation, test = split_category(pool(20))
    assert (len(train), len(validation), len(test)) == (12, 3, 5)
    assert not sources(train) & sources(validation)
    assert not sources(train) & sources(test)


def test_shares_with_test_normals():
    train, validation, test = split_category(pool(110, test_normals=40, anomalous=70))
    assert (len(train), len(validation), len(test)) == (88, 22, 110)


def test_the_seed_alone_decides():
    forward, backward = pool(30), pool(30)
    backward.normals.reverse()
    assert [sources(part) for part in split_category(forward, 3)] == [
        sources(part) for part in split_category(backward, 3)
    ]
    assert sources(split_category(forward, 3)[0]) != sources(split_category(forward, 4)[0])


def test_samples_of_one_source_stay_together():
    strips = CategorySamples("c", [FileSample(Path(f"{i}.png"), "c", f"strip{i // 5}") for i in range(100)])
    parts = [sources(part) for part in split_category(strips)]
    assert [len(part) for part in parts] == [12, 3, 5]


@pytest.mark.parametrize("arguments, count", [((9,), 9), ((3, 5, 5), 3), ((20, 2, 1), 20)])
def test_too_few_sources(arguments, count):
    with pytest.raises(ValueError, match=rf"too small to split: it has {count} normal source.*add images"):
        split_category(pool(*arguments))


def test_the_smallest_splits():
    assert [len(part) for part in split_category(pool(10))] == [4, 2, 4]
    assert [len(part) for part in split_category(pool(4, 4))] == [2, 2, 4]


def test_one_source_in_two_parts(tmp_path):
    files = [write_image(tmp_path / f"{i}.png", seed=i) for i in range(3)]
    parts = [AnomalyDataset([FileSample(file, "c", file.stem)]) for file in files]
    check_leakage(Splits(*parts, name="fine"))
    torn = AnomalyDataset([FileSample(files[2], "c", "0")])
    with pytest.raises(ValueError, match=r"lie in more than one of train, validation and test.*: 0; split by source"):
        check_leakage(Splits(parts[0], parts[1], torn, name="torn"))


def test_the_same_file_under_two_names(tmp_path):
    folder = write_mvtec(tmp_path)
    (folder / "test/good/copy.png").write_bytes((folder / "train/good/003.png").read_bytes())
    with pytest.warns(UserWarning, match=r"1 image\(s\) lie in more than one part.*003\.png.*copy\.png") as caught:
        load_dataset("mvtec", tmp_path)
    assert caught[0].filename == __file__


def test_splits_do_not_depend_on_where_the_set_lies(tmp_path):
    write_mvtec(tmp_path / "a")
    write_mvtec(tmp_path / "b")
    first, second = load_dataset("mvtec", tmp_path / "a"), load_dataset("mvtec", tmp_path / "b")
    assert first.train.sources == second.train.sources
    assert first.fingerprint == second.fingerprint
    assert load_dataset("mvtec", tmp_path / "a", seed=1).fingerprint != first.fingerprint
    assert load_dataset("mvtec", tmp_path / "a", image_size=16).fingerprint != first.fingerprint
