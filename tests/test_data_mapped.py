"""Sets above the memory limit: pixels in a mapped file, the same crops; and tiles without seams."""

import numpy as np
import pytest
import torch

from adkit import AutoencoderDetector, load_dataset
from adkit.data import image_cache, seam_jump, stitch, tile_positions
from adkit.data.crops import RandomCrops
from tests.data_files import write_image


def half(image):
    found = np.zeros(image.shape, bool)
    found[:, 10:] = True
    return found


@pytest.mark.parametrize("options", [{}, {"tile": 40}, {"foreground": half}, {"channels": 3}])
def test_crops_from_a_map_are_the_same(tmp_path, monkeypatch, options):
    for k in range(10):
        write_image(tmp_path / f"{k}.png", seed=k, size=(30 + k, 50 - k))
    in_memory = RandomCrops(load_dataset("folder", tmp_path, **options).train, (16, 24), 5, seed=3)
    monkeypatch.setattr(image_cache, "MEMORY_LIMIT", 100)
    mapped = RandomCrops(load_dataset("folder", tmp_path, **options).train, (16, 24), 5, seed=3)
    assert (in_memory.mapped is None, mapped.mapped is None, mapped.pixels is None) == (True, False, True)
    for step in range(4):
        one, other = in_memory.batch(step), mapped.batch(step)
        assert torch.equal(one.images, other.images)
        assert (one.foreground is None) == (other.foreground is None)
        assert one.foreground is None or torch.equal(one.foreground, other.foreground)


def test_nothing_is_decoded_before_it_is_drawn(tmp_path, monkeypatch):
    for k in range(40):
        write_image(tmp_path / f"{k}.png", seed=k)
    monkeypatch.setattr(image_cache, "MEMORY_LIMIT", 100)
    train = load_dataset("folder", tmp_path).train
    RandomCrops(train, (8, 8), 2).batch(0)
    assert sum(train._cache._filled) <= 3


def test_the_overlap_is_a_quarter_of_the_tile_unless_said():
    assert load_dataset("textile", image_size=(64, 96), tile=(32, 48)).train.overlap == 8
    assert load_dataset("textile", image_size=(64, 96), tile=(32, 48), overlap=0).train.overlap == 0
    assert load_dataset("textile", image_size=(64, 96)).train.overlap == 0
    for wrong in (-1, 32, 1.5, "8", True):
        with pytest.raises(ValueError, match="overlap must be at least 0 and below the tile's sides"):
            load_dataset("textile", image_size=(64, 96), tile=(32, 48), overlap=wrong)


def test_blended_tiles_fade_and_an_identity_stays_exact():
    image = torch.rand(2, 50, 70)
    corners = tile_positions((50, 70), (32, 32), overlap=8)
    tiles = [image[:, y : y + 32, x : x + 32] for y, x in corners]
    assert torch.equal(stitch(tiles, corners, (50, 70), blend=True), image)
    two = torch.stack([torch.zeros(1, 6), torch.ones(1, 6)])
    faded = stitch(two, [(0, 0), (0, 3)], (1, 9), blend=True)[0]
    torch.testing.assert_close(faded, torch.tensor([0, 0, 0, 1 / 4, 1 / 2, 3 / 4, 1, 1, 1]))


def test_blending_takes_the_jump_out_of_seams():
    generator = torch.Generator().manual_seed(0)
    smooth = torch.rand(1, 1, 25, 25, generator=generator)
    smooth = torch.nn.functional.interpolate(smooth, (192, 192), mode="bicubic")[0, 0]
    jumps = {}
    for overlap, blend in ((0, False), (16, False), (16, True)):
        corners = tile_positions((192, 192), (64, 64), overlap)
        levels = torch.rand(len(corners), generator=generator) * 0.5  # each tile sees the image at its own level
        tiles = [smooth[y : y + 64, x : x + 64] + level for (y, x), level in zip(corners, levels, strict=True)]
        jumps[overlap, blend] = seam_jump(stitch(tiles, corners, (192, 192), blend=blend), corners, (64, 64))
    assert jumps[0, False] > 3
    assert jumps[16, False] > 2
    assert jumps[16, True] < 1.2
    with pytest.raises(ValueError, match="no tile of"):
        seam_jump(smooth, [(0, 0)], (192, 192))


@pytest.mark.slow
def test_the_seams_of_a_detector():
    jumps = []
    for overlap in (0, None):
        splits = load_dataset("textile", category="denim", image_size=(192, 192), tile=64, overlap=overlap)
        detector = AutoencoderDetector(width=8, steps=60, crop=64, quiet=True, device="cpu", smoothing=0.0)
        detector.fit(splits.train, splits.validation)
        test, corners = splits.test, tile_positions((192, 192), (64, 64), splits.test.overlap)
        maps = detector.judge_images(test.subset([i for group in test.groups()[:6] for i in group]))[0]
        jumps.append(np.mean([seam_jump(torch.as_tensor(one), corners, (64, 64)) for one in maps]))
    print(f"jump across a seam, in usual steps: {jumps[0]:.2f} without overlap, {jumps[1]:.2f} with a quarter, blended")
    assert jumps[1] < 1.5
    assert jumps[1] < jumps[0]
