"""Monitoring: no alarm without a reason, an alarm with one, and thresholds that nobody drags along."""

import json

import numpy as np
import pytest
from PIL import Image

from adkit.deploy import Monitor, Policy, Reference, make_reference, monitor_folder, retune, retune_folder
from adkit.deploy.monitoring.drift import alarm_p_value, drift_p_value, least_alarms
from adkit.deploy.monitoring.quality import input_quality
from adkit.deploy.monitoring.retuning import RetuningRefused, propose, suspicious

RNG = np.random.default_rng(0)


def noise(seed=0, mean=120, spread=20, shape=(1, 32, 64)):
    pixels = np.random.default_rng(seed).normal(mean, spread, shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def reference(n=40):
    qualities = [input_quality(noise(i)) for i in range(n)]
    return Reference.of(np.random.default_rng(1).lognormal(size=n), qualities)


# -- the image -------------------------------------------------------------------------------------------------------


def test_a_dead_camera_is_seen_without_any_reference():
    assert input_quality(np.zeros((1, 9, 9), np.uint8)).faults == ["black"]
    assert input_quality(np.full((3, 9, 9), 255, np.uint8)).faults == ["white"]
    assert input_quality(np.full((1, 9, 9), 30_000, np.uint16)).faults == ["constant"]
    assert input_quality(noise()).faults == []


@pytest.mark.parametrize(
    "pixels,expected",
    [
        (noise(99), []),
        (noise(99, mean=60), ["dark"]),
        (noise(99, mean=180), ["bright"]),
        (np.repeat(noise(99)[:, :, ::2], 2, axis=2), ["blurred"]),
        (noise(99, shape=(1, 32, 60)), ["size"]),
        (noise(99, shape=(3, 32, 64), spread=34), ["channels"]),
        (np.zeros((1, 32, 64), np.uint8), ["black"]),
    ],
)
def test_unusual_images_are_named(pixels, expected):
    assert reference().warnings(input_quality(pixels)) == expected


def test_large_images_are_looked_at_in_their_middle():
    pixels = np.zeros((1, 1500, 1500), np.uint8)
    pixels[:, 250:1250, 250:1250] = 128
    quality = input_quality(pixels)
    assert (quality.height, quality.width) == (1500, 1500)
    assert quality.mean == pytest.approx(128 / 255)


# -- the tests -------------------------------------------------------------------------------------------------------


def test_quiet_lines_stay_quiet():
    """Lines on which nothing drifts: the design allows 5 % of them one alarm in 40 windows; here are fewer, shorter."""
    rng, alarmed = np.random.default_rng(3), 0
    for _ in range(40):
        scores = rng.lognormal(size=40)
        monitor = Monitor(Reference(tuple(scores)), np.percentile(scores, 95), window=100)
        alarmed += any(monitor.add("normal", score) for score in rng.lognormal(size=1000))
    assert alarmed <= 2


def test_a_drift_is_found_within_two_windows():
    rng = np.random.default_rng(4)
    scores = rng.lognormal(sigma=0.3, size=40)
    monitor = Monitor(Reference(tuple(scores)), np.percentile(scores, 95), window=100)
    found = [alert for score in rng.lognormal(0.5, 0.3, size=200) for alert in monitor.add("normal", score)]
    assert {"score_drift", "alarm_rate"} <= {alert.kind for alert in found}
    assert found[0].at == 100
    assert "100 images beside 40 normal ones" in found[0].text


def test_what_few_normals_cannot_see():
    few, many = (np.arange(n) for n in (40, 200))
    assert least_alarms(few, 38, 200, 0.01) == 42  # 21 %; a binomial test that takes 5 % for granted: 19
    assert least_alarms(many, 190, 200, 0.01) < 30
    assert alarm_p_value(few, 38, 0, 200) == 1
    assert drift_p_value([1.0], [1.0]) == 1
    assert 0 < Monitor(Reference(tuple(few)), 38).blind_below < 0.5


def test_faults_and_frozen_frames_are_alerts_at_once():
    monitor, dead = Monitor(reference(), 3.0), input_quality(np.zeros((1, 32, 64), np.uint8))
    assert monitor.add("normal", 1.0, input_quality(noise(1))) == []
    (alert,) = monitor.add("fault", 9.0, dead, ["black"])
    assert (alert.kind, alert.at) == ("input_black", 2)
    assert monitor.add("fault", 9.0, dead, ["black"]) == []  # said once
    (alert,) = monitor.add("fault", 9.0, dead, ["black"])
    assert alert.kind == "input_frozen"
    assert monitor.judged == 1
    assert monitor.state()["verdicts"] == {"normal": 1, "fault": 3}


def test_unusual_images_are_an_alert_when_there_are_several():
    monitor = Monitor(reference(), 3.0)
    found = [monitor.add("normal", 1.0, input_quality(noise(i)), ["dark"]) for i in range(8)]
    assert [len(alerts) for alerts in found] == [0, 0, 0, 0, 1, 0, 0, 0]
    assert found[4][0].kind == "input_dark"


def test_a_darker_lamp_is_a_drift_of_brightness():
    monitor = Monitor(reference(), 3.0, window=40)
    scores = np.random.default_rng(1).lognormal(size=40)
    found = [
        alert
        for i, score in enumerate(scores)
        for alert in monitor.add("normal", score, input_quality(noise(100 + i, mean=118)))
    ]
    assert [alert.kind for alert in found] == ["brightness"]


def test_a_monitor_goes_on_where_it_was(tmp_path):
    known = reference()
    whole, first = (Monitor(known, 2.0, window=30) for _ in range(2))
    for i in range(70):
        args = ("normal", float(i % 7), input_quality(noise(i // 2)), ["dark"] * (i % 3 == 0))
        whole.add(*args)
        if i == 40:
            first.save(tmp_path / "state.json")
            first = Monitor.load(tmp_path / "state.json")
        first.add(*args)
    ours, theirs = first.state(), whole.state()
    assert {**ours, "time": ""} == {**theirs, "time": ""}
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(ValueError, match="begin anew"):
        Monitor.load(tmp_path / "state.json")


@pytest.mark.parametrize("options", [{"window": 5}, {"alpha": 0.0}, {"alpha": 1.0}])
def test_what_a_monitor_refuses(options):
    with pytest.raises(ValueError, match="must"):
        Monitor(Reference((1.0,)), 1.0, **options)


def test_references_are_checked(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        Reference(())
    with pytest.raises(ValueError, match="finite"):
        Reference((np.nan,))
    with pytest.raises(FileNotFoundError, match="no reference"):
        Reference.load(tmp_path)
    known = reference()
    assert Reference.load(known.save(tmp_path)) == known
    (tmp_path / "monitor.json").write_text('{"scores": [1], "mane": []}')
    with pytest.raises(ValueError, match="damaged"):
        Reference.load(tmp_path)


# -- a folder --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def line(fitted, splits, tmp_path_factory):
    """A detector on disk, its normals as files, and a line that goes dark."""
    folder = tmp_path_factory.mktemp("line")
    for part, dataset in (("normals", splits.validation), ("coming", splits.train)):
        (folder / part).mkdir()
        for i in range(len(dataset)):
            pixels = 255 * dataset[i]["image"][0].numpy()
            pixels = pixels * 0.85 if part == "coming" and i >= 40 else pixels
            Image.fromarray(pixels.round().astype(np.uint8)).save(folder / part / f"{i:03d}.png")
    return fitted.save(folder / "detector"), folder


def test_a_folder_is_watched(line, tmp_path):
    detector, folder = line
    state = tmp_path / "state.json"
    monitor = monitor_folder(detector, folder / "coming", state, normals=folder / "normals", window=40, quiet=True)
    assert (detector / "monitor.json").is_file()
    assert {alert.kind for alert in monitor.alerts} >= {"brightness"}
    assert min(alert.at for alert in monitor.alerts) > 40
    assert json.loads(state.read_text())["seen"] == 80
    again = monitor_folder(detector, folder / "normals", state, window=40, quiet=True)
    assert again.seen == 120
    assert make_reference(detector, folder / "normals", quiet=True).threshold_n == 40


@pytest.mark.filterwarnings("ignore:.*checksum")
@pytest.mark.filterwarnings("ignore:.*was saved by adkit 0.1.0, and this is")
def test_nothing_known_about_normals_is_an_error(line):
    with pytest.raises(ValueError, match="pass normals="):
        monitor_folder(
            __file__.replace("test_monitoring.py", "data/version_0_1_0/vae"), line[1] / "normals", quiet=True
        )


# -- re-tuning -------------------------------------------------------------------------------------------------------

OLD = Policy(image_threshold=1.0, pixel_threshold=0.5, review=(0.9, 1.1), high=0.8, origin={"detector": "abc"})
NAMES = [f"{i}.png" for i in range(200)]


def scores(n=60, shift=0.0, seed=5):
    return np.random.default_rng(seed).lognormal(shift - 0.5, 0.3, n)


def proposed(values, **options):
    maps = [np.full((4, 4), 0.45)] * len(values)
    return propose(values, maps, OLD, **{"confirmed": True, "names": NAMES, "known": scores(seed=6)} | options)


def test_a_proposal_says_what_it_would_change(tmp_path):
    proposal = proposed(scores(shift=0.1))
    assert proposal.policy.image_threshold == pytest.approx(proposal.image.value)
    assert not proposal.capped
    assert proposal.policy.pixel_threshold == pytest.approx(0.45)
    assert proposal.policy.high == pytest.approx(0.72)
    assert proposal.policy.origin["previous"] == OLD.sha256
    assert proposal.policy.origin["detector"] == "abc"
    assert proposal.alarms_after == pytest.approx(0.05)
    share = proposal.policy.image_threshold
    assert proposal.policy.review == pytest.approx((0.9 * share, 1.1 * share))
    flipped = {name for name, s in zip(NAMES, scores(shift=0.1), strict=False) if (s >= 1) != (s >= share)}
    assert set(proposal.flips) == flipped
    OLD.save(tmp_path)
    proposal.write(tmp_path)
    assert Policy.load(tmp_path) == proposal.policy
    assert Policy.load(tmp_path / f"policy-{OLD.sha256[:12]}.json") == OLD


def test_one_step_is_capped():
    proposal = proposed(scores(shift=1.5))
    assert proposal.capped
    assert proposal.policy.image_threshold == pytest.approx(1.2)
    assert "one step is not enough" in proposal.recommendation
    assert proposed(scores(shift=-2)).policy.image_threshold == pytest.approx(0.8)


def test_a_threshold_that_still_fits_need_not_change():
    assert "no need to change" in proposed(scores(shift=0.02)).recommendation


def test_what_re_tuning_refuses(tmp_path):
    with pytest.raises(RetuningRefused, match="nobody has confirmed"):
        proposed(scores(), confirmed=False)
    with pytest.raises(RetuningRefused, match="nobody has confirmed"):  # before anything is loaded or judged
        retune_folder(tmp_path / "no detector", tmp_path / "no images")
    with pytest.raises(RetuningRefused, match="19 independent normal images are too few"):
        proposed(scores(19))
    with pytest.raises(RetuningRefused, match="2 independent"):
        proposed(scores(), sources=2)


@pytest.mark.parametrize("seed", range(10))
def test_contaminated_normals_are_refused_and_drifted_ones_are_not(seed):
    clean = scores(80, shift=0.4, seed=seed)
    assert suspicious(clean, scores(seed=6)) == []
    defects = np.random.default_rng(seed).lognormal(2.0, 0.8, 20)
    with pytest.raises(RetuningRefused, match="stand out as defects do; look at"):
        proposed(np.concatenate([clean, defects]))


def test_a_folder_of_normals_gives_a_proposal_and_writes_when_asked(line, fitted, splits, tmp_path):
    detector, folder = line
    proposal = retune_folder(detector, folder / "normals", confirmed=True, quiet=True)
    assert not (detector / "policy.json").exists()
    assert proposal.image.value == pytest.approx(fitted.threshold, rel=1e-6)
    written = retune_folder(detector, folder / "normals", tmp_path / "new.json", confirmed=True, quiet=True)
    assert Policy.load(tmp_path / "new.json") == written.policy
    by_dataset = retune(fitted, splits.validation, Policy.of(fitted), confirmed=True)
    assert by_dataset.policy.image_threshold == pytest.approx(proposal.policy.image_threshold, rel=1e-6)
    for name, data, message in (("bad.png", b"PNG", "cannot be read"), ("dead.png", None, "is black")):
        mixed = tmp_path / name
        mixed.mkdir()
        Image.new("L", (64, 32)).save(mixed / "z.png") if data is None else (mixed / "z.png").write_bytes(data)
        with pytest.raises(RetuningRefused, match=message):
            retune_folder(detector, mixed, confirmed=True, quiet=True)
