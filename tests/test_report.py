"""Reports: what a page says, that it equals what the detector says, and that no name in it runs."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from adkit.deploy import Policy, calibrate_policy, find_policy, write_report
from adkit.deploy.pictures import COLOURS, coloured, data_uri, fitted, outline, shown
from adkit.deploy.policies import quiet_peak
from adkit.deploy.report.histogram import histogram
from adkit.deploy.report.write import inert

HOSTILE = ("<img src=x onerror=alert(1)>.png", "=1+1.png", 'a & b\'s "quote".png')


@pytest.fixture(scope="module")
def detector_dir(fitted, tmp_path_factory):
    return fitted.save(tmp_path_factory.mktemp("report") / "detector")


@pytest.fixture(scope="module")
def folder(splits, tmp_path_factory):
    """Four normal frames, six with defects, and what no inspection should stumble over."""
    folder = tmp_path_factory.mktemp("photos")
    for i in (0, 1, 2, 3, 60, 65, 70, 75, 80, 85):
        pixels = (255 * splits.test[i]["image"][0].numpy()).round().astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02d}.png")
    for name in HOSTILE:
        (folder / name).write_bytes((folder / "00.png").read_bytes())
    Image.new("L", (64, 32)).save(folder / "black.png")
    (folder / "broken.png").write_bytes((folder / "00.png").read_bytes()[:400])
    (folder / "wrong.png").write_bytes(b"GIF89a no image")
    return folder


@pytest.fixture(scope="module")
def report(detector_dir, folder, tmp_path_factory):
    out = write_report(detector_dir, folder, tmp_path_factory.mktemp("out") / "page.html", quiet=True)
    return out, json.loads(out.with_suffix(".json").read_text())


def test_every_row_is_what_predict_says(report, fitted, folder, detector_dir):
    _, data = report
    policy = find_policy(detector_dir)
    assert data["totals"]["images"] == len(data["images"]) == 14
    for row in data["images"]:
        told = fitted.predict(folder / row["path"], policy=policy)
        assert (row["score"], row["is_anomalous"]) == (told.score, told.is_anomalous)
        assert row["mask_share"] == told.mask.mean()
        kept = sum(region["area"] for region in row["regions"])
        gone = sum(one["region"]["area"] for one in row["suppressed"])
        assert kept + gone == (told.anomaly_map >= fitted.pixel_threshold).sum()


def test_the_worst_come_first_and_a_dead_camera_is_no_defect(report):
    _, data = report
    rows = data["images"]
    assert (rows[0]["path"], rows[0]["verdict"], rows[0]["warnings"]) == ("black.png", "fault", ["black"])
    for verdict in ("anomalous", "review", "normal"):
        scores = [row["score"] for row in rows if row["verdict"] == verdict]
        assert scores == sorted(scores, reverse=True)
    assert data["totals"]["fault"] == 1


def test_what_could_not_be_read_is_listed(report):
    page, data = report
    assert {one["path"]: one["code"] for one in data["skipped"]} == {
        "broken.png": "damaged",
        "wrong.png": "unsupported_format",
    }
    assert "Files that were not read" in page.read_text()


def test_names_are_inert_and_no_host_is_asked(report):
    page = report[0].read_text()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in page
    assert "a &amp; b&#x27;s &quot;quote&quot;.png" in page
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", page)
    assert not re.findall(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page


def test_the_log_is_a_table_that_runs_no_formula(detector_dir, folder, tmp_path):
    policy = find_policy(detector_dir).changed(min_area=10_000)
    out = write_report(detector_dir, folder, tmp_path, policy=policy, title="All of it", pictures=3, quiet=True)
    assert out == tmp_path / "report.html"
    with (tmp_path / "report_suppressed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    data = json.loads((tmp_path / "report.json").read_text())
    assert len(rows) == sum(len(row["suppressed"]) for row in data["images"])
    assert {row["rule"] for row in rows} == {"min_area"}
    assert "'=1+1.png" in {row["image"] for row in rows}
    text = out.read_text()
    assert text.count("data:image") == 6
    assert "no picture: this page shows the 3 worst images" in text
    assert "strong region(s) suppressed" in text
    assert text.index("strong region(s) suppressed") < text.index("<h2>")
    assert data["policy"]["min_area"] == 10_000
    assert [inert(name) for name in ("=1", "+1", "-1", "@a", "a=1")] == ["'=1", "'+1", "'-1", "'@a", "a=1"]


def test_where_it_comes_from(report, fitted):
    story = report[1]["provenance"]
    assert story["detector"] == "AutoencoderDetector"
    assert story["validation normals"] == fitted.normals["fingerprint"]
    assert story["settings"]["width"] == 4
    assert len(story["weights (SHA-256)"]) == 64
    assert "/" not in story["images"]


@pytest.mark.filterwarnings("ignore:.*checksum")
@pytest.mark.filterwarnings("ignore:.*was saved by adkit 0.1.0, and this is")
def test_a_detector_of_an_older_version_has_no_normals_to_show(folder, tmp_path):
    old = __file__.replace("test_report.py", "data/version_0_1_0/autoencoder")
    with pytest.warns(UserWarning, match="has no checksums, as an older version saved it"):
        text = write_report(old, folder, tmp_path / "old.html", quiet=True).read_text()
    assert "scores of the detector's normal images are not known" in text


def test_errors_say_what_to_do(detector_dir, folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        write_report(detector_dir, tmp_path / "none", tmp_path / "r.html")
    with pytest.raises(ValueError, match="no images in"):
        write_report(detector_dir, tmp_path, tmp_path / "r.html")
    with pytest.raises(FileNotFoundError, match="no saved detector"):
        write_report(tmp_path, folder, tmp_path / "r.html")


# -- policies for detectors ------------------------------------------------------------------------------------------


def test_the_policy_beside_a_detector_is_taken(fitted, tmp_path):
    saved = fitted.save(tmp_path / "detector")
    own = find_policy(saved)
    assert own.image_threshold == fitted.threshold
    beside = own.changed(image_threshold=0.5)
    beside.save(saved)
    assert find_policy(saved) == beside
    assert find_policy(saved, own) == own
    assert find_policy(saved, own.save(tmp_path / "other.json")) == own


def test_a_policy_for_other_weights_is_refused(fitted, fitted_vae, tmp_path):
    policy = find_policy(fitted_vae.save(tmp_path / "vae"))
    saved = fitted.save(tmp_path / "detector")
    with pytest.raises(ValueError, match="made for a detector with the weights"):
        find_policy(saved, policy)
    assert find_policy(saved, policy.changed(origin={})).image_threshold == policy.image_threshold


def test_a_calibrated_policy_is_quiet_on_normals(fitted, splits):
    policy = calibrate_policy(fitted, splits.validation, false_regions_per_image=0.1)
    verdicts = [fitted.predict(splits.validation[i]["image"], policy=policy).verdict for i in range(40)]
    assert sum(len(verdict.kept) for verdict in verdicts) == 4
    assert policy.origin["normals"] == 40
    assert policy.high > fitted.pixel_threshold
    with pytest.raises(ValueError, match="positive"):
        calibrate_policy(fitted, splits.validation, false_regions_per_image=0)
    with pytest.raises(ValueError, match="labelled anomalous"):
        calibrate_policy(fitted, splits.test)
    assert quiet_peak([np.zeros((4, 4))], 0.5, rate=0.1) == 0.5


def test_a_policy_is_of_scores_that_are_a_maximum(fitted_patchcore):
    assert Policy.of(fitted_patchcore).score_is_maximum == (fitted_patchcore.settings.score == "max")


# -- pictures --------------------------------------------------------------------------------------------------------


def test_the_colours_are_those_of_inferno():
    from matplotlib import colormaps

    expected = colormaps["inferno"](np.arange(256), bytes=True)[:, :3].astype(int)
    assert np.abs(COLOURS.astype(int) - expected).max() <= 6


def test_pictures_for_the_eye():
    sixteen = np.array([[[0, 4095]]], np.uint16)
    assert np.asarray(shown(sixteen)).tolist() == [[0, 255]]
    assert np.asarray(shown(sixteen * 16)).tolist() == [[0, 255]]
    assert shown(np.zeros((3, 4, 5), np.uint8)).mode == "RGB"
    assert coloured(np.array([[0.0, 9.0]]), 1.0).getpixel((1, 0)) == tuple(COLOURS[255])
    assert fitted(Image.new("L", (400, 100)), 10_000).size == (200, 50)
    assert fitted(Image.new("L", (40, 10)), 10_000).size == (40, 10)
    assert data_uri(Image.new("L", (4, 4)), kind="PNG").startswith("data:image/png;base64,")


@pytest.mark.parametrize("seed", range(20))
def test_an_outline_encloses_its_mask(seed):
    mask = np.random.default_rng(seed).random((7, 9)) > 0.5
    inside = np.zeros_like(mask)
    for loop in re.findall(r"M(\d+) (\d+)([^z]*)z", outline(mask)):
        x, y = int(loop[0]), int(loop[1])
        first, steps = x, re.findall(r"([hv])(-?\d+)", loop[2])
        y0 = y
        for kind, length in steps:
            if kind == "v":
                rows = slice(min(y, y + int(length)), max(y, y + int(length)))
                inside[rows, x:] ^= True
                y += int(length)
            else:
                x += int(length)
        if y != y0:  # the closing step
            inside[min(y, y0) : max(y, y0), first:] ^= True
    np.testing.assert_array_equal(inside, mask)


def test_a_histogram_of_any_scores():
    policy = Policy(image_threshold=1.0, pixel_threshold=0.5, review=(0.0, 2.0))
    for scores, normals in (([1.0], []), ([0.5, 200.0], [0.4, 0.6]), ([-3.0, 0.0], [0.0]), ([1.0, 1.0], [1.0])):
        drawn = histogram(scores, normals, policy)
        assert "nan" not in drawn
        assert ("log scale" in drawn) == (200.0 in scores)


def test_masks_beside_images_are_named_and_not_judged(detector_dir, splits, tmp_path):
    frame = (255 * splits.test[0]["image"][0].numpy()).round().astype(np.uint8)
    for name, pixels in (("a.png", frame), ("a_mask.png", (frame > 250).astype(np.uint8) * 255)):
        Image.fromarray(pixels).save(tmp_path / name)
    out = write_report(detector_dir, tmp_path, tmp_path / "page.html", quiet=True)
    data = json.loads(out.with_suffix(".json").read_text())
    assert [row["path"] for row in data["images"]] == ["a.png"]
    assert [(row["path"], row["code"]) for row in data["skipped"]] == [("a_mask.png", "mask")]
