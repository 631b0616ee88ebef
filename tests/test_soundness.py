"""A detector that is broken, changed or tied says so: none of them may call every part good, or every part bad."""

import json
import math
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader, Subset

from adkit import AutoencoderDetector, evaluate, load_dataset, load_detector
from adkit.data import AnomalyDataset
from adkit.detectors import storage
from adkit.detectors.base import Detector
from adkit.detectors.calibration import image_threshold, pixel_threshold
from adkit.detectors.preprocessing import ArraySample
from adkit.scoring.thresholds import Threshold, percentile
from tests.conftest import TINY


@pytest.fixture
def saved(fitted, tmp_path):
    return fitted.save(tmp_path / "detector")


@pytest.fixture
def any_saved(request, tmp_path):
    return request.getfixturevalue(request.param).save(tmp_path / "detector")


every_kind = pytest.mark.parametrize(
    "any_saved", ["fitted", "fitted_vae", "fitted_draem", "fitted_patchcore"], indirect=True
)


def with_tensors(folder, change):
    """Tensors changed by ``change(name, value)``."""
    tensors = load_file(folder / "weights.safetensors")
    save_file({name: change(name, value) for name, value in tensors.items()}, folder / "weights.safetensors")


def edited(folder, **changes):
    description = json.loads((folder / "detector.json").read_text())
    (folder / "detector.json").write_text(json.dumps(description | changes))


# -- numbers that are none -------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("share", ["one", "all"])
@pytest.mark.parametrize("verify", [True, False])
def test_tensors_that_are_no_numbers_are_refused(any_saved, wrong, share, verify):
    def spoil(name, value):
        if not value.is_floating_point():
            return value
        value.view(-1)[: 1 if share == "one" else None] = wrong
        return value

    with_tensors(any_saved, spoil)
    with pytest.raises(ValueError, match=r"NaN or infinite, and would call every image good; load an earlier copy"):
        load_detector(any_saved, verify=verify)


@every_kind
@pytest.mark.parametrize("wrong", [torch.int8, torch.int64, torch.float16, torch.bfloat16, torch.float64])
def test_tensors_of_another_type_are_refused(any_saved, wrong):
    with_tensors(any_saved, lambda name, value: value.to(wrong))
    with pytest.raises(ValueError, match=r"must be torch\.(float32|int64), got torch\."):
        load_detector(any_saved, verify=False)


@pytest.mark.parametrize("name", ["image_threshold", "pixel_threshold"])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, None, "0.5", [1], True])
def test_thresholds_that_are_no_numbers_are_refused(saved, name, wrong):
    old = json.loads((saved / "detector.json").read_text())[name]
    edited(saved, **{name: old | {"value": wrong} if isinstance(old, dict) else wrong})
    with pytest.raises(ValueError, match=r"threshold must be|is no number"):
        load_detector(saved, verify=False)


def test_a_threshold_is_a_finite_number():
    with pytest.raises(ValueError, match="high of a threshold must be a finite number, got nan"):
        Threshold(1.0, 0.5, math.nan, 20, 95.0)


class Broken(Detector):
    """Maps of a constant; NaN where it is told so."""

    says = 0.5

    def _fit(self, train, validation):
        pass

    def _anomaly_map(self, images):
        return torch.full_like(images[:, 0], self.says)

    def _tensors(self):
        return {}

    def _restore(self, tensors):
        pass


@pytest.fixture
def constant(splits):
    with pytest.warns(UserWarning, match=r"are equal, and percentile .* the threshold lies above them"):
        return Broken(quiet=True).fit(splits.train, splits.validation)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_maps_and_scores_that_are_no_numbers_are_an_error(splits, constant, wrong):
    constant.says = wrong
    image = splits.test[0]["image"]
    says = r"the anomaly map of this Broken is NaN or infinite.*Load an earlier copy, fit it again"
    for judge in (
        lambda: constant.predict(image),
        lambda: constant.anomaly_map(image[None]),
        lambda: constant.image_score(image[None]),
        lambda: constant.predict_dataset(splits.test),
        lambda: constant.calibrate(splits.validation),
        lambda: evaluate(constant, splits.test, bootstrap=0),
    ):
        with pytest.raises(ValueError, match=says):
            judge()
    with pytest.raises(ValueError, match="the image score of this Broken is NaN"):
        constant.decide(np.zeros((2, 2)), math.nan)
    constant.pixel_threshold = math.nan
    with pytest.raises(ValueError, match="the threshold of this Broken is NaN"):
        constant.decide(np.zeros((2, 2)), 0.0)


# -- ties ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.0, 0.5, 1e-30, 3e4, -2.0])
def test_a_threshold_lies_above_a_tie_that_would_break_its_promise(level):
    with pytest.warns(UserWarning, match="50 of 50 scores of normal samples are equal"):
        tied = percentile([level] * 50, 95)
    assert level < tied.value <= level + max(1e-5 * abs(level), 1e-30)
    assert tied.high >= tied.value
    # also in float32, in which maps and scores come
    assert not (np.full(50, level, np.float32) >= tied.value).any()
    with pytest.warns(UserWarning, match="60 of 100"):
        assert not (np.array([0.0] * 40 + [1.0] * 60) >= percentile([0] * 40 + [1] * 60, 95).value).any()


def test_scores_that_differ_and_scores_of_few_digits_keep_their_percentile():
    draw = np.random.default_rng(0)
    for scores in (draw.normal(size=200), np.arange(20.0), np.rint(draw.normal(5, 1, 4000) * 3)):
        found = percentile(scores, 95).value
        assert (scores >= found).mean() <= 0.055
        assert found == pytest.approx(np.percentile(scores, 95), abs=1e-4)


def test_what_rises_above_a_tie_is_still_flagged():
    with pytest.warns(UserWarning, match="are equal"):
        threshold = percentile([0.0] * 90 + [0.0] * 8 + [1.0, 2.0], 95).value
    assert 0 < threshold < 1


def test_a_method_that_says_the_same_of_all_flags_none_of_them(splits, constant):
    assert constant.threshold > 0.5
    assert constant.pixel_threshold > 0.5
    evaluation = evaluate(constant, splits.test, bootstrap=0)
    assert evaluation.false_positive_rate == 0
    prediction = constant.predict(splits.test[0]["image"])
    assert not prediction.is_anomalous
    assert not prediction.mask.any()


def test_images_that_repeat_each_other_are_not_all_flagged(splits, fitted):
    """Few files that hold the same pixels: each map comes several times."""
    views = [splits.validation[i]["image"].numpy() for i in range(3)]
    repeated = AnomalyDataset([ArraySample(views[i % 3], source=f"frame {i}") for i in range(24)])
    maps, scores = fitted.judge_items(repeated)
    with warnings.catch_warnings(action="ignore"):
        threshold = image_threshold(repeated, maps, scores, 95, by_maximum=True).value
        pixel = pixel_threshold(repeated, maps, 99.5)
    assert not any(score >= threshold for score in scores)
    assert np.mean([(one >= pixel).float().mean() for one in maps]) <= 0.0055


# -- other versions, and hands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["settings"].update(residual="l1"),
        lambda d: d["settings"].update(smoothing=0),
        lambda d: d["settings"].update(percentile=50),
        lambda d: d["image_threshold"].update(value=9.0),
        lambda d: d.update(pixel_threshold=9.0),
        lambda d: d["preprocessing"].update(resize=[16, 16]),
        lambda d: d["provenance"].update(adkit="9.9"),
        lambda d: d.update(note="checked"),
    ],
)
def test_an_edited_description_is_refused_until_it_is_asked_for(saved, change):
    description = json.loads((saved / "detector.json").read_text())
    change(description)
    (saved / "detector.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match=r"detector\.json changed .* by calibrate or by a policy.*verify=False"):
        load_detector(saved)
    with warnings.catch_warnings(action="ignore"):
        load_detector(saved, verify=False)


def test_changed_weights_are_refused_and_another_layout_of_the_text_is_not(saved, fitted):
    description = json.loads((saved / "detector.json").read_text())
    (saved / "detector.json").write_text(json.dumps(dict(reversed(description.items())), indent=7))
    assert load_detector(saved).threshold == fitted.threshold
    with_tensors(saved, lambda name, value: value + 1 if value.is_floating_point() else value)
    with pytest.raises(ValueError, match=r"weights\.safetensors changed since then"):
        load_detector(saved)
    with pytest.warns(UserWarning, match=r"weights\.safetensors changed since then"):
        load_detector(saved, verify=False)


@pytest.mark.parametrize("version", ["9.9", None])
def test_another_version_is_told(fitted, tmp_path, monkeypatch, version):
    described = fitted.describe()
    monkeypatch.setattr(fitted, "describe", lambda: described | {"provenance": version and {"adkit": version}})
    with pytest.warns(UserWarning, match=f"was saved by adkit {version or 'of an unknown version'}, and this is"):
        load_detector(fitted.save(tmp_path / "other"))


def test_a_missing_setting_is_told_and_a_known_one_is_filled_in(fitted, tmp_path, monkeypatch):
    described = fitted.describe()
    kept = {name: value for name, value in described["settings"].items() if name not in ("repair", "patience")}
    monkeypatch.setattr(fitted, "describe", lambda: described | {"settings": kept})
    with pytest.warns(UserWarning, match="does not tell its repair, which take the values that are usual today"):
        load_detector(fitted.save(tmp_path / "other"))
    assert "patience" in storage.ADDED_SETTINGS


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": []}, {"settings": None}, {"preprocessing": []}, {"preprocessing": None}, {"detector": []},
        {"detector": {}}, {"detector": None}, {"history": None}, {"history": [1]}, {"image_threshold": 3},
        {"image_threshold": {}}, {"pixel_threshold": {}},
        {"preprocessing": {"channels": 2}}, {"preprocessing": {"channels": True}},
        *({"preprocessing": {"channels": 1, "resize": size}} for size in ([64], "ab", [-1, -1], [0, 0], [1.5, 2])),
        {"preprocessing": {"channels": 1, "tile": [0, 0]}}, {"preprocessing": {"channels": 1, "overlap": 8}},
        {"preprocessing": {"channels": 1, "tile": [8, 8], "overlap": 8}},
        *({"preprocessing": {"channels": 1, "foreground": rule}} for rule in ("../../x", 1, None)),
    ],
)  # fmt: skip
def test_a_description_of_other_types_is_refused_at_once(saved, changes):
    edited(saved, **changes)
    with pytest.raises(ValueError, match=r"does not fit adkit|is not known here"):
        load_detector(saved, verify=False)


@pytest.mark.parametrize("text", ["[]", "null", "3", '"text"', "[" * 100_000, "", "{", '{"a": 1e999}'])
def test_what_is_no_description_is_refused(saved, text):
    (saved / "detector.json").write_text(text)
    with warnings.catch_warnings(action="ignore"), pytest.raises(ValueError, match=r"is damaged|is not known here"):
        load_detector(saved)


@pytest.mark.parametrize("name", ["detector.json", "weights.safetensors"])
def test_a_folder_in_the_place_of_a_file_is_refused(saved, name):
    (saved / name).unlink()
    (saved / name).mkdir()
    with pytest.raises(ValueError, match="is damaged"):
        load_detector(saved)


# -- wrong objects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, says",
    [
        (lambda s: s, r"got a Splits; pass its part splits\.train"),
        (lambda s: DataLoader(s.train), r"got a DataLoader; pass the loader's dataset"),
        (lambda s: Subset(s.train, [0]), r"got a Subset; use dataset\.subset\(indices\)"),
        (lambda s: "photos", r"got a str; read it first: load_dataset\('folder', root='photos'\)\.train"),
        (lambda s: [s.train[0]], "got a list; images in memory"),
        (lambda s: np.zeros((4, 8, 8)), "got a ndarray; images in memory"),
        (lambda s: torch.zeros(4, 1, 8, 8), "got a Tensor; images in memory"),
        (lambda s: None, "got None"),
        (lambda s: 3, "got a int"),
    ],
)
def test_who_passes_something_else_is_told_what_to_pass(splits, fitted, wrong, says):
    with pytest.raises(TypeError, match=f"train must be a dataset such as splits.train, {says}"):
        AutoencoderDetector(**TINY).fit(wrong(splits), splits.validation)
    said = says.replace("train", "(test|validation)")
    if wrong(splits) is not None:
        with pytest.raises(TypeError, match=said):
            AutoencoderDetector(**TINY).fit(splits.train, wrong(splits))
    for judge in (lambda x: evaluate(fitted, x), fitted.calibrate, fitted.predict_dataset, fitted.judge_images):
        with pytest.raises(TypeError, match=said):
            judge(wrong(splits))


def test_empty_parts_and_other_channels_are_refused(splits):
    with pytest.raises(ValueError, match="train holds no image"):
        AutoencoderDetector(**TINY).fit(splits.train.subset([]), splits.validation)
    colour = load_dataset("textile", category="denim", image_size=(32, 64), channels=3)
    with pytest.raises(ValueError, match=r"validation has images of 3 channel\(s\) and train of 1; load both"):
        AutoencoderDetector(**TINY).fit(splits.train, colour.validation)


@pytest.mark.parametrize(
    "wrong, says",
    [
        (lambda s: s.test, "the detector comes first, then the dataset"),
        (lambda s: s, "the detector comes first"),
        (lambda s: AutoencoderDetector, "got the class AutoencoderDetector; fit one first"),
        (lambda s: "runs/d", r"load it first: load_detector\('runs/d'\)"),
        (lambda s: None, "got None"),
    ],
)
def test_evaluate_needs_a_detector(splits, wrong, says):
    with pytest.raises(TypeError, match=f"detector must be a fitted detector, .*{says}"):
        evaluate(wrong(splits), splits.test)


def test_batches_of_another_kind_are_refused_with_the_cure(fitted):
    with pytest.raises(TypeError, match=r"must be a tensor \(B, 1, H, W\), got a ndarray; use torch.from_numpy"):
        fitted.anomaly_map(np.zeros((1, 1, 32, 64), np.float32))
    with pytest.raises(ValueError, match=r"move the channels to the front: images\.permute\(0, 3, 1, 2\)"):
        fitted.anomaly_map(torch.zeros(1, 32, 64, 3))
    with pytest.raises(ValueError, match=r"make it a batch of one: image\[None\]"):
        fitted.image_score(torch.zeros(1, 32, 64))
    with pytest.raises(ValueError, match="hold no pixel"):
        fitted.image_score(torch.zeros(0, 1, 32, 64))
