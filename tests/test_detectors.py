"""Detectors: thresholds, one path for training, testing and production, other settings and other normals."""

import numpy as np
import pytest
import torch
from PIL import Image

from adkit import AutoencoderDetector, load_dataset
from adkit.data import AnomalyDataset
from adkit.data.samples import FileSample
from adkit.detectors.calibration import image_threshold
from adkit.detectors.preprocessing import Preprocessing
from tests.conftest import TINY

FEW = "validation images"


@pytest.fixture(scope="module")
def strips(tmp_path_factory):
    """Nine fabric strips with a white end, as AITEX has them, on disk."""
    folder = tmp_path_factory.mktemp("strips")
    for i in range(9):
        strip = np.random.default_rng(i).integers(50, 150, (40, 600), dtype=np.uint8)
        strip[:, : 60 + 8 * i] = 255
        Image.fromarray(strip).save(folder / f"{i}.png")
    return [FileSample(path, "strip", path.name) for path in sorted(folder.iterdir())]


def parts(samples, resize=None, tile=None, overlap=0, foreground="fabric"):
    """Train, validation and test of some samples."""
    return (
        AnomalyDataset(part, resize, None, tile, overlap, foreground, drop_background=k == 0)
        for k, part in enumerate((samples[:4], samples[4:7], samples[7:]))
    )


# -- thresholds ----------------------------------------------------------------------------------------------------


def test_thresholds_are_percentiles_of_validation_normals(splits, fitted):
    maps, scores = fitted.judge_images(splits.validation)
    assert fitted.threshold == pytest.approx(np.percentile(scores, 95), rel=1e-6)
    assert fitted.pixel_threshold == pytest.approx(np.percentile(np.stack(maps), 99.5), rel=1e-5)
    assert (fitted.image_threshold.n, fitted.image_threshold.q) == (40, 95)
    assert fitted.image_threshold.low <= fitted.threshold <= fitted.image_threshold.high


def test_an_image_of_many_tiles_raises_no_more_false_alarms():
    tiled = load_dataset("textile", category="denim", image_size=(32, 128), tile=32, overlap=0)
    detector = AutoencoderDetector(**TINY, smoothing=0.0, percentile=80.0)
    detector.fit(tiled.train.subset(range(40)), tiled.validation)
    assert len(tiled.validation) == 40 * 4
    assert detector.image_threshold.q == pytest.approx(100 * 0.8 ** (1 / 4))
    flagged = detector.judge_images(tiled.validation)[1] >= detector.threshold
    assert 0.05 < flagged.mean() < 0.35  # 20 % of the images; the tiles' own 80 % would flag more than half


class NormalMaps:
    """The little that a threshold needs of a validation set."""

    tile = None

    def __init__(self, count, shape, seed=0):
        self.maps = list(torch.from_numpy(np.random.default_rng(seed).exponential(size=(count, *shape))).float())
        self.sources = [str(i) for i in range(count)]

    def foreground(self, i):
        return torch.arange(self.maps[i].shape[1]).expand(self.maps[i].shape) >= 32  # the first square shows nothing

    def groups(self):
        return [[i] for i in range(len(self.maps))]


def test_few_images_are_judged_by_squares():
    few, many = NormalMaps(10, (32, 256)), NormalMaps(1000, (32, 256), seed=1)
    scores = [float(one[:, 32:].max()) for one in few.maps]
    with pytest.warns(UserWarning, match=r"10 validation images \(70 scores\)"):
        threshold = image_threshold(few, [one * few.foreground(0) for one in few.maps], scores, 90.0, by_maximum=True)
    assert (threshold.n, threshold.q) == (70, pytest.approx(100 * 0.9 ** (1 / 7)))
    false_alarms = np.mean([float(one[:, 32:].max()) >= threshold.value for one in many.maps])
    assert 0.02 < false_alarms < 0.3
    with pytest.warns(UserWarning, match=r"10 validation images \(10 scores\)"):
        assert image_threshold(few, few.maps, scores, 90.0, by_maximum=False).n == 10


def test_without_validation_every_fifth_source_is_held_out(splits):
    with pytest.warns(UserWarning, match="validation") as caught:
        detector = AutoencoderDetector(**TINY).fit(splits.train)
    texts = [str(warning.message) for warning in caught]
    assert "16 of 80 training images are held out" in texts[0]
    assert "16 validation images (32 scores)" in texts[1]
    assert {warning.filename for warning in caught} == {__file__}
    assert detector.threshold > 0
    with pytest.raises(ValueError, match="two or more are needed to hold one out"):
        AutoencoderDetector(**TINY).fit(splits.train.subset([0]))


def test_anomalous_images_are_refused(splits):
    with pytest.raises(ValueError, match="validation holds 50 images labelled anomalous"):
        AutoencoderDetector(**TINY).fit(splits.train, splits.test)
    with pytest.raises(ValueError, match="train holds 50 images labelled anomalous"):
        AutoencoderDetector(**TINY).fit(splits.test, splits.validation)


# -- one path for training, testing and production -----------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"resize": (24, 300)},
        {"tile": (32, 64), "overlap": 16},
        {"resize": (48, 700), "tile": (64, 96)},  # an image smaller than the tile
        {"foreground": "all", "resize": (32, 64)},
    ],
)
def test_predict_is_what_evaluate_sees(strips, settings):
    train, validation, test = parts(strips, **settings)
    with pytest.warns(UserWarning, match=FEW):
        detector = AutoencoderDetector(**TINY).fit(train, validation)
    judged = detector.predict_dataset(test)
    for path, anomaly_map, score in zip(judged.paths, judged.maps, judged.scores, strict=True):
        prediction = detector.predict(path)
        assert prediction.anomaly_map.shape == (40, 600)
        np.testing.assert_allclose(prediction.anomaly_map, anomaly_map, atol=1e-6)
        assert prediction.score == pytest.approx(score, abs=1e-6)
        assert prediction.is_anomalous == (prediction.score >= prediction.threshold)
        np.testing.assert_array_equal(prediction.mask, prediction.anomaly_map >= detector.pixel_threshold)
        if settings.get("foreground") != "all":
            assert not prediction.anomaly_map[:, :56].any()  # off the fabric; a resized map fades in from there
            assert prediction.anomaly_map[:, 200:].all()


def test_tiles_without_fabric_neither_score_nor_count(strips):
    train, validation, _ = parts(strips, tile=(32, 32))
    with pytest.warns(UserWarning, match=FEW) as caught:
        AutoencoderDetector(**TINY).fit(train, validation)
    with_fabric = sum(bool(validation.foreground(i).any()) for i in range(len(validation)))
    assert with_fabric < len(validation)
    assert f"({with_fabric} scores)" in str(caught[0].message)


def test_missing_tiles_of_background_are_zero_in_the_map(strips):
    train, validation, test = parts(strips, tile=(32, 32))
    with pytest.warns(UserWarning, match=FEW):
        detector = AutoencoderDetector(**TINY).fit(train, validation)
    maps, scores = detector.judge_images(train)
    assert [one.shape for one in maps] == [(40, 600)] * len(scores)
    for group, one in zip(train.groups(), maps, strict=True):
        np.testing.assert_array_equal(one > 0, train.frame_foreground(group[0]))
    with pytest.raises(ValueError, match=r"the tiles leave \d+ of .* uncovered"):
        detector.judge_images(test.subset(test.groups()[0][:-1]))


def test_predict_is_what_evaluate_sees_on_aitex(real_data):
    data = load_dataset("aitex", root=real_data / "aitex", category="02", image_size=(32, 512), tile=(32, 128))
    with pytest.warns(UserWarning, match=FEW):
        detector = AutoencoderDetector(**TINY).fit(data.train, data.validation)
    first = [i for group in data.test.groups()[-2:] for i in group]
    judged = detector.predict_dataset(data.test.subset(first))
    for path, mask, anomaly_map in zip(judged.paths, judged.masks, judged.maps, strict=True):
        assert anomaly_map.shape == mask.shape == (256, 4096)
        np.testing.assert_allclose(detector.predict(path).anomaly_map, anomaly_map, atol=1e-6)


def test_arrays_and_tensors_are_judged_as_files_are(fitted, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 64), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    expected = fitted.predict(tmp_path / "image.png")
    grey = pixels / 255
    turned = np.ascontiguousarray(grey[::-1])[::-1]  # negative strides
    for image in (grey, grey.astype(np.float32)[None], torch.from_numpy(grey), np.stack([grey] * 3), turned):
        prediction = fitted.predict(image)
        np.testing.assert_allclose(prediction.anomaly_map, expected.anomaly_map, atol=1e-6)
        assert prediction.score == pytest.approx(expected.score, abs=1e-6)
    assert fitted.predict(torch.from_numpy(grey).bfloat16()).score == pytest.approx(expected.score, rel=0.1)


def test_maps_and_scores_of_a_batch_agree_with_the_dataset(splits, fitted):
    images = torch.stack([splits.test[i]["image"] for i in range(3)])
    maps, scores = fitted.judge_images(splits.test)
    torch.testing.assert_close(fitted.anomaly_map(images), torch.from_numpy(np.stack(maps[:3])))
    torch.testing.assert_close(fitted.image_score(images).double(), torch.from_numpy(scores[:3]))
    assert fitted.reconstruct(images).shape == images.shape


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((32, 64), np.uint8), r"must be float in \[0, 1\], got torch.uint8; divide by 255"),
        (np.full((32, 64), np.nan), r"must lie in \[0, 1\], got \[nan, nan\]"),
        (np.full((32, 64), 255.0), r"must lie in \[0, 1\], got \[255, 255\]"),
        (np.full((32, 64), -0.1), r"must lie in \[0, 1\], got \[-0.1, -0.1\]"),
        (np.zeros((32, 64, 3)), r"must be \(H, W\), \(1, H, W\) or \(3, H, W\), got \(32, 64, 3\)"),
        (torch.zeros(0, 4), r"must be \(H, W\).*got \(0, 4\)"),
    ],
)
def test_images_that_are_no_images_are_refused(fitted, image, message):
    with pytest.raises(ValueError, match=message):
        fitted.predict(image)


def test_batches_of_another_shape_or_range_are_refused(fitted):
    for method in (fitted.anomaly_map, fitted.image_score, fitted.reconstruct):
        with pytest.raises(ValueError, match=r"must have the shape \(B, 1, H, W\), got \(1, 3, 32, 64\)"):
            method(torch.zeros(1, 3, 32, 64))
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
            method(torch.full((1, 1, 32, 64), 2.0))


def test_predict_names_a_file_that_is_missing_or_damaged(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such image file"):
        fitted.predict(tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"cannot read .*bad\.png"):
        fitted.predict(str(tmp_path / "bad.png"))


def test_a_foreground_without_a_name_cannot_be_saved(strips):
    train, _, _ = parts(strips, foreground=lambda image: np.ones(image.shape, bool))
    with pytest.raises(ValueError, match=r"cannot be saved with a detector; give it a name first"):
        Preprocessing.of(train)


def test_an_unfitted_detector_says_so(tmp_path):
    detector, image = AutoencoderDetector(**TINY), torch.zeros(1, 1, 32, 32)
    calls = [
        lambda: detector.threshold,
        lambda: detector.anomaly_map(image),
        lambda: detector.image_score(image),
        lambda: detector.reconstruct(image),
        lambda: detector.predict(image[0]),
        lambda: detector.predict_folder(tmp_path, tmp_path / "out"),
        lambda: detector.save(tmp_path / "detector"),
        lambda: detector.calibrate(None),
        lambda: detector.judge_items(None),
        lambda: detector.decide(image[0, 0].numpy(), 0.5),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match=r"has not been fitted; call fit\(train, validation\) first"):
            call()


def test_whoever_watches_can_reconstruct(splits):
    detector, drawn = AutoencoderDetector(**TINY | {"steps": 4, "validate_every": 2}), []
    image = splits.validation[0]["image"][None]
    detector.on_validation = lambda row: drawn.append((row["step"], detector.reconstruct(image)))
    detector.fit(splits.train, splits.validation)
    assert [step for step, _ in drawn] == [2, 4]
    assert not torch.equal(drawn[0][1], drawn[1][1])


def test_a_detector_learns_to_take_defects_away(splits):
    settings = TINY | {
        "skip": "concat",
        "defects": {"kinds": ["stain"], "clean": 0.9},
        "validate_every": 1,
        "loss": "mse + ssim",
    }
    detector = AutoencoderDetector(**settings).fit(splits.train, splits.validation)
    assert {"loss", "mse", "ssim", "repair"} <= set(detector.history[-1])
    assert all(0 <= row["validation"] <= 1 for row in detector.history)


def test_what_is_repaired_counts_by_its_weight(splits):
    fitted = [AutoencoderDetector(**TINY, defects="all", repair=weight) for weight in (0.0, 5.0)]
    without, with_weight = (d.fit(splits.train, splits.validation).history[0] for d in fitted)
    assert "repair" not in without
    assert with_weight["loss"] > without["loss"]


# -- other settings, other normals ---------------------------------------------------------------------------------


def test_calibrating_on_the_same_normals_changes_nothing_and_on_others_the_thresholds(splits):
    detector = AutoencoderDetector(**TINY).fit(splits.train, splits.validation)
    image, before = splits.test[0]["image"][None], (detector.image_threshold, detector.pixel_threshold)
    maps = detector.anomaly_map(image)
    assert detector.calibrate(splits.validation) is detector
    assert (detector.image_threshold, detector.pixel_threshold) == before
    detector.calibrate(splits.train)
    assert detector.threshold == pytest.approx(np.percentile(detector.judge_images(splits.train)[1], 95), rel=1e-6)
    assert detector.pixel_threshold != before[1]
    assert torch.equal(detector.anomaly_map(image), maps)
    with pytest.raises(ValueError, match="validation holds 50 images labelled anomalous"):
        detector.calibrate(splits.test)
    with pytest.warns(UserWarning, match="4 validation images") as caught:
        detector.calibrate(splits.validation.subset(range(4)))
    assert {warning.filename for warning in caught} == {__file__}


def test_other_settings_make_a_copy_with_the_old_thresholds(splits, fitted):
    image, maps = splits.test[0]["image"][None], fitted.anomaly_map(splits.test[0]["image"][None])
    other = fitted.with_settings(smoothing=0.0, score="mean", width=4)  # the width is what it was
    assert type(other) is AutoencoderDetector
    assert (other.settings.smoothing, other.settings.score, fitted.settings.smoothing) == (0.0, "mean", 4.0)
    assert (other.threshold, other.pixel_threshold) == (fitted.threshold, fitted.pixel_threshold)
    assert (other.preprocessing, other.history) == (fitted.preprocessing, fitted.history)
    assert not torch.equal(other.anomaly_map(image), maps)
    afresh = AutoencoderDetector(**TINY, smoothing=0.0, score="mean").fit(splits.train, splits.validation)
    assert torch.equal(other.anomaly_map(image), afresh.anomaly_map(image))
    assert other.calibrate(splits.validation).image_threshold == afresh.image_threshold
    with torch.no_grad():
        other.model.head[1].bias += 1.0
    other.history.clear()
    assert torch.equal(fitted.anomaly_map(image), maps)
    assert fitted.history


def test_what_needs_a_training_is_refused_by_a_fitted_detector_only(fitted):
    with pytest.raises(ValueError, match="seed, width cannot change without another training; fit a new Autoencoder"):
        fitted.with_settings(width=5, seed=3, smoothing=1.0)
    with pytest.raises(TypeError, match="unknown setting 'smothing' for AutoencoderDetector; did you mean 'smoothing'"):
        fitted.with_settings(smothing=1.0)
    unfitted = AutoencoderDetector(**TINY).with_settings(width=5)
    assert (unfitted.settings.width, unfitted.is_fitted, fitted.is_fitted) == (5, False, True)
    assert not fitted.fresh(quiet=False).is_fitted
    assert AutoencoderDetector(**TINY).with_settings(device="cpu").settings == AutoencoderDetector(**TINY).settings


def test_a_dataset_is_predicted_with_its_truth(splits, fitted):
    some = splits.test.subset([0, 60])
    predictions = fitted.predict_dataset(some)
    maps, scores = fitted.judge_images(some)
    np.testing.assert_array_equal(predictions.maps, maps)
    np.testing.assert_array_equal(predictions.scores, scores)
    np.testing.assert_array_equal(predictions.masks[1], some.original_mask(1))
    assert (predictions.labels.tolist(), predictions.kinds[0], predictions.paths) == ([0, 1], "good", some.paths)
    decided = fitted.decide(maps[1], scores[1])
    assert (decided.score, decided.is_anomalous) == (scores[1], scores[1] >= fitted.threshold)
    np.testing.assert_array_equal(decided.mask, maps[1] >= fitted.pixel_threshold)
