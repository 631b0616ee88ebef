"""``adkit train``: the whole life of a network from the command line; thresholds at several percentiles; a picture."""

import json

import numpy as np
import pytest
from PIL import Image

from adkit import AutoencoderDetector, FilterBankDetector, PatchCoreDetector, load_dataset, load_detector
from adkit.__main__ import main
from adkit.data import read_image
from adkit.detectors.folder_report import GAP
from adkit.experiments.thresholds import thresholds_table
from adkit.scoring.thresholds import percentile
from tests.conftest import TINY

COUNTS = "counts=[40,24,10,9]"
VAE = ["--set", "latent_dim=4", "widths=[4,8]", "--image-size", "32", "--device", "cpu", "--quiet", "--bootstrap", "0"]
TRAIN = ["train", "--dataset", "plots", "--options", COUNTS, "--epochs", "4", "--every", "2", *VAE]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("train") / "vae"
    assert main([*TRAIN, "--out", str(out)]) == 0
    return out


def refused(capsys, *words):
    with pytest.raises(SystemExit, match="2"):
        main([str(word) for word in words])
    return capsys.readouterr().err


def test_the_vae_leaves_its_results_curves_and_reconstructions(trained):
    results = json.loads((trained / "results/vae_results.json").read_text())
    assert results["detector"] == "VAEDetector"
    assert results["epochs"] == 4
    assert 0 <= results["metrics"]["image_auroc"] <= 1
    assert [row["percentile"] for row in results["thresholds"]] == [90, 95, 99]
    assert [(row["normal"], row["anomalous"]) for row in results["thresholds"]] == [(10, 9)] * 3
    alarms = [row["alarms"] for row in results["thresholds"]]
    assert alarms == sorted(alarms, reverse=True)
    assert (trained / "training_curves.png").stat().st_size > 0
    pictures = sorted(path.name for path in (trained / "reconstructions").iterdir())
    assert pictures == ["epoch_0002.png", "epoch_0004.png"]


def test_a_run_that_is_over_is_read_and_its_other_percentiles_are_computed(trained, capsys):
    before = (trained / "detector/weights.safetensors").stat().st_mtime_ns
    assert main([*TRAIN, "--out", str(trained), "--percentiles", "50"]) == 0
    assert "percentile 50: threshold" in capsys.readouterr().out
    assert (trained / "detector/weights.safetensors").stat().st_mtime_ns == before
    assert main([*TRAIN, "--out", str(trained)]) == 0


def test_its_detector_predicts_one_image_with_a_picture_and_a_folder(trained, tmp_path, capsys):
    test = load_dataset("plots", counts=[40, 24, 10, 9]).test
    (tmp_path / "new").mkdir()
    for k in (0, 12):
        pixels = (255 * test[k]["image"]).byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / f"new/{k}.png")
    words = ["predict", trained / "detector", tmp_path / "new/12.png", "--save", tmp_path / "result.png"]
    assert main([str(word) for word in words]) == 0
    height, width = read_image(tmp_path / "result.png").shape[1:]
    assert (height, width) == (224, 5 * 224 + 4 * GAP)  # image, reconstruction, difference, map, mask
    assert main(["predict", str(trained / "detector"), str(tmp_path / "new"), "--out", str(tmp_path / "seen")]) == 0
    assert (tmp_path / "seen/12.png.png").is_file()
    capsys.readouterr()
    cuts = {}
    for q in ("90", "99"):
        words = ["predict", trained / "detector", tmp_path / "new/12.png", "--percentile", q, "--json"]
        assert main([str(word) for word in words]) == 0
        cuts[q] = json.loads(capsys.readouterr().out)["threshold"]
    scores = load_detector(trained / "detector", device="cpu").normals["scores"]
    assert cuts == {q: percentile(scores, float(q)).value for q in cuts}


@pytest.mark.parametrize(
    "words, message",
    [
        (["--method", "patchcore"], "patchcore trains no network, so there is nothing to record; use adkit fit"),
        (["--epochs", "2", "--set", "steps=3"], "say the same; give one of them"),
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--set", "seed=3"], "seed has an option of its own"),
        (["--options", "size=[3]"], "has no option 'size'"),
        (["--percentiles", "100"], "percentiles must lie between 0 and 100"),
        (["--every", "0"], "every must be at least 1"),
    ],
)
def test_wrong_use_ends_with_one_line(words, message, tmp_path, capsys):
    common = ["train", "--dataset", "plots", "--image-size", "32", "--device", "cpu", "--quiet", "--bootstrap", "0"]
    small = [] if "--set" in words or "--method" in words else ["--set", "latent_dim=4", "widths=[4,8]"]
    small += [] if "--epochs" in words else ["--epochs", "1"]
    options = [] if "--options" in words else ["--options", COUNTS]
    assert message in refused(capsys, *common, *options, *small, *words, "--out", tmp_path / "out")


def test_predict_refuses_a_picture_of_several_and_what_is_no_png(trained, tmp_path, capsys):
    for name in "ab":
        Image.effect_noise((40, 40), 20).save(tmp_path / f"{name}.png")
    detector = trained / "detector"
    several = "--save is the picture of one image"
    assert several in refused(capsys, "predict", detector, tmp_path / "a.png", tmp_path / "b.png", "--save", "x.png")
    assert several in refused(capsys, "predict", detector, tmp_path, "--out", tmp_path / "out", "--save", "x.png")
    assert "save must end in .png" in refused(capsys, "predict", detector, tmp_path / "a.png", "--save", "x.jpg")
    assert "percentile" in refused(capsys, "predict", detector, tmp_path / "a.png", "--percentile", "0")


# -- the same from Python ----------------------------------------------------------------------------------------------


def test_thresholds_of_a_table_are_those_of_a_calibration(splits):
    detector = AutoencoderDetector(**TINY).fit(splits.train, splits.validation)
    _, scores = detector.judge_images(splits.test)
    for row in thresholds_table(detector, splits, [80, 95]):
        same = detector.with_settings(percentile=row["percentile"]).calibrate(splits.validation)
        assert row["threshold"] == same.threshold == detector.at_percentile(row["percentile"]).threshold
        flagged = scores >= same.threshold
        assert row["alarms"] == flagged[splits.test.labels == 0].sum()
        assert row["found"] == flagged[splits.test.labels == 1].sum()


def test_another_percentile_needs_no_image_and_leaves_the_detector(splits):
    detector = FilterBankDetector(quiet=True).fit(splits.train, splits.validation)
    before = detector.threshold
    strict = detector.at_percentile(99)
    assert strict.threshold >= detector.threshold == before
    assert strict.settings.percentile == 99
    assert strict.pixel_threshold == detector.pixel_threshold
    assert strict.predict(splits.test[0]["image"]).score == detector.predict(splits.test[0]["image"]).score
    detector.normals = {}
    with pytest.raises(ValueError, match="keeps no scores of its validation normals"):
        detector.at_percentile(99)
    with pytest.raises(RuntimeError, match="has not been fitted"):
        FilterBankDetector().at_percentile(99)


@pytest.mark.parametrize(
    "made, settings, panels",
    [
        (AutoencoderDetector, TINY, 5),
        (FilterBankDetector, {"quiet": True}, 3),
        (PatchCoreDetector, {"backbone": "own", "own": {**TINY}, "quiet": True}, 3),
    ],
)
def test_every_method_saves_a_picture_and_says_the_same_without(made, settings, panels, splits, tmp_path):
    detector = made(**settings).fit(splits.train, splits.validation)
    image = splits.test[60]["image"]
    seen = detector.predict(image, save=tmp_path / "deeper/result.png")
    assert seen == detector.predict(image)
    height, width = read_image(tmp_path / "deeper/result.png").shape[1:]
    assert (height, width) == (panels * 32 + (panels - 1) * GAP, 64)  # a frame wider than high: one below the other
    top = np.asarray(Image.open(tmp_path / "deeper/result.png"))[:32, :, 0]
    assert np.array_equal(top, np.rint(255 * image[0].numpy()))
    with pytest.raises(ValueError, match=r"save must end in \.png"):
        detector.predict(image, save=tmp_path / "result.jpg")


def test_plots_come_in_any_number():
    plots = load_dataset("plots", counts=[1781, 100, 500, 492])
    assert (len(plots.train), len(plots.validation), len(plots.test)) == (1781, 100, 992)
    assert int(plots.test.labels.sum()) == 492
    assert len(plots.test.defect_types) == 9
    default = load_dataset("plots")
    assert plots.train.samples[:400] == default.train.samples  # more of them are the same ones, and others
    for wrong in (7, "1234", [1, 2, 3], [1.5, 1, 1, 1], [1, 1, 1, -1]):
        with pytest.raises(ValueError, match="counts must be four numbers"):
            load_dataset("plots", counts=wrong)
    with pytest.raises(TypeError, match="no option 'sizes'; its own options are counts"):
        load_dataset("plots", sizes=[1])
