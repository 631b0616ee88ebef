"""Tiles cover the image and go back together exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adkit.data import stitch, tile_positions
from adkit.data.resize import pad, resize_foreground, resize_mask, resize_pixels


@settings(max_examples=50, deadline=None)
@given(st.tuples(st.integers(1, 90), st.integers(1, 90)), st.tuples(st.integers(2, 40), st.integers(2, 40)), st.data())
def test_cutting_and_stitching_is_the_identity(size, tile, data):
    overlap = data.draw(st.integers(0, min(tile) - 1))
    corners = tile_positions(size, tile, overlap)
    image = np.random.default_rng(0).random((2, *size), dtype=np.float32)
    padded = torch.from_numpy(pad(image, tile, "reflect"))
    tiles = torch.stack([padded[:, y : y + tile[0], x : x + tile[1]] for y, x in corners])
    assert tiles.shape[-2:] == tile
    assert torch.equal(stitch(tiles, corners, size), torch.from_numpy(image))


def test_neighbours_share_the_overlap():
    lefts = [left for _, left in tile_positions((32, 1000), (32, 64), 16)]
    assert max(np.diff(lefts)) == 48
    assert lefts[-1] == 1000 - 64


def test_overlaps_are_averaged():
    tiles = torch.stack([torch.zeros(2, 4), torch.ones(2, 4)])
    assert stitch(tiles, [(0, 0), (0, 2)], (2, 6))[0].tolist() == [0, 0, 0.5, 0.5, 1, 1]


def test_tiles_may_be_missing_where_none_is_needed():
    needed = torch.zeros(2, 6, dtype=torch.bool)
    needed[:, :3] = True
    assert stitch(torch.ones(1, 2, 4), [(0, 0)], (2, 6), needed)[0].tolist() == [1, 1, 1, 1, 0, 0]
    needed[0, 5] = True
    with pytest.raises(ValueError, match="leave 1 of 2 x 6 pixels uncovered"):
        stitch(torch.ones(1, 2, 4), [(0, 0)], (2, 6), needed)


def test_tiling_errors():
    with pytest.raises(ValueError, match="must be positive"):
        tile_positions((10, 10), (0, 5))
    with pytest.raises(ValueError, match="overlap must be at least 0 and below"):
        tile_positions((10, 10), (5, 5), 5)
    with pytest.raises(ValueError, match="one position for each tile"):
        stitch(torch.zeros(2, 4, 4), [(0, 0)], (4, 4))
    with pytest.raises(ValueError, match="floating point"):
        stitch(torch.zeros(1, 4, 4, dtype=torch.uint8), [(0, 0)], (4, 4))
    with pytest.raises(ValueError, match="leave 16 of 4 x 8 pixels uncovered"):
        stitch(torch.zeros(1, 4, 4), [(0, 0)], (4, 8))


def test_mask_by_area_and_no_region_vanishes():
    mask = np.zeros((40, 60), bool)
    mask[:20, :30] = True  # covers a quarter
    mask[30, 50] = mask[30, 51] = True  # two pixels: under half of any pixel of the small mask
    small = resize_mask(mask, (4, 6))
    expected = np.zeros((4, 6), bool)
    expected[:2, :3] = expected[3, 5] = True
    assert np.array_equal(small, expected)
    assert np.array_equal(resize_mask(mask, (40, 60)), mask)
    assert np.array_equal(resize_mask(small, (40, 60)), np.kron(small, np.ones((10, 10), bool)))
    assert not resize_mask(np.zeros((5, 5), bool), (2, 2)).any()


def test_a_region_that_keeps_pixels_gets_no_more():
    mask = np.zeros((30, 30), bool)
    mask[5:27, 5:27] = True
    coverage = mask.reshape(3, 10, 3, 10).mean((1, 3))
    assert np.array_equal(resize_mask(mask, (3, 3)), coverage >= 0.5)


def test_foreground_shrinks_to_what_is_wholly_foreground():
    foreground = np.ones((10, 10), bool)
    foreground[:, :5] = False
    assert resize_foreground(foreground, (2, 4)).tolist() == [[False, False, True, True]] * 2
    assert np.array_equal(resize_foreground(foreground, (10, 10)), foreground)


def test_resized_pixels_average_all_they_cover():
    pixels = np.zeros((1, 64, 64), np.uint8)
    pixels[:, :, ::2] = 200  # a one-pixel pattern: without antialiasing this aliases to 0 or 200
    small = resize_pixels(pixels, (16, 16))
    assert small.dtype == np.uint8
    assert np.abs(small[:, 2:-2, 2:-2].astype(int) - 100).max() <= 1
    assert resize_pixels(pixels, (64, 64)) is pixels
    deep = resize_pixels(np.full((3, 8, 8), 1 / 65535, np.float32), (4, 4))
    assert np.allclose(deep, 1 / 65535, rtol=1e-5)
