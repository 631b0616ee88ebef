"""The image as its own reference: maps relative to surroundings, scores of a peak, a border that does not score."""

import numpy as np
import pytest
import torch

from adkit import FilterBankDetector, load_dataset
from adkit.detectors.border import inner, interior, interiors
from adkit.scoring import image_score, relative_to_surroundings
from adkit.scoring.own_reference import own_level

EVERYWHERE = torch.ones(1, 96, 128, dtype=torch.bool)


def bump(height: float = 5.0, base: float = 1.0) -> torch.Tensor:
    maps = torch.full((1, 96, 128), base)
    maps[0, 40:46, 60:66] = height
    return maps


def test_a_level_that_is_higher_everywhere_changes_nothing():
    ours, brighter = (relative_to_surroundings(k * bump(), EVERYWHERE, 16.0) for k in (1.0, 40.0))
    torch.testing.assert_close(ours, brighter)


def test_a_slope_of_the_level_is_taken_away_and_the_bump_stays():
    slope = torch.linspace(1, 5, 128).expand(1, 96, 128)
    maps = slope * bump(3.0)
    relative = relative_to_surroundings(maps, EVERYWHERE, 16.0)
    assert maps.argmax() // 128 != 43  # the bright end wins without it
    assert 40 <= relative.argmax() // 128 < 46


def test_background_neither_scores_nor_sets_a_level():
    inside = EVERYWHERE.clone()
    inside[:, :, 64:] = False
    maps = torch.where(inside, 2.0, 0.0)
    relative = relative_to_surroundings(maps, inside, 16.0)
    assert not relative[~inside].any()
    assert relative[inside].std() < 0.01 * relative[inside].mean()


def test_a_map_of_zeros_stays_one_and_an_image_without_foreground_too():
    assert not relative_to_surroundings(torch.zeros(1, 96, 128), EVERYWHERE, 16.0).any()
    assert not relative_to_surroundings(bump(), ~EVERYWHERE, 16.0).any()


def test_a_batch_is_its_images_one_by_one():
    maps = torch.rand(3, 50, 61, generator=torch.Generator().manual_seed(0))
    inside = torch.rand(3, 50, 61, generator=torch.Generator().manual_seed(1)) > 0.2
    together = relative_to_surroundings(maps, inside, 12.0)
    alone = [relative_to_surroundings(maps[i : i + 1], inside[i : i + 1], 12.0) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("score", ["peak", "top_peak"])
def test_a_peak_counts_against_its_own_image(score):
    draw = torch.Generator().manual_seed(0)
    calm = torch.rand(1, 96, 128, generator=draw)
    loud = 4 * torch.rand(1, 96, 128, generator=draw)
    defective = calm.clone()
    defective[0, 40:46, 60:66] = 3.0
    assert image_score(loud, "max") > image_score(defective, "max")
    assert image_score(loud, score, fraction=0.003) < image_score(defective, score, fraction=0.003)


def test_the_own_level_is_that_of_the_pixels_but_for_a_few():
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    values[:500] = 1000.0
    median, spread = own_level(values)
    assert abs(median) < 0.1
    assert abs(spread - 1) < 0.1


def test_a_map_of_which_most_is_the_same_has_a_finite_peak():
    assert torch.isfinite(image_score(bump(), "peak"))
    assert image_score(torch.ones(1, 8, 8), "peak") == 0


def test_the_border_of_a_tile_is_that_of_its_image():
    whole = interior((40, 60), 5, (0, 0), (40, 60))
    parts = [interior((40, 30), 5, (0, left), (40, 60)) for left in (0, 30)]
    assert torch.equal(torch.cat(parts, dim=1), whole)
    assert interior((8, 8), 5, (0, 0), (8, 8)).all()  # nothing would be left


def test_what_lies_in_the_border_shows_in_the_map_and_does_not_score():
    splits = load_dataset("textile", image_size=(64, 64))
    detector = FilterBankDetector(quiet=True).fit(splits.train, splits.validation)
    image = splits.validation[0]["image"][None].clone()
    image[..., :4, :] = 1.0
    bordered = detector.with_settings(border=12)
    torch.testing.assert_close(bordered.anomaly_map(image), detector.anomaly_map(image))
    assert bordered.image_score(image) < detector.image_score(image)


def test_what_is_no_foreground_has_a_border_too():
    foreground = torch.ones(40, 200, dtype=torch.bool)
    foreground[:, :50] = False
    within = inner(foreground, 6)
    assert not within[:, :56].any()
    assert within[6:-6, 56:-6].all()
    assert torch.equal(inner(foreground, 0), foreground)
    assert torch.equal(inner(foreground, 199), foreground)  # nothing would be left
    hole = torch.ones(40, 40, dtype=torch.bool)
    hole[20, 20] = False
    assert not inner(hole, 3)[17:24, 17:24].any()
    assert inner(hole, 3)[16, 16]


def left_half_is_off(image):
    found = np.ones(image.shape, bool)
    found[:, : image.shape[1] // 2] = False
    return found


def test_the_border_of_a_foreground_is_that_of_the_whole_image():
    options = {"image_size": (64, 96), "foreground": left_half_is_off}
    whole, tiles = (load_dataset("textile", **options, **cut).test for cut in ({}, {"tile": (64, 64), "overlap": 32}))
    frame = interiors(whole, [0], (64, 96), 6)[0]
    assert not frame[:, :54].any()
    assert frame[6:-6, 54:-6].all()
    first, second = interiors(tiles, [0, 1], (64, 64), 6)
    assert torch.equal(first, frame[:, :64])
    assert torch.equal(second, frame[:, 32:])


def with_holes(image):
    return np.random.default_rng(int(1e6 * image[0, 0])).random(image.shape) < 0.998


@pytest.mark.parametrize("tile", [(24, 40), (64, 96), (80, 128)])
@pytest.mark.parametrize("border", [1, 7, 20])
def test_a_tile_finds_its_border_from_what_is_near_it(tile, border):
    options = {"image_size": (64, 96), "foreground": with_holes}
    whole = load_dataset("textile", **options).test
    tiles = load_dataset("textile", **options, tile=tile, overlap=8).test
    frame = inner(whole.frame_foreground(0), border)
    for item in tiles.groups()[0]:
        (top, left), (found,) = tiles.corners[item], interiors(tiles, [item], tile, border)
        cut = frame[top : top + tile[0], left : left + tile[1]]
        if frame.any() and not torch.equal(frame, whole.frame_foreground(0)):  # it left something
            assert torch.equal(found[: cut.shape[0], : cut.shape[1]], cut)
        assert not found[cut.shape[0] :].any()
        assert not found[:, cut.shape[1] :].any()


def test_tiles_and_whole_images_agree_on_the_border():
    splits = load_dataset("textile", image_size=(64, 96), tile=(64, 64), overlap=32)
    inside = interiors(splits.test, [0, 1], (64, 64), 6)
    assert torch.equal(inside[0, :, -32:], inside[1, :, :32])
    assert not inside[0, :, :6].any()
    assert not inside[1, :, -6:].any()


def test_surroundings_are_a_setting_of_every_detector():
    splits = load_dataset("textile", image_size=(64, 64))
    detector = FilterBankDetector(quiet=True).fit(splits.train, splits.validation)
    relative = detector.with_settings(surroundings=16.0).calibrate(splits.validation)
    image = splits.test[0]["image"][None]
    expected = relative_to_surroundings(detector.anomaly_map(image), torch.ones(1, 64, 64, dtype=torch.bool), 16.0)
    torch.testing.assert_close(relative.anomaly_map(image), expected)
    assert relative.image_score(image) == expected.max()
