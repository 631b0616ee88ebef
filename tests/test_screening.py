"""Two stages: who flags, who names, what both are worth, types never seen, and training images never looked at."""

from dataclasses import replace

import numpy as np
import pytest

from adkit import AutoencoderDetector, VAEDetector, load_dataset
from adkit.data import AnomalyDataset
from adkit.data.plots.samples import labelled_plots, mixed_plots, plots_parts
from adkit.experiments.screening import (  # fmt: skip
    Screened,
    Screening,
    TypeClassifier,
    confusion_matrix,
    contamination,
    fitted_classifier,
    fitted_detector,
    left_out,
    plot_mixes,
    share_interval,
    stage_gaps,
    stage_table,
)
from adkit.metrics import auroc, f1, paired_bootstrap
from adkit.runtime import home

VAE = {"latent_dim": 4, "widths": [4, 8], "crop": 32, "steps": 3, "batch_size": 8, "quiet": True, "device": "cpu"}
TINY = {"side": 32, "epochs": 1, "batch_size": 8, "quiet": True, "device": "cpu"}
KINDS = ("spike", "drift")


def plots(*counts):
    return {part: AnomalyDataset(some) for part, some in plots_parts(counts=counts).items() if some}


@pytest.fixture(scope="module")
def test_part():
    """Four normal plots, and four anomalous ones."""
    return plots(0, 0, 4, 4)["test"]


@pytest.fixture(scope="module")
def labelled():
    return AnomalyDataset(labelled_plots(4, anomaly_types=KINDS) + plots_parts(counts=(4, 0, 0, 0))["train"])


@pytest.fixture(scope="module")
def detector():
    parts = load_dataset("plots", image_size=32, channels=1)
    return VAEDetector(**VAE).fit(parts.train.subset(range(20)), parts.validation.subset(range(20)))


@pytest.fixture(scope="module")
def classifier(labelled):
    return TypeClassifier(**TINY).fit(labelled)


def screened(**changes):
    """Six images by hand: one false alarm, one type missed by stage 1, one misnamed, one dismissed."""
    by_hand = Screened(
        kinds=np.array(["good", "good", "spike", "spike", "drift", "drift"]),
        scores=np.arange(6.0),
        suspicious=np.array([False, True, False, True, True, True]),
        named=np.array(["good", "good", "spike", "drift", "drift", "good"]),
        types=np.array(["drift", "spike", "spike", "drift", "drift", "drift"]),
        seconds=(0.001, 0.01),
    )
    return replace(by_hand, **changes)


# -- two stages ----------------------------------------------------------------------------------------------------


def test_stage_2_names_what_stage_1_has_flagged(detector, classifier, test_part):
    found = Screening(detector, classifier).judge(test_part)
    small = load_dataset("plots", image_size=32, channels=1).test
    assert np.array_equal(found.scores, detector.judge_images(AnomalyDataset(test_part.samples, (32, 32), 1))[1])
    assert small[0]["image"].shape == (1, 32, 32)
    assert found.kinds.tolist() == test_part.kinds
    assert found.labels.tolist() == test_part.labels.tolist()
    assert found.named.tolist() == classifier.name(test_part)
    assert found.types.tolist() == classifier.name(test_part, among=["drift", "spike"])
    assert min(found.seconds) > 0
    flagged = found.verdicts != "good"
    assert np.array_equal(flagged, found.suspicious)


@pytest.mark.parametrize("dismiss", [False, True])
def test_one_image_is_screened_as_a_set_is(detector, classifier, test_part, dismiss, monkeypatch):
    screening = Screening(detector, classifier, dismiss)
    found = screening.judge(test_part)
    asked, original = [], TypeClassifier.name
    monkeypatch.setattr(TypeClassifier, "name", lambda self, *a: asked.append(a) or original(self, *a))
    verdicts = [screening.predict(sample.read() / np.float32(255)) for sample in test_part.samples]
    clear = np.abs(found.scores - detector.threshold) > 1e-3 * detector.threshold  # a set is kept in 8 bits
    assert [v.kind for v in np.array(verdicts)[clear]] == found.verdicts[clear].tolist()
    assert [v.is_anomalous for v in verdicts] == [v.kind != "good" for v in verdicts]
    np.testing.assert_allclose([v.score for v in verdicts], found.scores, rtol=0.02)
    assert len(asked) == sum(v.score >= detector.threshold for v in verdicts)  # only what was flagged


def test_screening_wants_names(detector, classifier, labelled):
    with pytest.raises(ValueError, match=r"knows no type of anomaly; call its fit"):
        Screening(detector, TypeClassifier())
    blind = TypeClassifier(**TINY).fit(labelled.subset([i for i, kind in enumerate(labelled.kinds) if kind != "good"]))
    assert Screening(detector, blind).types == ["drift", "spike"]
    with pytest.raises(ValueError, match="that may dismiss must know 'good'"):
        Screening(detector, blind, dismiss=True)


# -- tables --------------------------------------------------------------------------------------------------------


def test_the_table_of_stages():
    alone, named, both, dismissing = stage_table(screened(), draws=20)
    assert [row["name"] for row in (alone, named, both, dismissing)] == [
        "detector alone", "classifier alone", "both", "both, may dismiss",
    ]  # fmt: skip
    assert (alone["precision"], alone["recall"], alone["named"]) == (3 / 4, 3 / 4, None)
    assert (named["precision"], named["recall"], named["named"]) == (1, 3 / 4, 4 / 6)
    assert (both["precision"], both["recall"], both["named"]) == (3 / 4, 3 / 4, 3 / 6)
    assert (dismissing["precision"], dismissing["recall"], dismissing["named"]) == (1, 2 / 4, 3 / 6)
    assert dismissing["f1"].value == pytest.approx(2 / 3)
    assert (alone["milliseconds"], named["milliseconds"]) == (1, 10)
    assert both["milliseconds"] == pytest.approx(1 + 10 * 4 / 6)  # stage 2 runs on what is flagged


def test_stages_are_compared_on_the_same_images():
    rng = np.random.default_rng(0)
    kinds = np.where(rng.random(200) < 0.5, "spike", "good")
    right = kinds == "spike"
    suspicious, named = right ^ (rng.random(200) < 0.3), np.where(right ^ (rng.random(200) < 0.05), "spike", "good")
    many = Screened(kinds, rng.random(200), suspicious, named, np.full(200, "spike"), (0.001, 0.01))
    gaps = stage_gaps(many, draws=400)
    assert len(gaps) == 3
    gap, truth = gaps["classifier alone - detector alone"], right.astype(int)
    flags = (named == "spike").astype(int), suspicious.astype(int)
    reference = paired_bootstrap(f1, truth, *flags, n=400)
    assert gap.value == pytest.approx(f1(truth, flags[0]) - f1(truth, flags[1])) == reference.value
    assert (gap.low, gap.high) == pytest.approx((reference.low, reference.high), abs=0.02)
    assert gap.shown
    assert gap.p_holm >= gap.p
    same = stage_gaps(replace(many, suspicious=named == "spike"), draws=50)
    assert not any(each.shown for each in same.values())
    with pytest.raises(ValueError, match="got one sort only"):
        stage_gaps(replace(many, kinds=np.full(200, "good")))


def test_nothing_flagged_has_no_precision():
    nothing = screened(suspicious=np.zeros(6, bool), named=np.full(6, "good"))
    assert [row["precision"] for row in stage_table(nothing, draws=5)] == [None] * 4


def test_a_table_needs_both_sorts():
    one_sort = screened(kinds=np.full(6, "spike"))
    with pytest.raises(ValueError, match="needs normal and anomalous images, got one sort only"):
        stage_table(one_sort)


def test_confusion_matrix():
    counts, kinds = confusion_matrix(screened().kinds, screened().verdicts)
    assert kinds == ["good", "drift", "spike"]
    assert counts.tolist() == [[1, 0, 1], [0, 2, 0], [1, 1, 0]]
    alike = confusion_matrix(["spike"] * 3, ["spike"] * 3)
    assert (alike[0].tolist(), alike[1]) == ([[3]], ["spike"])
    assert confusion_matrix([], [])[0].shape == (0, 0)
    with pytest.raises(ValueError, match="expected a name for each of 2 images, got 1"):
        confusion_matrix(["good", "spike"], ["good"])


@pytest.mark.slow
def test_types_left_out(detector, classifier, labelled, test_part, monkeypatch):
    seen, original = [], TypeClassifier.fit
    monkeypatch.setattr(TypeClassifier, "fit", lambda self, part: seen.append(set(part.kinds)) or original(self, part))
    (row,) = left_out(detector, classifier, labelled, test_part, kinds=["spike"])
    assert seen == [{"good", "drift"}]
    suspicious = Screening(detector, classifier).judge(test_part.subset([4])).suspicious
    assert row["detector"].value == suspicious.mean()
    assert row["both"].value <= min(row["detector"].value, row["classifier"].value)
    assert row["called"] in ("good", "drift")
    monkeypatch.setattr(TypeClassifier, "fit", original)
    pair = test_part.subset([0, 4, 5])
    assert [row["kind"] for row in left_out(detector, classifier, _with(labelled, "level_shift"), pair)] == [
        "spike", "level_shift",
    ]  # fmt: skip


def _with(labelled, kind):
    return AnomalyDataset(labelled.samples + labelled_plots(1, anomaly_types=(kind,)))


def test_intervals_of_shares():
    z = 1.959964  # Wilson's formula by hand
    for hits, count in ((0, 7), (3, 10), (50, 50), (12, 300)):
        middle = (hits + z**2 / 2) / (count + z**2)
        reach = z / (count + z**2) * (hits * (count - hits) / count + z**2 / 4) ** 0.5
        interval = share_interval(hits, count)
        expected = hits / count, middle - reach, middle + reach
        np.testing.assert_allclose((interval.value, interval.low, interval.high), expected, atol=1e-6)
        assert 0 <= interval.low <= interval.value <= interval.high <= 1
    for hits, count in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="hits must lie between 0 and a positive count"):
            share_interval(hits, count)


# -- kept ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_fitted_once_is_loaded_again(labelled, monkeypatch):
    fits, original = [], TypeClassifier.fit
    monkeypatch.setattr(TypeClassifier, "fit", lambda self, part: fits.append(part) or original(self, part))
    first, again = (fitted_classifier(TypeClassifier(**TINY | {"quiet": q}), labelled) for q in (True, False))
    assert len(fits) == 1
    assert np.array_equal(first.probabilities(labelled), again.probabilities(labelled))
    fitted_classifier(TypeClassifier(**TINY, seed=1), labelled)
    fitted_classifier(TypeClassifier(**TINY), labelled.subset([0, 1, 2, 3, 8]))
    assert len(fits) == 3


def test_detectors_are_kept_by_settings_and_images(monkeypatch):
    parts = load_dataset("plots", image_size=32, channels=1)
    train, validation = parts.train.subset(range(20)), parts.validation.subset(range(20))
    fits, original = [], VAEDetector.fit
    monkeypatch.setattr(VAEDetector, "fit", lambda self, *some: fits.append(some) or original(self, *some))
    given = VAEDetector(**VAE)
    kept = [fitted_detector(given, train, validation) for _ in range(2)]
    assert len(fits) == 1
    assert given.model is None
    assert kept[0].threshold == kept[1].threshold
    assert not list((home() / "fitted").rglob("checkpoint*"))
    fitted_detector(VAEDetector(**VAE | {"steps": 2}), train, validation)
    fitted_detector(given, train.subset(range(10)), validation)
    fitted_detector(given, train, validation.subset([0, *range(20)]))
    assert len(fits) == 4


# -- contamination -------------------------------------------------------------------------------------------------


def test_mixes_hold_their_share_and_do_not_tell():
    like = load_dataset("plots", image_size=(32, 48), channels=1).validation
    mixes = plot_mixes(like, shares=(0, 0.25), count=8)
    assert list(mixes) == [0, 0.25]
    for share, mix in mixes.items():
        assert mix[0]["image"].shape == (1, 32, 48)
        assert not mix.labels.any()
        assert [sample.shows is not None for sample in mix.samples] == [k < 8 * share for k in range(8)]


def test_rows_of_contamination(detector):
    like = load_dataset("plots", image_size=32, channels=1)
    validation = like.validation.subset(range(20))
    test = like.test.subset([*range(20), *range(100, 118)])
    mixes = plot_mixes(validation, shares=(0, 0.2), count=24)
    rows = contamination(detector, mixes, validation, test, draws=10)
    assert [row["share"] for row in rows] == [0, 0.2]
    trained = VAEDetector(**VAE).fit(mixes[0.2], validation)
    scores, own = (trained.judge_images(part)[1] for part in (test, mixes[0.2]))
    row = rows[1]
    assert row["auroc"].value == auroc(test.labels, scores)
    assert row["threshold_training"] == pytest.approx(np.percentile(own, 95))
    assert row["threshold_held_out"] == trained.threshold
    assert row["recall_held_out"].value == (scores[20:] >= trained.threshold).mean()
    assert row["false_positives_training"].value == (scores[:20] >= np.percentile(own, 95)).mean()
    assert row["false_positives_training"].low <= row["false_positives_training"].value


def test_what_cannot_be_contaminated_is_refused(detector, test_part):
    mix = {0.0: AnomalyDataset(mixed_plots(2, 0))}
    with pytest.raises(ValueError, match="needs at least one mix"):
        contamination(detector, {}, test_part, test_part)
    with pytest.raises(ValueError, match="must hold normal and anomalous images, got one sort only"):
        contamination(detector, mix, test_part, test_part.subset([0, 1]))


def test_any_detector_screens(classifier, splits):
    """The fixture's images are textile: nothing here knows of plots."""
    fitted = AutoencoderDetector(width=4, steps=3, crop=32, quiet=True, device="cpu")
    fitted.fit(splits.train, splits.validation)
    assert Screening(fitted, classifier).judge(splits.test.subset([0, 60])).scores.shape == (2,)
