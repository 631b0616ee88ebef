"""Streaming pixel metrics: close to the exact ones, always inside their bounds, and the same in any order."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adkit.metrics import StreamingPixelMetrics, pixel_metrics
from adkit.metrics.score_bins import BINS, MANTISSA, bin_of
from tests.metric_references import DISTRIBUTIONS, blobs

NAMES = ("auroc", "ap", "pro", "f1_max")


def scene(seed, name, count=8, size=(40, 50), dtype=np.float64):
    rng = np.random.default_rng(seed)
    masks = blobs(rng, count, *size, count // 2)
    masks[0, 0, 0] = True
    return masks, DISTRIBUTIONS[name](rng, masks).astype(dtype)


def streamed(masks, maps, batch=3):
    stream = StreamingPixelMetrics()
    for start in range(0, len(masks), batch):
        stream.update(masks[start : start + batch], maps[start : start + batch])
    return stream


def same_state(a, b):
    return all(np.array_equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


def check_bounds(stream, exact):
    metrics, bounds = stream.compute(), stream.bounds
    for name in NAMES:
        low, high = bounds[name]
        assert low <= getattr(exact, name) <= high, name
        assert low <= getattr(metrics, name) <= high, name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_within_a_ten_thousandth_of_exact(name, dtype):
    masks, maps = scene(0, name, count=20, size=(120, 200), dtype=dtype)
    exact, stream = pixel_metrics(masks, maps), streamed(masks, maps)
    metrics = stream.compute()
    for each in NAMES:
        assert getattr(metrics, each) == pytest.approx(getattr(exact, each), abs=1e-4), each
    for each in ("fpr_limit", "n_images", "n_pixels", "n_defective", "n_regions"):
        assert getattr(metrics, each) == getattr(exact, each)
    check_bounds(stream, exact)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    name=st.sampled_from(sorted(DISTRIBUTIONS)),
    scale=st.sampled_from([1e-45, 1e-38, 1e-3, 1.0, -1.0, 1e20, 1e300]),
    offset=st.sampled_from([0.0, 1.0, -50.0, 1e4]),
    limit=st.floats(0.01, 1.0),
)
def test_bounds_hold_whatever_the_scores(seed, name, scale, offset, limit):
    masks, maps = scene(seed, name, count=2, size=(9, 12))
    maps = np.clip(maps, -1e6, 1e6) * scale + offset
    stream = StreamingPixelMetrics(limit).update(masks, maps)
    check_bounds(stream, pixel_metrics(masks, maps, limit))


@pytest.mark.parametrize("name", ["8 bits", "3 levels"])
def test_quantised_scores_are_exact(name):
    masks, maps = scene(1, name)
    exact, stream = pixel_metrics(masks, maps), streamed(masks, maps)
    for each in NAMES:
        assert getattr(stream.compute(), each) == pytest.approx(getattr(exact, each), abs=1e-9)
        low, high = stream.bounds[each]
        assert high - low < 1e-8


def test_f1_threshold_reaches_f1_max():
    masks, maps = scene(2, "k-NN")
    metrics = streamed(masks, maps).compute()
    found = maps >= metrics.f1_threshold
    assert metrics.f1_max == pytest.approx(2 * (found & masks).sum() / (found.sum() + masks.sum()), abs=1e-12)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_order_batches_and_merging_change_no_bit(name):
    masks, maps = scene(3, name)
    whole = StreamingPixelMetrics().update(masks, maps)
    assert same_state(streamed(masks, maps, 1), whole)
    assert same_state(streamed(masks[::-1], maps[::-1], 3), whole)
    a, b, c = (streamed(masks[part], maps[part]) for part in (slice(0, 2), slice(2, 7), slice(7, 8)))
    other = copy.deepcopy(c).merge(a).merge(b)
    assert same_state(a.merge(b.merge(c)), whole)
    assert same_state(other, whole)
    assert other.compute() == whole.compute()


def test_images_of_unequal_sizes():
    masks, maps = scene(4, "uniform")
    cut = [slice(0, 20 + index) for index in range(len(masks))]
    masks, maps = [m[c] for m, c in zip(masks, cut, strict=True)], [m[c] for m, c in zip(maps, cut, strict=True)]
    check_bounds(streamed(masks, maps), pixel_metrics(masks, maps))


def test_state_survives_pickle_and_a_file(tmp_path):
    masks, maps = scene(5, "lognormal")
    stream = streamed(masks, maps)
    assert same_state(pickle.loads(pickle.dumps(stream)), stream)
    np.savez(tmp_path / "state.npz", **stream.state_dict())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        loaded = StreamingPixelMetrics(0.1).load_state_dict(dict(state))
    assert same_state(loaded, stream)
    assert loaded.update(masks, maps).n_images == 16
    with pytest.raises(ValueError, match=r"entries.*got \['bin'\]"):
        loaded.load_state_dict({"bin": np.zeros(0)})


def test_memory_does_not_grow_with_images():
    stream = StreamingPixelMetrics()
    most = 2**MANTISSA // 8 + 2**MANTISSA // 16 + 1  # 7.5 to 8 is an eighth of the octave from 4 to 8, and so on
    for seed in range(10):
        masks, maps = scene(seed, "k-NN", size=(80, 100))
        stream.update(masks, np.clip(maps, 7.5, 8.5))
        assert sum(table.size for table in stream._tables) <= 2 * most
    assert len(stream.state_dict()["bin"]) <= most


def test_bins_rise_with_scores():
    values = np.array([-np.finfo(np.float64).max, -1e30, -1, -1e-40, 0, 1e-40, 1e-3, 1, 1 + 1e-4, 2, 1e300])
    bins = bin_of(values)
    assert (np.diff(bins) > 0).all()
    assert bins.min() >= 0
    assert bins.max() < BINS
    assert bin_of(np.array([-0.0])) == bin_of(np.array([0.0]))


def test_refusals_add_nothing():
    masks, maps = scene(0, "uniform")
    stream = StreamingPixelMetrics()
    with pytest.raises(ValueError, match="finite"):
        stream.update(masks, np.where(maps > 0.5, np.nan, maps))
    assert same_state(stream, StreamingPixelMetrics())
    with pytest.raises(ValueError, match="no normal"):
        stream.compute()
    stream.update(masks & False, maps)
    for ask in (stream.compute, lambda: stream.bounds):
        with pytest.raises(ValueError, match="no defective"):
            ask()
    with pytest.raises(ValueError, match=r"one fpr_limit, got 0\.3 and 0\.1"):
        stream.merge(StreamingPixelMetrics(0.1))
    with pytest.raises(ValueError, match="fpr_limit"):
        StreamingPixelMetrics(0)
