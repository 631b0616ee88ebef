"""Regions kept and suppressed: each rule, their order, and that nothing disappears."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from adkit.scoring.policy import Policy
from adkit.scoring.regions import find_regions, region_row
from adkit.scoring.suppression import RULES, log_rows, suppress

CUTS = {"image_threshold": 0.5, "pixel_threshold": 0.2}


def blank(*blobs, shape=(24, 40)):
    a_map = np.zeros(shape)
    for box, value in blobs:
        a_map[box] = value
    return SimpleNamespace(score=float(a_map.max()), anomaly_map=a_map)


BLOB = (np.s_[8:12, 10:14], 0.6)


@pytest.mark.parametrize(
    "rule,change,value,limit",
    [
        ("ignore", {"ignore": [(0, 0, 24, 20)]}, 1.0, 0.0),
        ("border", {"border": 12}, 1.0, 12.0),
        ("min_area", {"min_area": 17}, 16.0, 17.0),
        ("hysteresis", {"high": 0.7}, 0.6, 0.7),
        ("min_peak", {"min_peak": 0.65}, 0.6, 0.65),
    ],
)
def test_each_rule_alone(rule, change, value, limit):
    verdict = suppress(blank(BLOB), Policy(**CUTS, **change))
    (one,) = verdict.suppressed
    assert (one.rule, one.value, one.limit, one.region.area) == (rule, value, limit, 16)
    assert not verdict.kept
    assert not verdict.mask.any()
    assert verdict.is_anomalous


def test_elongation():
    thread = (np.s_[20, 3:33], 0.6)
    verdict = suppress(blank(BLOB, thread), Policy(**CUTS, max_elongation=10))
    assert [one.rule for one in verdict.suppressed] == ["elongation"]
    assert verdict.suppressed[0].value == pytest.approx(30, rel=0.01)
    assert verdict.kept[0].elongation == pytest.approx(1)


def test_off_the_foreground():
    foreground = np.ones((24, 40), bool)
    foreground[:, :12] = False
    verdict = suppress(blank(BLOB), Policy(**CUTS), foreground)
    assert [(one.rule, one.region.area) for one in verdict.suppressed] == [("foreground", 8)]
    assert [region.area for region in verdict.kept] == [8]
    with pytest.raises(ValueError, match="the map's shape"):
        suppress(blank(BLOB), Policy(**CUTS), foreground[:5])


def test_a_defect_that_reaches_out_of_a_place_is_still_found():
    verdict = suppress(blank((np.s_[0:10, 5:9], 0.6)), Policy(**CUTS, border=2, min_area=10))
    assert [(one.rule, one.region.area) for one in verdict.suppressed] == [("border", 8)]
    assert [region.area for region in verdict.kept] == [32]


def test_the_first_rule_is_the_one_that_is_logged():
    breaks_all = Policy(
        **CUTS, ignore=[(8, 10, 4, 4)], border=12, min_area=99, max_elongation=1.0, high=0.9, min_peak=0.9
    )
    seen = []
    for change in ({}, {"ignore": []}, {"border": 0}, {"min_area": 0}, {"max_elongation": None}, {"high": None}):
        breaks_all = breaks_all.changed(**change) if change else breaks_all
        seen.append(suppress(blank((np.s_[8:12, 10:15], 0.6)), breaks_all).suppressed[-1].rule)
    assert seen == ["border", "border", "min_area", "elongation", "hysteresis", "min_peak"]
    assert suppress(blank(BLOB), Policy(**CUTS, ignore=[(8, 10, 4, 4)], border=12)).suppressed[0].rule == "ignore"


def test_regions_are_measured():
    a_map = np.zeros((9, 9))
    a_map[0:2, 3:6] = [[0.2, 0.4, 0.6], [0.2, 0.4, 0.6]]
    (region,) = find_regions(a_map > 0, a_map)
    assert (region.id, region.box, region.area, region.touches_border) == (1, (0, 3, 2, 3), 6, True)
    assert (region.peak, region.mean, region.integral) == pytest.approx((0.6, 0.4, 2.4))
    assert region.centroid == (0.5, 4.0)
    assert region_row(region)["box"] == [0, 3, 2, 3]
    assert find_regions(np.zeros((3, 3), bool), a_map[:3, :3]) == []


def test_the_log_has_a_row_for_each_region():
    rows = log_rows(suppress(blank(BLOB, (np.s_[0, 0], 0.9)), Policy(**CUTS, min_area=99)), "a.png")
    assert [row["peak"] for row in rows] == [0.9, 0.6]
    assert rows[0] == {
        "image": "a.png", "rule": "min_area", "value": 1.0, "limit": 99.0, "strong": False, "verdict_changed": False,
        "area": 1, "peak": 0.9, "top": 0, "left": 0, "height": 1, "width": 1,
    }  # fmt: skip


def test_maps_that_mean_nothing_are_refused():
    for a_map, message in ((np.zeros((2, 3, 4)), "must be"), (np.full((3, 4), np.nan), "finite")):
        with pytest.raises(ValueError, match=message):
            suppress(SimpleNamespace(score=0.0, anomaly_map=a_map), Policy(**CUTS))
    with pytest.raises(ValueError, match="finite"):
        suppress(SimpleNamespace(score=np.nan, anomaly_map=np.zeros((3, 4))), Policy(**CUTS))


@settings(max_examples=500, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    sigma=st.sampled_from([0, 0.7, 2.0]),
    rules=st.fixed_dictionaries(
        {
            "min_area": st.integers(0, 12),
            "border": st.integers(0, 25),
            "high": st.one_of(st.none(), st.floats(0, 1)),
            "min_peak": st.floats(0, 1),
            "max_elongation": st.one_of(st.none(), st.floats(1, 5)),
            "ignore": st.lists(st.tuples(*[st.integers(0, 45)] * 4), max_size=2),
            "decide": st.sampled_from(["score", "regions", "both"]),
        }
    ),
)
def test_nothing_disappears(seed, height, width, sigma, rules):
    rng = np.random.default_rng(seed)
    a_map = ndimage.gaussian_filter(rng.random((height, width)), sigma)
    policy = Policy(image_threshold=0.6, pixel_threshold=0.5, score_is_maximum=True, **rules)
    foreground = rng.random((height, width)) > 0.2
    verdict = suppress(SimpleNamespace(score=float(a_map.max()), anomaly_map=a_map), policy, foreground)
    kept = sum(region.area for region in verdict.kept)
    suppressed = sum(one.region.area for one in verdict.suppressed)
    assert kept + suppressed == (a_map >= 0.5).sum()
    assert kept == verdict.mask.sum()
    assert {one.rule for one in verdict.suppressed} <= set(RULES)
    assert sorted(r.id for r in [*verdict.kept, *(one.region for one in verdict.suppressed)]) == list(
        range(1, len(verdict.kept) + len(verdict.suppressed) + 1)
    )
    by_score = a_map.max() >= 0.6
    assert (
        verdict.is_anomalous == by_score
        if policy.decide == "score"
        else verdict.is_anomalous <= (by_score or policy.decide == "regions")
    )
