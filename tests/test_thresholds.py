"""Thresholds: percentile with its spread, Otsu, hysteresis, the F1 oracle and the removal of small regions."""

import numpy as np
import pytest
import torch
from skimage import filters, measure

from adkit.metrics import f1, f1_max
from adkit.scoring.thresholds import Threshold, f1_oracle, hysteresis, otsu, percentile, remove_small


@pytest.mark.parametrize("q", [0, 1, 50, 95, 99.5, 100])
@pytest.mark.parametrize("n", [20, 21, 333])
def test_percentile_is_numpys(q, n):
    scores = np.random.default_rng(n).normal(size=n)
    threshold = percentile(scores, q)
    assert threshold.value == pytest.approx(np.percentile(scores, q), abs=1e-12)
    assert float(threshold) == threshold.value
    assert threshold.low <= threshold.high
    assert (threshold.n, threshold.q) == (n, q)


@pytest.mark.parametrize("q", [50, 95])
def test_spread_is_that_of_resamples_really_drawn(q):
    rng = np.random.default_rng(1)
    scores = rng.normal(size=60)
    drawn = np.percentile(rng.choice(scores, size=(20_000, 60)), q, axis=1)
    threshold = percentile(scores, q, n_bootstrap=20_000)
    assert [threshold.low, threshold.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist(), abs=0.05)


def test_spread_shrinks_with_more_scores():
    rng = np.random.default_rng(2)
    few, many = percentile(rng.normal(size=40)), percentile(torch.from_numpy(rng.normal(size=(40, 100))))
    assert many.high - many.low < (few.high - few.low) / 3
    assert many.n == 4000


def test_percentile_says_how_it_was_made():
    assert percentile([1.0, 2.0, 3.0] * 10, q=50).description == (
        "percentile 50 of 30 scores of normal samples: 2 (95 % bootstrap interval 1.5 to 2.5)"
    )


@pytest.mark.parametrize("n", [1, 2, 19])
def test_few_scores_warn(n):
    with pytest.warns(UserWarning, match=f"rests on {n} scores, fewer than 20"):
        threshold = percentile(np.arange(n))
    assert isinstance(threshold, Threshold)
    assert threshold.value == pytest.approx(np.percentile(np.arange(n), 95))


def test_percentile_of_unequal_maps():
    maps = [np.full((3, 4), 1.0), np.full((5, 5), 2.0)]
    assert percentile(maps, q=0).value == 1.0
    with pytest.warns(UserWarning, match="25 of 37 scores of normal samples are equal"):
        assert percentile(maps).n == 37


@pytest.mark.parametrize(
    "scores, options, message",
    [
        ([], {}, "empty"),
        ([1.0, np.nan], {}, "finite"),
        (range(30), {"q": 101}, r"\[0, 100\]"),
        (range(30), {"q": -1}, r"\[0, 100\]"),
        (range(30), {"n_bootstrap": 1}, "n_bootstrap"),
    ],
)
def test_percentile_refuses(scores, options, message):
    with pytest.raises(ValueError, match=message):
        percentile(scores, **options)


def test_otsu_is_skimages_up_to_its_bins():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0, 1, 3000), rng.normal(6, 1, 1000)])
    bins = filters.threshold_otsu(values, nbins=256)
    assert otsu(values) == pytest.approx(bins, abs=np.ptp(values) / 128)
    assert otsu(10 * values + 3) == pytest.approx(10 * otsu(values) + 3)


def test_otsu_has_the_least_variance_inside():
    values = np.random.default_rng(8).integers(0, 12, size=60) ** 2 / 7

    def inside(cut):
        return sum(part.size * part.var() for part in (values[values < cut], values[values >= cut]))

    assert inside(otsu(values)) == pytest.approx(min(inside(cut) for cut in np.unique(values)[1:]))


def test_otsu_cuts_between_values_and_splits_even_normals():
    assert otsu(np.array([0, 0, 0, 1])) == 0.5
    normals = np.random.default_rng(4).normal(size=1000)
    assert 0.4 < (normals >= otsu(normals)).mean() < 0.6


@pytest.mark.parametrize("values, message", [([], "empty"), ([np.inf, 1], "finite"), ([2.0, 2.0], "two different")])
def test_otsu_refuses(values, message):
    with pytest.raises(ValueError, match=message):
        otsu(values)


def test_hysteresis_keeps_weak_pixels_beside_strong_ones():
    maps = np.random.default_rng(5).random((2, 30, 40))
    result = hysteresis(maps, 0.6, 0.97)
    for index, each in enumerate(maps):
        labels = measure.label(each >= 0.6, connectivity=2)
        expected = np.isin(labels, labels[each >= 0.97]) & (labels > 0)
        np.testing.assert_array_equal(result[index], expected)
        np.testing.assert_array_equal(hysteresis(torch.from_numpy(each), 0.6, 0.97), expected)
    np.testing.assert_array_equal(hysteresis(maps, 0.7, 0.7), maps >= 0.7)


@pytest.mark.parametrize(
    "maps, low, high, message",
    [
        (np.zeros((2, 2)), 2, 1, "low must not exceed high"),
        (np.zeros((2, 2)), float("nan"), 1, "low must not exceed high"),
        (np.zeros((0, 2)), 0, 1, "empty"),
        (np.full((2, 2), np.nan), 0, 1, "finite"),
        (np.zeros(4), 0, 1, r"\(H, W\) or \(N, H, W\)"),
    ],
)
def test_hysteresis_refuses(maps, low, high, message):
    with pytest.raises(ValueError, match=message):
        hysteresis(maps, low, high)


def test_f1_oracle_reaches_f1_max():
    rng = np.random.default_rng(6)
    labels = rng.random(200) < 0.3
    scores = labels + rng.normal(size=200)
    assert f1(labels, scores >= f1_oracle(labels, scores)) == f1_max(labels, scores)
    with pytest.raises(ValueError, match="no defective"):
        f1_oracle([0, 0], [0.1, 0.2])


def test_remove_small_is_skimages():
    masks = np.random.default_rng(7).random((3, 40, 40)) < 0.2
    result = remove_small(masks, 5)
    for mask, kept in zip(masks, result, strict=True):
        labels = measure.label(mask, connectivity=2)
        np.testing.assert_array_equal(kept, (np.bincount(labels.ravel())[labels] >= 5) & mask)
    parts = remove_small([masks[0], masks[1, :10]], 5)
    np.testing.assert_array_equal(parts[0], result[0])
    assert parts[1].shape == (10, 40)
    np.testing.assert_array_equal(remove_small(masks, 0), masks)
    assert remove_small(masks[:0], 3).shape == (0, 40, 40)


def test_remove_small_refuses():
    with pytest.raises(ValueError, match="at least 0"):
        remove_small(np.zeros((2, 2)), -1)
    with pytest.raises(ValueError, match="only 0 and 1"):
        remove_small(np.full((2, 2), 0.5), 1)
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        remove_small(np.zeros((1, 1, 2, 2)), 1)
