"""Policies: what they refuse, that they come back from disk as they were, and how they decide."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from adkit.scoring.policy import Policy
from adkit.scoring.suppression import suppress

CUTS = {"image_threshold": 0.5, "pixel_threshold": 0.2}


def test_a_policy_of_a_detector_decides_as_the_detector(fitted, splits):
    policy = Policy.of(fitted)
    assert (policy.image_threshold, policy.pixel_threshold) == (fitted.threshold, fitted.pixel_threshold)
    assert policy.score_is_maximum
    assert policy.review == (fitted.image_threshold.low, fitted.image_threshold.high)
    assert policy.origin["image_threshold"]["n"] == 40
    for i in (0, 20, 40):
        image = splits.test[i]["image"]
        plain, judged = fitted.predict(image), fitted.predict(image, policy=policy)
        assert (plain.score, plain.is_anomalous, plain.threshold) == (
            judged.score,
            judged.is_anomalous,
            judged.threshold,
        )
        np.testing.assert_array_equal(plain.anomaly_map, judged.anomaly_map)
        np.testing.assert_array_equal(plain.mask, judged.mask)
        assert plain.verdict is None
        assert judged.verdict.policy_sha256 == policy.sha256


def test_a_policy_before_fit_is_refused():
    with pytest.raises(RuntimeError, match="call fit"):
        Policy.of(SimpleNamespace(image_threshold=None))


def test_a_policy_survives_the_disk(tmp_path):
    policy = Policy(
        **CUTS, high=0.4, min_area=3, border=2, max_elongation=8.0, ignore=((1, 2, 3, 4),), review=(0.4, 0.6),
        decide="both", score_is_maximum=True, origin={"how": "by hand", "n": 40},
    )  # fmt: skip
    path = policy.save(tmp_path)
    assert path == tmp_path / "policy.json"
    assert Policy.load(path) == Policy.load(tmp_path) == policy
    assert Policy.load(path).sha256 == policy.sha256
    assert policy.changed(min_area=4).sha256 != policy.sha256
    assert policy.changed(min_area=4).origin["previous"] == policy.sha256


@pytest.mark.parametrize(
    "change,message",
    [
        ({"image_threshold": float("nan")}, "image_threshold must be a finite number"),
        ({"pixel_threshold": "0.2"}, "pixel_threshold must be a finite number"),
        ({"high": float("inf")}, "high must be a finite number"),
        ({"min_area": 2.5}, "min_area must be a whole number"),
        ({"min_area": -1}, "min_area must be a whole number"),
        ({"border": True}, "border must be a whole number"),
        ({"max_elongation": 0.5}, "max_elongation must be a finite number of at least 1"),
        ({"ignore": [(1, 2, 3)]}, "an ignore box is"),
        ({"ignore": [(1, 2, 3, -1)]}, "each number of an ignore box"),
        ({"review": (0.6, 0.4)}, "review must rise"),
        ({"review": 0.4}, "review must be two scores"),
        ({"decide": "mask"}, "decide must be one of score, regions, both"),
        ({"decide": "both"}, "needs a score that is the maximum"),
        ({"score_is_maximum": 1}, "score_is_maximum must be true or false"),
        ({"origin": "me"}, "origin must be an object"),
    ],
)
def test_what_a_policy_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        Policy(**CUTS | change)


@pytest.mark.parametrize(
    "text,message",
    [
        ("{", "cannot be used"),
        ("[]", "expected an object"),
        ('{"image_threshold": NaN, "pixel_threshold": 1}', "NaN is no number"),
        ('{"image_threshold": 1}', "pixel_threshold missing"),
        ('{"image_threshold": 1, "pixel_threshold": 1, "min_arae": 3}', "did you mean min_area"),
        ('{"image_threshold": 1, "pixel_threshold": 1, "colour": 3}', "there are image_threshold"),
    ],
)
def test_a_damaged_file_is_refused(text, message, tmp_path):
    (tmp_path / "policy.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        Policy.load(tmp_path)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Policy\.of"):
        Policy.load(tmp_path)


def test_the_file_is_strict_json_and_its_hash_does_not_depend_on_order(tmp_path):
    policy = Policy(**CUTS, origin={"b": 1, "a": 2})
    stored = json.loads(policy.save(tmp_path / "p.json").read_text())
    assert Policy.from_dict(dict(reversed(stored.items()))).sha256 == policy.sha256


# -- deciding --------------------------------------------------------------------------------------------------------


def judged(score, blobs=()):
    a_map = np.zeros((20, 30))
    for box, value in blobs:
        a_map[box] = value
    return SimpleNamespace(score=score, anomaly_map=a_map)


SMALL, LARGE = (np.s_[2, 2], 0.9), (np.s_[8:14, 8:14], 0.7)


def test_one_ulp_decides():
    score = 0.4321
    for threshold, expected in ((score, True), (np.nextafter(score, 1), False), (np.nextafter(score, 0), True)):
        verdict = suppress(judged(score), Policy(image_threshold=threshold, pixel_threshold=1))
        assert verdict.is_anomalous is expected


def test_by_score_suppression_never_changes_the_verdict():
    verdict = suppress(judged(0.9, [SMALL]), Policy(**CUTS, min_area=5, score_is_maximum=True))
    assert (verdict.verdict, verdict.kept, verdict.score_after) == ("anomalous", [], 0.0)
    assert not verdict.suppressed[0].verdict_changed
    assert verdict.strong == verdict.suppressed  # it alone would reach the image threshold
    assert not verdict.mask.any()


def test_by_regions():
    policy = Policy(**CUTS, min_area=5, decide="regions", score_is_maximum=True, review=(0, 1))
    alone = suppress(judged(0.9, [SMALL]), policy)
    assert (alone.verdict, alone.suppressed[0].verdict_changed) == ("normal", True)
    assert suppress(judged(0.1, [SMALL, LARGE]), policy).verdict == "anomalous"
    assert suppress(judged(0.9), policy).verdict == "normal"


def test_by_both():
    policy = Policy(**CUTS, min_area=5, decide="both", score_is_maximum=True)
    both = suppress(judged(0.9, [SMALL, LARGE]), policy)
    assert (both.verdict, both.score_after) == ("anomalous", 0.7)
    assert suppress(judged(0.9, [SMALL, (LARGE[0], 0.4)]), policy).verdict == "normal"
    assert suppress(judged(0.9, [SMALL]), policy).score_after == 0.0
    # nothing was suppressed, so nothing may turn the verdict
    assert suppress(judged(0.9), policy).verdict == "anomalous"


def test_a_band_goes_to_a_person():
    policy = Policy(**CUTS, review=(0.4, 0.6))
    found = [suppress(judged(score), policy) for score in (0.39, 0.4, 0.6, 0.61)]
    assert [one.verdict for one in found] == ["normal", "review", "review", "anomalous"]
    assert [one.is_anomalous for one in found] == [False, False, True, True]
    assert "band for review 0.4 to 0.6" in found[1].reason
