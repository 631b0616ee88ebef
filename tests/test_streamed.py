"""Test sets whose maps do not fit into memory: judged one after another, with every number of the exact evaluation."""

import errno
import warnings

import numpy as np
import pytest

from adkit import FilterBankDetector, evaluate
from adkit.detectors import spilled
from adkit.detectors.prediction import Predictions
from adkit.detectors.spilled import Chosen, PackedMasks, SpilledMaps
from adkit.experiments import evaluation
from adkit.experiments.evaluation import judge_predictions


@pytest.fixture(scope="module")
def filterbank(splits):
    with warnings.catch_warnings(action="ignore"):
        return FilterBankDetector(quiet=True).fit(splits.train, splits.validation)


def numbers(found, prefix=""):
    """All numbers of an evaluation, by the way to them."""
    if isinstance(found, dict):
        return {k: v for name, entry in found.items() for k, v in numbers(entry, f"{prefix}.{name}").items()}
    if isinstance(found, list | tuple):
        return {k: v for i, entry in enumerate(found) for k, v in numbers(entry, f"{prefix}.{i}").items()}
    return {prefix: found}


def assert_close(streamed, exact):
    streamed, exact = numbers(streamed.as_dict()), numbers(exact.as_dict())
    assert streamed.keys() == exact.keys()
    for name, value in exact.items():
        if isinstance(value, float):
            assert streamed[name] == pytest.approx(value, abs=1e-3), name
        else:
            assert streamed[name] == value, name


def test_all_fields_of_the_exact_evaluation(splits, filterbank, monkeypatch):
    test = splits.test.subset(range(0, len(splits.test), 2))
    exact = evaluate(filterbank, test, bootstrap=200)
    monkeypatch.setattr(evaluation, "MAP_LIMIT", 0)
    assert_close(evaluate(filterbank, test, bootstrap=200), exact)
    assert exact.intervals.keys() >= {"pro", "pro_macro", "pixel_ap", "image_auroc"}
    assert len(exact.by_size) == 3


def test_small_sets_are_judged_exactly(splits, filterbank, monkeypatch):
    monkeypatch.setattr(FilterBankDetector, "predict_streamed", lambda *_: pytest.fail("it was streamed"))
    evaluate(filterbank, splits.test.subset([0, len(splits.test) - 1]), bootstrap=0)


SCORES = {
    "uniform": lambda draw, shape: draw.random(shape),
    "k-NN": lambda draw, shape: 8 + 0.15 * draw.normal(size=shape),
    "heavy tails": lambda draw, shape: draw.standard_cauchy(shape) ** 2,
    "saturated": lambda draw, shape: np.clip(draw.normal(0.8, 0.4, shape), 0, 1),
    "8 bits": lambda draw, shape: draw.integers(0, 256, shape),
    "constant": lambda draw, shape: np.full(shape, 0.5),
}


@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize("defects", ["found", "not found"])
def test_whatever_the_scores_are(scores, defects):
    draw = np.random.default_rng(0)
    maps, masks, kinds = [], [], []
    for k in range(24):
        shape = (60, 40 + k)
        one, mask = SCORES[scores](draw, shape).astype(np.float32), np.zeros(shape, bool)
        if k % 2:
            for _ in range(1 + k % 3):
                top, left = draw.integers(0, 40), draw.integers(0, 25)
                mask[top : top + 2 + k % 9, left : left + 3 + k % 5] = True
            if defects == "found":
                one[mask] += np.float32(one.std())
        maps.append(one)
        masks.append(None if k == 23 else mask)
        kinds.append("good" if not k % 2 else ("hole", "stain")[k % 4 // 2])
    labels = np.array([int(kind != "good") for kind in kinds])
    totals = np.array([float(one.max()) for one in maps])
    judged = Predictions(maps, masks, totals, labels, kinds, [str(k) for k in range(24)])
    on_disk = Predictions(SpilledMaps(maps), PackedMasks(masks), totals, labels, kinds, judged.paths)
    threshold = float(np.quantile(np.concatenate([one.ravel() for one in maps]), 0.9))
    exact, _ = judge_predictions(judged, totals.mean(), threshold, bootstrap=100)
    streamed, _ = judge_predictions(on_disk, totals.mean(), threshold, bootstrap=100, streams=True)
    assert_close(streamed, exact)


def test_a_set_without_any_mask_says_so():
    maps = [np.zeros((4, 4), np.float32)] * 4
    judged = Predictions(maps, [np.zeros((4, 4), bool)] * 3 + [None], np.arange(4.0), np.array([0, 0, 0, 1]),
                         ["good"] * 3 + ["hole"], list("abcd"))  # fmt: skip
    exact, _ = judge_predictions(judged, 2.0, 0.5, bootstrap=10)
    streamed, _ = judge_predictions(judged, 2.0, 0.5, bootstrap=10, streams=True)
    assert_close(streamed, exact)
    assert "pixel metrics" in streamed.notes


def test_a_home_that_cannot_be_written_to_is_named(monkeypatch):
    def closed(**options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(spilled.tempfile, "TemporaryFile", closed)
    with pytest.raises(OSError, match=r"Read-only file system: cannot write .*ADKIT_HOME names the one for results"):
        SpilledMaps()


def test_sequences_that_lie_elsewhere():
    maps = [np.random.default_rng(k).random((3 + k, 5), dtype=np.float32) for k in range(4)]
    on_disk = SpilledMaps(maps)
    assert all(np.array_equal(one, other) for one, other in zip(on_disk, maps, strict=True))
    assert np.array_equal(on_disk[-1], maps[-1])
    with pytest.raises(IndexError):
        on_disk[4]
    masks = [one > 0.5 for one in maps[:2]] + [None]
    packed = PackedMasks(masks)
    assert np.array_equal(packed[1], masks[1])
    assert packed[2] is None
    assert [one.shape for one in Chosen(on_disk, [3, 0])] == [(6, 5), (3, 5)]
