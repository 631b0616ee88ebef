"""Means over seeds: the interval is that of the mean, it covers as often as it says, and differences are paired."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adkit import over_seeds
from adkit.experiments.draws import Draws
from adkit.experiments.seeds import paired
from adkit.metrics.resampling import centred, counts_of_groups
from adkit.metrics.seeds import mean_of_drawn_seeds
from adkit.metrics.significance import Difference, bootstrap_p, family, holm
from tests.test_tables import result

rng = np.random.default_rng(0)
IMAGES = [{"path": str(i), "kind": "good", "score": 0.0} for i in range(4)]


def drawn(seed, value, moved, loss="mse", kind=None):
    """A result whose PRO is a value, and moves by so much on each draw."""
    values = {"pro": np.asarray(value + moved)}
    numbers = {"by_kind": {kind: {"pro": value}}} if kind else {"pro": value}
    draws = Draws({} if kind else values, {kind: values} if kind else {})
    return replace(result(seed, loss, images=IMAGES, **numbers), draws=draws)


def test_the_interval_is_that_of_the_mean():
    images = rng.normal(0, 0.01, 2000)
    runs = [drawn(seed, value, images) for seed, value in enumerate([0.9, 0.4, 0.5])]
    found = over_seeds(runs, "pro")
    assert found.value == pytest.approx(0.6)
    assert found.low < 0.45 < 0.6 < 0.7 < found.high  # the middle seed's would be 0.48 to 0.52
    alone = over_seeds(runs[:1], "pro")
    assert (alone.low, alone.high) == pytest.approx(tuple(np.quantile(0.9 + images, [0.025, 0.975])))


def test_of_one_defect_type_and_of_what_is_missing():
    runs = [drawn(seed, value, np.zeros(20), kind="dots") for seed, value in enumerate([0.2, 0.4])]
    found = over_seeds(runs, "pro", kind="dots")
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.2, 0.4))
    assert math.isnan(over_seeds(runs, "pro", kind="folds").value)
    assert math.isnan(over_seeds(runs, "pro").value)


def test_without_draws_only_one_seed_has_an_interval():
    runs = [result(seed, pro=pro, intervals={"pro": (pro - 0.1, pro + 0.1)}) for seed, pro in enumerate([0.5, 0.7])]
    assert over_seeds(runs, "pro").value == pytest.approx(0.6)
    assert math.isnan(over_seeds(runs, "pro").low)
    assert (over_seeds(runs[:1], "pro").low, over_seeds(runs[:1], "pro").high) == (0.4, 0.6)
    unequal = [drawn(seed, 0.5, np.zeros(10 + seed)) for seed in (0, 1)]
    assert math.isnan(over_seeds(unequal, "pro").low)


def test_drawing_one_seed_less_gives_the_variance_of_the_mean():
    values = np.array([0.2, 0.5, 0.9])
    means = mean_of_drawn_seeds(np.repeat(values[:, None], 40_000, axis=1))
    assert means.mean() == pytest.approx(values.mean(), abs=0.005)
    assert means.var() == pytest.approx(values.var(ddof=1) / 3, rel=0.03)


def test_differences_are_of_the_same_images():
    images = rng.normal(0, 0.1, 1000)
    a = [drawn(seed, 0.6 + 0.001 * seed, images) for seed in (0, 1)]
    b = [drawn(seed, 0.55 + 0.001 * seed, images, loss="l1") for seed in (0, 1)]
    gap = paired(a, b, "pro")
    assert gap.shown
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.05, 0.049, 0.051))
    assert over_seeds(a, "pro").low < over_seeds(b, "pro").high  # two intervals that overlap do not make them equal
    other = paired(b, a, "pro")
    assert (other.value, other.low, other.high, other.p) == pytest.approx((-gap.value, -gap.high, -gap.low, gap.p))


def test_what_cannot_be_paired_is_refused():
    a, b = [drawn(0, 0.6, np.zeros(10))], [drawn(0, 0.5, np.zeros(10), loss="l1")]
    elsewhere = [replace(b[0], evaluation=replace(b[0].evaluation, images=IMAGES[:2]))]
    with pytest.raises(ValueError, match="the same test images"):
        paired(a, elsewhere, "pro")
    with pytest.raises(ValueError, match="equally many draws of 'image_auroc'"):
        paired(a, b, "image_auroc")
    with pytest.raises(ValueError, match="equally many draws of 'pro'"):
        paired(a, [drawn(0, 0.5, np.zeros(20), loss="l1")], "pro")


# -- p-values ------------------------------------------------------------------------------------------------------


def test_p_values_agree_with_the_interval_and_are_uniform_without_a_difference():
    draws = rng.normal(0, 1, (400, 500)) + rng.normal(0, 1, (400, 1))
    p = np.array([bootstrap_p(row) for row in draws])
    excludes = np.array([low > 0 or high < 0 for low, high in np.quantile(draws, [0.025, 0.975], axis=1).T])
    assert np.mean((p < 0.05) == excludes) > 0.98
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.03)
    assert bootstrap_p(np.array([np.nan, 1.0, 2.0])) == bootstrap_p(np.array([-1.0, -2.0])) == 2 / 3


def test_holm_by_hand_and_in_a_family():
    # the example of Holm's procedure: 0.01 * 4, 0.02 * 3, 0.03 * 2, max(0.06, 0.04)
    assert holm({"a": 0.03, "b": 0.01, "c": 0.02, "d": 0.04}) == pytest.approx(
        {"a": 0.06, "b": 0.04, "c": 0.06, "d": 0.06}
    )
    assert holm({}) == {}
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    alone = {name: Difference(0.1, 0.05, 0.15, p) for name, p in {"a": 0.04, "b": 0.03, "c": 0.01}.items()}
    corrected = family(alone)
    assert all(each.shown for each in alone.values())
    assert [each.shown for each in corrected.values()] == [False, False, True]
    assert str(corrected["c"]) == "+0.100 [+0.050, +0.150], p 0.030"


def test_equal_methods_are_shown_in_one_family_of_twenty():
    wrong = 0
    for _ in range(200):
        gaps = rng.normal(0, 1, 10)[:, None] + rng.normal(0, 1, (10, 1999))
        found = family({k: Difference(0.0, 0.0, 0.0, bootstrap_p(row)) for k, row in enumerate(gaps)})
        wrong += any(each.shown for each in found.values())
    assert wrong / 200 < 0.1  # without the correction it would be 0.4


# -- counts --------------------------------------------------------------------------------------------------------


def test_groups_keep_their_numbers():
    counts = counts_of_groups(["a", "b", "a", "c"], ["a", "b"], n=30, seed=0)
    assert (counts[:, [0, 2]].sum(axis=1) == 2).all()
    assert (counts[:, 1] == 1).all()
    assert (counts[:, 3] == 0).all()  # a group that nobody draws


def test_centred_values_stay_in_their_range():
    assert centred(np.array([0.5, 0.9999]), counted=0.9999, exact=1.0).tolist() == pytest.approx([0.5001, 1.0])
    assert centred(np.array([0.99995]), counted=0.9999, exact=1.0).tolist() == [1.0]
