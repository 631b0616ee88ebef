"""Where the fabric is: found on real strips, and never cutting into it."""

import numpy as np
import pytest
import torch

from adkit.data import load_dataset
from adkit.data.foreground import fabric, find_foreground, foreground_of, full_foreground, resolve_foreground


def weave(height=128, width=2048, seed=0):
    """A twill-like pattern with noise."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).normal(0, 0.03, (height, width))
    return np.clip(0.45 + 0.1 * np.sin((x + 2 * y) * 0.9) + noise, 0, 1)


def start(image):
    return int(np.flatnonzero(fabric(image)[0])[0])


def test_all_is_kept_where_there_is_only_fabric():
    assert fabric(weave()).all()
    assert full_foreground(weave()).all()
    assert fabric(np.full((64, 64), 0.5)).all()  # too small to judge


def test_background_on_either_side():
    for background in (1.0, 0.0):
        strip = weave()
        strip[:, :300] = strip[:, -200:] = background
        columns = np.flatnonzero(fabric(strip)[0])
        assert 300 <= columns[0] <= 316
        assert 2048 - 216 <= columns[-1] < 2048 - 200


def test_selvedge_goes_with_the_background():
    strip = weave()
    strip[:, :300] = 0.6 + 0.02 * np.random.default_rng(1).random((128, 300))  # a machine bed, smooth
    strip[:, 300:320] = 0.2
    strip[:, 320:350] = 1.0
    assert 350 <= start(strip) <= 366


def test_a_tall_defect_is_not_cut_out():
    for left in (200, 1000, 1900):
        strip = weave()
        strip[:, left : left + 30] = 1.0
        assert fabric(strip).all()


def test_a_defect_near_the_background_stays():
    strip = weave()
    strip[:, :300] = 1.0
    strip[:, 420:450] = 0.0
    assert start(strip) <= 316


def test_real_strips(real_data):
    """Edges were checked by eye once; no defect is cut, nothing bright is left beside the edge."""
    splits = load_dataset("aitex", real_data / "aitex")
    where = {"00": (986, 1276), "02": (236, 506), "04": (526, 586)}  # a block of 16 inside the edge
    for part in (splits.train, splits.test):
        for i in range(0, len(part), 3):
            columns = np.flatnonzero(part.foreground(i)[0].numpy())
            low, high = where[part.categories[i]]
            assert low <= columns[0] <= high, part.sources[i]
            assert len(columns) == 4096 - columns[0], part.sources[i]
            assert not (part.original_mask(i)[:, : columns[0]]).any(), part.sources[i]


def test_names_and_functions():
    assert resolve_foreground("auto", automatic="fabric") is fabric
    assert resolve_foreground("auto") is full_foreground
    assert resolve_foreground(np.isnan) is np.isnan
    with pytest.raises(ValueError, match="must be one of auto, all, fabric, or a function"):
        resolve_foreground("sky")


def test_a_function_must_return_a_mask_of_the_image():
    image = np.ones((3, 4, 5), np.float32)
    assert foreground_of(image, lambda grey: grey > 0.5).all()
    with pytest.raises(ValueError, match=r"bool array of that shape, got float32 \(4, 5\)"):
        foreground_of(image, lambda grey: grey)
    with pytest.raises(ValueError, match=r"got bool \(5,\)"):
        foreground_of(image, lambda grey: grey[0] > 0)


def test_batches_of_whole_images():
    strip = weave()
    strip[:, :300] = 1.0
    found = find_foreground(torch.tensor(np.stack([strip, weave(seed=1)]))[:, None], "fabric")
    assert found.shape == (2, 128, 2048)
    assert not found[0, :, :300].any()
    assert found[1].all()
