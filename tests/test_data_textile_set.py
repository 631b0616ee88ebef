"""The textile through load_dataset, and the checks of load_dataset's own arguments."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from adkit.data import load_dataset
from adkit.data.textile import DEFECT_TYPES, FABRICS
from adkit.data.textile import samples as textile_set


@pytest.fixture(scope="module")
def splits():
    return load_dataset("textile", image_size=(48, 64))


def test_parts(splits):
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [80, 40, 100]
    assert splits.test.labels.tolist() == [0] * 50 + [1] * 50
    assert {kind: splits.test.kinds.count(kind) for kind in DEFECT_TYPES} == dict.fromkeys(DEFECT_TYPES, 10)
    assert set(splits.train.categories) == set(FABRICS)
    assert len({*splits.train.sources, *splits.validation.sources, *splits.test.sources}) == 220


def test_frames_are_woven_at_the_size(splits):
    assert load_dataset("textile").train.image_size == (176, 976)
    sample = splits.test.samples[60]
    image, mask = sample.record.weave((48, 64))
    item = splits.test[60]
    assert np.array_equal(splits.test.pixels(60)[0].numpy(), image)
    assert np.array_equal(item["mask"].numpy(), mask)
    assert np.array_equal(splits.test.original_mask(60), mask)
    fabric, seed, index = item["path"].split("/")[1:]
    assert (fabric, int(seed), int(index)) == (sample.record.fabric, sample.record.seed, sample.record.index)


def test_batches_and_channels():
    splits = load_dataset("textile", category="denim", image_size=(48, 64), channels=3)
    batch = next(iter(DataLoader(splits.test, batch_size=4)))
    assert batch["image"].shape == (4, 3, 48, 64)
    assert torch.equal(batch["image"][:, 0], batch["image"][:, 1])
    assert set(splits.test.categories) == {"denim"}


def test_a_frame_is_woven_once_for_equal_arguments(splits):
    splits.train.pixels(0)
    before = textile_set._woven.cache_info().misses
    load_dataset("textile", image_size=(48, 64)).train.pixels(0)
    assert textile_set._woven.cache_info().misses == before


def test_the_cached_mask_cannot_be_spoiled(splits):
    splits.test.original_mask(60)[:] = True
    assert not splits.test.original_mask(60).all()


def test_seeds_and_fingerprints(splits):
    other = load_dataset("textile", image_size=(48, 64), seed=1)
    assert other.fingerprint != splits.fingerprint
    assert load_dataset("textile", image_size=(48, 64)).fingerprint == splits.fingerprint
    assert not torch.equal(other.train.pixels(0), splits.train.pixels(0))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="unknown dataset 'fabric'; known: textile, plots, mvtec, aitex, folder"):
        load_dataset("fabric")
    with pytest.raises(ValueError, match="channels must be 1, 3 or None"):
        load_dataset("textile", channels=4)
    with pytest.raises(ValueError, match="leave root out"):
        load_dataset("textile", root=".")
    for size in (0, -4, (1, 2, 3), "large", True, 2.5):
        with pytest.raises(ValueError, match="image_size must be a positive number or a pair"):
            load_dataset("textile", image_size=size)
    for overlap, tile in ((4, None), (16, 16), (-1, 16)):
        with pytest.raises(ValueError, match="overlap must be at least 0 and below the tile's sides"):
            load_dataset("textile", tile=tile, overlap=overlap)
    with pytest.raises(ValueError, match="foreground must be one of"):
        load_dataset("textile", foreground="sky")


def test_sizes_as_papermill_gives_them():
    assert load_dataset("textile", image_size=[48, 64]).train.image_size == (48, 64)
    assert load_dataset("textile", image_size=np.int64(48)).train.image_size == (48, 48)
