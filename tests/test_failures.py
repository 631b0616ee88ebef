"""Failure modes: the surround, the rules, their support, and the cases, on measurements whose answer is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from adkit import AutoencoderDetector
from adkit.course.plain import plain
from adkit.diagnose.failure_modes import (
    CASE_RULES,
    VERDICTS,
    DefectMeasurement,
    VerdictLimits,
    choose_cases,
    measure_defect,
    measure_defects,
    read_verdicts,
    shape_of,
    surround,
    surround_auroc,
    type_means,
    type_verdicts,
    verdict,
)
from adkit.experiments.defect_retention import defect_retention
from adkit.metrics import auroc
from tests.conftest import TINY

DOTS = DefectMeasurement(0, "dots", "dot", 40, grey=0.1, surround=0.9, retention=0.1, iou=0.3, iou_otsu=0.2)


@pytest.fixture
def square():
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:50] = True
    return mask


def test_the_surround_leaves_a_gap_and_has_a_width(square):
    found = surround(square, gap=3, width=2)
    assert not (found & square).any()
    assert np.flatnonzero(found[30]).tolist() == [25, 26, 53, 54]
    with pytest.raises(ValueError, match="the mask is empty"):
        surround(np.zeros((4, 4)))


@pytest.mark.parametrize(("inside", "expected"), [(1.0, 1.0), (0.0, 0.5), (-1.0, 0.0)])
def test_surround_auroc_says_whether_the_defect_stands_out(square, inside, expected):
    assert surround_auroc(square, np.where(square, inside, 0.0)) == expected


def test_surround_auroc_is_an_auroc_of_defect_and_surround_alone(square):
    a_map = np.random.default_rng(0).random(square.shape)
    counted = square | surround(square)
    expected = auroc(square[counted], a_map[counted])
    a_map[~counted] = 1e6
    assert surround_auroc(square, a_map) == expected


def test_what_lies_off_the_foreground_does_not_count(square):
    a_map, inside = np.where(square, 1.0, 0.0), np.ones(square.shape, bool)
    a_map[:, 50:], inside[:, 50:] = 9.0, False
    assert surround_auroc(square, a_map) < 1
    assert surround_auroc(square, a_map, inside) == 1
    assert np.isnan(surround_auroc(square, a_map, square))
    assert np.isnan(surround_auroc(square, a_map, ~square))


def test_shapes_are_told_at_any_angle():
    y, x = np.mgrid[:80, :80]
    assert shape_of(np.abs(y - x) < 3) == "line"
    assert shape_of((y - 40) ** 2 + (x - 40) ** 2 < 36) == "dot"
    assert shape_of((y - 40) ** 2 + (x - 40) ** 2 < 400) == "area"
    with pytest.raises(ValueError, match="no region"):
        shape_of(np.zeros((4, 4)))


def test_the_largest_region_decides_the_shape(square):
    square[2, 2:9] = True
    assert shape_of(square) == "area"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0.49, 1.0, 0.5), "inverted"),
        ((0.7, 1.0, 0.1), "found"),
        ((0.7, 1.0, 0.09), "segmentation missed"),
        ((0.69, 0.5, 0.5), "copied"),
        ((0.69, 0.49, 0.5), "below texture noise"),
        ((0.5, float("nan"), 0.0), "below texture noise"),
    ],
)
def test_the_first_rule_that_holds_decides(numbers, expected):
    assert verdict(*numbers) == expected
    assert expected in VERDICTS


def test_other_limits_give_other_verdicts():
    assert verdict(0.6, 0.0, 0.5, VerdictLimits(visible=0.55)) == "found"


def test_support_counts_draws_of_seeds_and_frames():
    clear = [replace(DOTS, index=i) for i in range(6)]
    torn = [replace(DOTS, index=10 + i, kind="dark", iou=0.19 * (i % 2)) for i in range(6)]
    found = type_verdicts({"plain": [clear + torn, clear + torn]}, n=200)["plain"]
    assert list(found) == ["dots", "dark"]
    assert (found["dots"].verdict, found["dots"].support) == ("found", 1.0)
    assert found["dark"].verdict == "segmentation missed"
    assert 0.3 < found["dark"].support < 0.9
    assert found["dark"].shares == {name: 0.5 * (name in ("found", "segmentation missed")) for name in VERDICTS}
    low, high = found["dark"].numbers["iou"].low, found["dark"].numbers["iou"].high
    assert 0 <= low < 0.095 < high <= 0.19


def test_means_of_a_measurement_by_type():
    verdicts = type_verdicts({"plain": [[DOTS, replace(DOTS, index=1, kind="dark", iou=0.5)]]}, n=2)
    assert type_means(verdicts, "iou") == {"plain": {"dots": 0.3, "dark": 0.5}}


def test_verdicts_come_back_from_json_as_they_were():
    verdicts = type_verdicts({"plain": [[DOTS, replace(DOTS, index=1, kind="dark", retention=float("nan"))]]}, n=2)
    again = read_verdicts(json.loads(json.dumps(plain(verdicts, "verdicts"))))
    assert again["plain"]["dots"] == verdicts["plain"]["dots"]
    assert np.isnan(again["plain"]["dark"].numbers["retention"].low)


def test_seeds_that_differ_widen_the_interval():
    runs = [[replace(DOTS, surround=0.6)], [replace(DOTS, surround=0.9)]]
    interval = type_verdicts({"plain": runs})["plain"]["dots"].numbers["surround"]
    assert (interval.low, interval.value, interval.high) == pytest.approx((0.6, 0.75, 0.9))


def test_what_was_never_measured_stays_unknown():
    unknown = replace(DOTS, retention=float("nan"))
    found = type_verdicts({"plain": [[unknown]]}, n=10)["plain"]["dots"]
    assert np.isnan([found.numbers["retention"].value, found.numbers["retention"].low]).all()
    assert found.verdict == "found"


def test_seeds_must_have_seen_the_same_frames():
    with pytest.raises(ValueError, match="'plain' needs one or more seeds"):
        type_verdicts({"plain": []})
    with pytest.raises(ValueError, match="same frames, got"):
        type_verdicts({"plain": [[DOTS], [replace(DOTS, index=1)]]})
    with pytest.raises(ValueError, match="at least 2 draws"):
        type_verdicts({"plain": [[DOTS]]}, n=1)


# ---- with a detector


def test_measurements_agree_with_the_detector_and_with_defect_retention(fitted, splits):
    measurements = measure_defects(fitted, splits.test)
    shares = defect_retention(fitted.reconstruct, splits.test)
    for kind, share in shares.items():
        assert np.mean([m.retention for m in measurements if m.kind == kind]) == pytest.approx(share, abs=1e-4)
    item = splits.test[measurements[0].index]
    a_map = fitted.anomaly_map(item["image"][None])[0].numpy()
    mask = item["mask"].numpy()
    assert measurements[0].surround == pytest.approx(surround_auroc(mask, a_map), abs=1e-6)
    predicted = a_map >= fitted.pixel_threshold
    assert measurements[0].iou == pytest.approx((predicted & mask).sum() / (predicted | mask).sum())
    assert measurements[0].pixels == mask.sum()


def test_another_residual_has_no_threshold(fitted, splits):
    part = splits.test.subset([i for i in range(len(splits.test)) if splits.test.labels[i]][:2])
    measurements = measure_defects(fitted, part, residual="l1")
    assert np.isnan([m.iou for m in measurements]).all()
    assert [m.surround for m in measurements] != [m.surround for m in measure_defects(fitted, part)]


def test_sets_without_counterparts_are_measured_too(tmp_path):
    from adkit import load_dataset
    from tests.data_files import write_image

    for k in range(12):
        write_image(tmp_path / "good" / f"{k}.png", seed=k, size=(32, 32))
    splits = load_dataset("folder", root=tmp_path)
    with pytest.warns(UserWarning, match="threshold comes from"):
        detector = AutoencoderDetector(**TINY).fit(splits.train, splits.validation)
    assert measure_defects(detector, splits.test) == []


def test_a_flat_map_has_no_otsu_threshold(square):
    item = {"image": torch.full((1, 60, 80), 0.5), "mask": torch.from_numpy(square), "kind": "dark"}
    item |= {"foreground": torch.ones(60, 80, dtype=torch.bool)}
    measurement = measure_defect(3, item, torch.zeros(60, 80), float("nan"), 1.0)
    assert np.isnan([measurement.iou_otsu, measurement.retention]).all()
    assert (measurement.iou, measurement.grey, measurement.surround, measurement.shape) == (0.0, 0.0, 0.5, "area")


# ---- cases


def test_each_rule_takes_the_extreme_frame_over_all_architectures():
    light = replace(DOTS, kind="bright", shape="line", grey=0.2)
    measurements = [
        replace(light, index=0, retention=0.3, surround=0.97, iou=0.6, iou_otsu=0.5),
        replace(light, index=1, retention=0.95, surround=0.6, iou=0.0),
        replace(DOTS, index=2, shape="area", grey=-0.1, surround=0.3),
        replace(DOTS, index=3, kind="brightness", shape="area", retention=0.8, surround=0.6),
        replace(DOTS, index=4, kind="texture", shape="line", grey=0.0, surround=0.95, iou=0.05),
        replace(DOTS, index=5, surround=0.99, iou=0.02),
        replace(DOTS, index=6, surround=0.98, iou=0.9, iou_otsu=0.0),
    ]
    dull = [replace(one, surround=0.75, retention=0.2, iou=0.4, iou_otsu=0.4) for one in measurements]
    cases = choose_cases({"dull": dull, "plain": measurements})
    assert list(cases) == list(CASE_RULES)
    assert [case.measurement.index for case in cases.values()] == [0, 1, 2, 3, 4, 5, 6]
    assert {case.architecture for case in cases.values()} == {"plain"}
    assert all(case.occurs for case in cases.values())
    assert [case.otsu for case in cases.values()] == [False] * 6 + [True]
    assert "30 % let through" in cases["white_anomaly"].caption


def test_a_shade_stands_for_inversion_where_one_is_inverted():
    shade = replace(DOTS, index=1, kind="brightness", shape="area", grey=-0.05, surround=0.45)
    dark = replace(shade, index=2, kind="dark", surround=0.2)
    assert choose_cases({"plain": [shade, dark]})["inversed_anomaly"].measurement.index == 1
    rising = replace(shade, surround=0.95)
    assert choose_cases({"plain": [rising, dark]})["inversed_anomaly"].measurement.index == 2
    weave = replace(shade, index=3, kind="texture", surround=0.1)
    assert choose_cases({"plain": [weave, dark]})["inversed_anomaly"].measurement.index == 2


def test_a_light_defect_that_nobody_finds_is_no_success():
    lost = replace(DOTS, kind="bright", shape="area", grey=0.2, iou=0.01)
    case = choose_cases({"plain": [lost]})["white_anomaly"]
    assert not case.occurs
    assert "Not here: nearest case" in case.caption


def test_where_an_effect_is_missing_the_nearest_case_says_so():
    measurements = [replace(DOTS, index=i, iou=0.2 + 0.1 * i) for i in range(3)]
    cases = choose_cases({"plain": measurements})
    assert cases["dot_not_usable"].measurement.index in (0, 1, 2)
    assert not cases["dot_not_usable"].occurs
    assert "Not here: nearest case" in cases["dot_not_usable"].caption
    assert not {"white_anomaly", "brightness_only_anomaly", "line_not_usable"} & set(cases)


def test_without_counterparts_no_case_rests_on_them():
    unknown = replace(DOTS, kind="bright", shape="line", grey=0.2, retention=float("nan"))
    cases = choose_cases({"plain": [unknown, replace(unknown, index=1, shape="area", grey=-0.2)]})
    assert "white_anomaly_copied" not in cases
    assert "no clean counterpart" in cases["inversed_anomaly"].caption
