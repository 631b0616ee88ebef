"""Bootstrap intervals: plain, paired, and of pixel metrics over images."""

import numpy as np
import pytest

from adkit.metrics import auroc, bootstrap, paired_bootstrap, paired_pixel_bootstrap, pixel_bootstrap, pixel_metrics
from adkit.metrics.inputs import as_images
from adkit.metrics.intervals import interval_of
from adkit.metrics.resampling import bootstrap_counts, resampled_metrics
from tests.metric_references import DISTRIBUTIONS, blobs

NAMES = ("auroc", "ap", "pro", "f1_max")


def scene(seed, name, count=10, size=(40, 50)):
    rng = np.random.default_rng(seed)
    masks = blobs(rng, count, *size, count // 2)
    return masks, DISTRIBUTIONS[name](rng, masks)


def test_interval_of_a_mean_is_the_textbook_one():
    values = np.random.default_rng(0).normal(size=400)
    interval = bootstrap(np.mean, values, n=2000)
    half = 1.96 * values.std() / 20
    assert interval.value == values.mean()
    assert interval.low == pytest.approx(values.mean() - half, abs=0.01)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.01)
    assert bootstrap(np.mean, values, n=2000) == interval
    assert bootstrap(np.mean, values, n=2000, seed=1) != interval


def test_draws_without_a_class_are_left_out():
    interval = bootstrap(auroc, [0, 0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5], n=200)
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)


def test_paired_difference_is_narrower_than_its_parts():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    a = labels + rng.normal(size=200)
    b = a - 0.2 * labels + 0.01 * rng.normal(size=200)
    difference, alone = paired_bootstrap(auroc, labels, a, b), bootstrap(auroc, labels, a)
    assert difference.value == auroc(labels, a) - auroc(labels, b)
    assert difference.high - difference.low < (alone.high - alone.low) / 2
    assert difference.low > 0


@pytest.mark.parametrize(
    "arrays, options, message",
    [
        (([], []), {}, "not empty"),
        (([0, 1], [0.1]), {}, r"lengths \[2, 1\]"),
        (([0, 1], [0.1, 0.2]), {"n": 1}, "at least 2 draws"),
        (([0, 1], [0.1, 0.2]), {"level": 1.0}, "level"),
        (([0, 0], [0.1, 0.2]), {}, "no defective"),
    ],
)
def test_refusals(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap(auroc, *arrays, **options)


def test_too_few_draws_with_both_classes_are_refused():
    with pytest.raises(ValueError, match="only 1 of 4 draws"):
        interval_of(0.5, np.array([np.nan, np.nan, np.nan, 0.4]), 0.95)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_drawn_sets_are_measured_as_if_by_hand(name):
    masks, maps = scene(0, name)
    draws = bootstrap_counts(list(masks), 3, 0)
    drawn = resampled_metrics(*as_images(masks, maps), draws, 0.3)
    for k, counts in enumerate(draws.astype(int)):
        rows = np.repeat(np.arange(len(masks)), counts)
        exact = pixel_metrics(masks[rows], maps[rows])
        for each in NAMES:
            assert drawn[each][k] == pytest.approx(getattr(exact, each), abs=2e-3), each


def test_drawn_sets_keep_both_numbers():
    masks, _ = scene(0, "uniform", count=7)
    draws = bootstrap_counts(list(masks), 20, 0)
    assert (draws[:, :3].sum(axis=1) == 3).all()
    assert (draws[:, 3:].sum(axis=1) == 4).all()


@pytest.mark.parametrize("name", ["uniform", "saturated", "8 bits"])
def test_pixel_intervals(name):
    masks, maps = scene(1, name)
    intervals, exact = pixel_bootstrap(masks, maps, n=200), pixel_metrics(masks, maps)
    assert set(intervals) == set(NAMES)
    for each, interval in intervals.items():
        assert interval.value == getattr(exact, each)
        assert interval.low < interval.value < interval.high
    wider = pixel_bootstrap(masks, maps, n=200, level=0.99)
    assert wider["pro"].low <= intervals["pro"].low
    assert wider["pro"].high >= intervals["pro"].high
    assert pixel_bootstrap(list(masks), list(maps), n=200) == intervals


def test_pixel_intervals_of_perfect_scores_and_one_image():
    masks, _ = scene(2, "uniform")
    for interval in pixel_bootstrap(masks, masks.astype(np.float32), n=20).values():
        assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)
    one = pixel_bootstrap(masks[:1], np.random.default_rng(0).random(masks[:1].shape), n=20)["auroc"]
    assert one.low == one.high == pytest.approx(one.value, abs=1e-3)


def test_paired_pixel_intervals():
    masks, noise = scene(3, "uniform")
    same = paired_pixel_bootstrap(masks, noise, noise, n=50)
    assert all((i.value, i.low, i.high) == (0.0, 0.0, 0.0) for i in same.values())
    better = paired_pixel_bootstrap(masks, noise + 0.3 * masks, noise, n=200)
    expected = pixel_metrics(masks, noise + 0.3 * masks).pro - pixel_metrics(masks, noise).pro
    assert better["pro"].value == pytest.approx(expected)
    assert 0 < better["pro"].low < better["pro"].value < better["pro"].high


def test_pixel_refusals():
    masks, maps = scene(0, "uniform")
    with pytest.raises(ValueError, match="at least 2 draws"):
        pixel_bootstrap(masks, maps, n=0)
    with pytest.raises(ValueError, match="level"):
        paired_pixel_bootstrap(masks, maps, maps, level=0)
    with pytest.raises(ValueError, match="no defective"):
        pixel_bootstrap(masks & False, maps)
