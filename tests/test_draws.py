"""Draws of an evaluation: as if each sample had been judged by itself, and every interval contains its own estimate."""

import json

import numpy as np
import pytest

from adkit import metrics
from adkit.detectors.prediction import Predictions
from adkit.experiments import Evaluation
from adkit.experiments.draws import Draws, draw
from adkit.experiments.evaluation import judge_predictions
from adkit.metrics.resampling import counts_of_groups

KINDS = ["good"] * 8 + ["hole"] * 5 + ["stain"] * 3 + ["cut"]


class Judged:
    """What a detector says whose maps are known."""

    threshold, pixel_threshold = 1.1, 0.9

    def __init__(self, seed, lift=0.5, without_mask=()):
        rng = np.random.default_rng(seed)
        masks, maps = np.zeros((len(KINDS), 24, 32), dtype=bool), rng.random((len(KINDS), 24, 32))
        for i, kind in enumerate(KINDS):
            if kind != "good":
                top, left = rng.integers(18), rng.integers(26)
                masks[i, top : top + 5, left : left + 5] = True
            if kind == "hole":
                masks[i, -1, -3:] = True  # two regions
        maps = (maps + lift * masks * rng.random((len(KINDS), 1, 1))).astype(np.float32)
        known = [None if i in without_mask else mask for i, mask in enumerate(masks)]
        scores, labels = maps.max(axis=(1, 2)), np.array([kind != "good" for kind in KINDS], int)
        self.judged = Predictions(list(maps), known, scores, labels, KINDS, [str(i) for i in range(len(KINDS))])


def judge(known, bootstrap, seed=0):
    return judge_predictions(known.judged, known.threshold, known.pixel_threshold, bootstrap=bootstrap, seed=seed)


@pytest.fixture(scope="module")
def judged():
    return Judged(0)


def test_a_draw_is_measured_as_if_its_images_were_judged(judged):
    found, draws = judge(judged, bootstrap=12, seed=3)
    parts, kinds = judged.judged, np.array(KINDS)
    counts = counts_of_groups(
        ["marked" if mask.any() else "normal" for mask in parts.masks], ["marked", "normal"], 12, 3
    )
    for k, row in enumerate(counts.astype(int)):
        rows = np.repeat(np.arange(len(KINDS)), row)
        image = metrics.image_metrics(parts.labels[rows], parts.scores[rows])
        pixel = metrics.pixel_metrics([parts.masks[i] for i in rows], [parts.maps[i] for i in rows])
        flagged = parts.scores[rows] >= judged.threshold
        exact = {"image_auroc": image.auroc, "image_ap": image.ap, "f1_oracle": image.f1_max}
        exact |= {"f1_at_threshold": metrics.f1(parts.labels[rows], flagged)}
        exact |= {"recall": flagged[parts.labels[rows] == 1].mean()}
        exact |= {"false_positive_rate": flagged[parts.labels[rows] == 0].mean()}
        for name, value in exact.items():
            assert draws.of(name)[k] == pytest.approx(value), name
        by_kind = metrics.pixel_metrics_by_kind(
            [parts.masks[i] for i in rows], [parts.maps[i] for i in rows], kinds[rows].tolist()
        )
        exact = {"pixel_auroc": pixel.auroc, "pixel_ap": pixel.ap, "pro": pixel.pro, "pixel_f1_oracle": pixel.f1_max}
        exact |= {"pro_macro": np.mean([each.pro for each in by_kind.values()])}
        for name, value in exact.items():
            assert draws.of(name)[k] == pytest.approx(value, abs=2e-3), name
        for kind in found.by_kind:
            expected = by_kind[kind].pro if kind in by_kind else np.nan
            assert draws.of("pro", kind)[k] == pytest.approx(expected, abs=2e-3, nan_ok=True)


def test_macro_pro_weighs_each_type_the_same(judged):
    found = judge(judged, bootstrap=0)[0]
    assert found.pro_macro == pytest.approx(np.mean([row["pro"] for row in found.by_kind.values()]))
    assert [row["n_regions"] for row in found.by_kind.values()] == [10, 3, 1]
    assert found.pro_macro != pytest.approx(found.pro, abs=0.005)
    assert Evaluation.from_dict({"pro": 0.5}).pro_macro is None  # of an older version


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lift", [0.0, 0.5, 2.0, 100.0])
def test_no_interval_misses_its_own_estimate(seed, lift):
    found, draws = judge(Judged(seed, lift), bootstrap=200)
    assert set(found.intervals) == set(draws.overall)
    for name, (low, high) in found.intervals.items():
        assert low - 1e-12 <= found[name] <= high + 1e-12, name
    for kind, row in found.by_kind.items():
        for name, (low, high) in row["intervals"].items():
            assert low - 1e-12 <= row[name] <= high + 1e-12, (kind, name)
    assert found.by_kind["cut"]["intervals"] == {}  # one image says nothing of others


def test_a_type_that_a_draw_lacks_is_no_number_there(judged):
    draws = draw(judged.judged, judge(judged, bootstrap=0)[0], n=100, seed=0)
    missing = np.isnan(draws.of("pro", "cut"))
    assert 0 < missing.sum() < 100
    assert (missing == np.isnan(draws.of("recall", "cut"))).all()
    assert not np.isnan(draws.of("pro_macro")).any()
    only = Draws({}, {"cut": {"pro": np.array([np.nan, np.nan, 0.5])}})
    assert only.interval(0.5, "pro", "cut") is None


def test_images_without_a_mask_are_drawn_apart():
    found, draws = judge(Judged(0, without_mask=[13, 14]), bootstrap=50)
    assert found.by_kind["stain"]["n_regions"] == 1
    assert np.isfinite(draws.of("pro")).all()
    assert len(draws) == len(draws.of("image_auroc")) == 50


def test_draws_survive_json_and_can_be_cut(judged):
    _, draws = judge(judged, bootstrap=30)
    again = Draws.from_dict(json.loads(json.dumps(draws.as_dict(), allow_nan=False)))
    for kind, name in ((None, "pro"), ("cut", "pro"), ("hole", "recall")):
        np.testing.assert_array_equal(again.of(name, kind), draws.of(name, kind))
    assert (draws.first(7).of("pro") == draws.of("pro")[:7]).all()
    assert len(Draws.from_dict(None)) == len(judge(judged, bootstrap=0)[1]) == 0
