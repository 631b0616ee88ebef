"""Segmentation: cuts from normal maps, masks of each method, and what masks are worth."""

import numpy as np
import pytest

from adkit.metrics import pro_curve
from adkit.scoring import thresholds
from adkit.scoring.segmentation import METHODS, Cuts, calibrate, local_contrast, mask_quality, segment

CUTS = Cuts(cut=3.0, low=2.0, high=4.0, area=4, contrast=3.0)


@pytest.fixture(scope="module")
def noise():
    return np.abs(np.random.default_rng(0).normal(size=(3, 64, 96)))


def test_cuts_are_percentiles_of_normal_maps(noise):
    cuts = calibrate(noise)
    assert cuts.cut == pytest.approx(np.percentile(noise, 99.5))
    assert cuts.low == pytest.approx(np.percentile(noise, 98))
    assert cuts.high == pytest.approx(np.percentile(noise, 99.95))
    assert np.mean([local_contrast(one) >= cuts.contrast for one in noise]) == pytest.approx(0.005, abs=5e-4)


def test_the_area_is_one_that_most_false_blobs_do_not_reach():
    maps = np.zeros((1, 40, 1000))
    for k in range(20):  # blobs of 1 to 20 pixels
        maps[0, 2 * k, : k + 1] = 1.0
    assert calibrate(maps, q=99.7).area == int(np.percentile(np.arange(1, 21), 90))


def test_local_contrast_does_not_depend_on_gain_and_offset(noise):
    np.testing.assert_allclose(local_contrast(3 * noise[0] + 7), local_contrast(noise[0]), atol=1e-9)
    assert not local_contrast(np.ones((8, 8))).any()
    with pytest.raises(ValueError, match=r"must be \(H, W\), got shape \(3, 64, 96\)"):
        local_contrast(noise)
    with pytest.raises(ValueError, match="sigma must be a positive number"):
        local_contrast(noise[0], sigma=0)


def test_each_method_is_what_it_says(noise):
    a_map = noise[0].copy()
    a_map[10:13, 10:13] = 9.0
    found = {method: segment(a_map, method, CUTS) for method in METHODS}
    assert all(mask.dtype == bool and mask.shape == a_map.shape for mask in found.values())
    np.testing.assert_array_equal(found["Otsu"], a_map >= thresholds.otsu(a_map))
    np.testing.assert_array_equal(found["percentile"], a_map >= 3)
    np.testing.assert_array_equal(found["hysteresis"], thresholds.hysteresis(a_map, 2, 4))
    contrast = local_contrast(a_map)
    np.testing.assert_array_equal(found["Otsu, local contrast"], contrast >= thresholds.otsu(contrast))
    np.testing.assert_array_equal(found["percentile, local contrast"], contrast >= 3)
    assert found["area opening"].sum() <= found["percentile"].sum()
    assert found["area opening"][10:13, 10:13].all()
    with pytest.raises(ValueError, match="method must be one of Otsu"):
        segment(a_map, "magic", CUTS)


def test_otsu_cannot_see_a_speck_and_a_percentile_can(noise):
    a_map = noise[0].copy()
    a_map[30:32, 40:42] = 8.0
    speck = a_map == 8
    assert segment(a_map, "Otsu", CUTS).mean() > 0.1
    np.testing.assert_array_equal(segment(a_map, "percentile", calibrate(noise[1:]))[speck], True)


def test_quality_is_a_point_of_the_pro_curve(noise):
    masks = np.zeros(noise.shape, bool)
    masks[0, 5:9, 5:9] = masks[0, 30:50, 20:60] = masks[2, 1:3, 1:3] = True
    cut = noise[0, 31, 30]
    quality = mask_quality(masks, noise >= cut)
    fpr, pro, cuts = pro_curve(masks, noise)
    at = np.flatnonzero(cuts >= cut)[-1]
    assert (quality.fpr, quality.pro) == pytest.approx((fpr[at], pro[at]))
    assert mask_quality(list(masks), list(masks)).iou == 1


def test_masks_without_a_defect_cannot_be_judged():
    with pytest.raises(ValueError, match="hold no defect"):
        mask_quality(np.zeros((1, 4, 4), bool), np.ones((1, 4, 4), bool))
    with pytest.raises(ValueError, match="size of its mask"):
        mask_quality(np.ones((1, 4, 4), bool), np.ones((1, 4, 5), bool))
    with pytest.raises(ValueError, match="predictions must hold only 0 and 1"):
        mask_quality(np.ones((1, 4, 4), bool), np.full((1, 4, 4), 0.5))
