"""Streaming pixel metrics: close to the exact ones, always inside their bounds, and the same in any order."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from adkit.metrics import StreamingPixelMetrics, pixel_metrics
from adkit.metrics.score_bins import FEW_BINS, table_size
from adkit.metrics.score_positions import FINE, MANTISSA, bins_of, most_dropped, positions_of
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
    assert loaded.reset().n_images == 0
    assert loaded.fpr_limit == 0.3
    assert same_state(loaded, StreamingPixelMetrics())
    assert same_state(StreamingPixelMetrics().load_state_dict(loaded.state_dict()), loaded)


def test_states_that_do_not_fit_are_refused_and_change_nothing():
    stream = streamed(*scene(5, "lognormal"))
    state = stream.state_dict()
    with pytest.raises(ValueError, match=r"entries.*got \['bin'\]"):
        stream.load_state_dict({"bin": np.zeros(0)})
    older = ({n: v for n, v in state.items() if n != "dropped"}, state | {"fine": np.asarray(11)})
    for one in older:
        with pytest.raises(ValueError, match="older version counted in other bins: stream the maps again"):
            stream.load_state_dict(one)
    with pytest.raises(ValueError, match=r"octaves, but \d+ numbers of dropped bits"):
        stream.load_state_dict(state | {"dropped": state["dropped"][1:]})
    with pytest.raises(ValueError, match="fpr_limit"):
        stream.load_state_dict(state | {"fpr_limit": np.asarray(2.0)})
    assert same_state(stream, streamed(*scene(5, "lognormal")))


AT_AN_END = 13 * 2**FINE


def most_bins(octave):
    return max(FEW_BINS, 2 ** (MANTISSA - most_dropped(octave)))


def test_memory_does_not_grow_with_images():
    stream = StreamingPixelMetrics()
    most = 2**17 // 8 + FEW_BINS + 1  # 7.5 to 8 is an eighth of its octave; of that from 8 on only few bins are in use
    for seed in range(10):
        masks, maps = scene(seed, "k-NN", size=(80, 100))
        stream.update(masks, np.clip(maps, 7.5, 8.5))
        assert sum(map(table_size, stream._tables)) <= 2 * most
    assert len(stream.state_dict()["bin"]) <= most


@pytest.mark.parametrize("dtype, most", [(np.float32, 229_377), (np.float64, 917_505)])
def test_no_octave_holds_more_bins_than_the_documented_bound(dtype, most):
    """Evenly filled octaves are the worst: about as many scores in each as one full octave has bins."""
    assert max(most_bins(octave) for octave in range(-400, 400)) == 2**17
    rng = np.random.default_rng(0)
    stream = StreamingPixelMetrics()
    for _ in range(2):
        distance = 2.0 ** rng.uniform(-53 if dtype is np.float64 else -24, 0, (1, 1500, 1000))
        maps = (1 - distance).astype(dtype)
        masks = np.zeros(maps.shape, bool)
        masks[0, 0, :9] = True
        stream.update(masks, np.maximum(maps, dtype(0.5)))
        stream.update(masks, rng.uniform(4, 8, maps.shape))
        assert sum(map(table_size, stream._tables)) <= 2 * (most + 2**17 + 2 * AT_AN_END)
    rows = stream.state_dict()["bin"]
    octaves, counts = np.unique(rows >> MANTISSA, return_counts=True)
    assert all(count <= most_bins(octave) for octave, count in zip(octaves[1:-1], counts[1:-1], strict=True))
    assert all(counts[end] <= most_bins(octaves[end]) + AT_AN_END for end in (0, -1))
    one = positions_of(np.array([0.5, 1.0]))
    inside = np.count_nonzero((one[0] <= rows) & (rows < one[1]))
    assert most / 4 < inside <= most + AT_AN_END
    assert 2**17 - 2**11 <= np.count_nonzero(rows > one[1]) <= 2**17 + AT_AN_END


def test_positions_rise_with_scores():
    fine = np.array([1e-7, 2e-7, 1e-6, 1e-3, 0.1, 0.3])
    half = np.array(
        [0, 1e-40, 1e-30, 1e-3, 0.2, 0.4999, 0.5, 0.5001, *(1 - fine[::-1]), 1 - 1e-16, 1, 1 + 1e-6, 2, 1e30]
    )
    values = np.sort(np.concatenate([-half[1:], half, [np.finfo(np.float64).max]]))
    assert (np.diff(positions_of(values)) > 0).all()
    assert positions_of(np.array([-0.0])) == positions_of(np.array([0.0])) == 0
    assert (positions_of(-half[1:]) == -1 - positions_of(half[1:])).all()
    every = np.nextafter(np.float32(0.5), np.float32(1)) + np.arange(2**23 - 1, dtype=np.float32) / np.float32(2**24)
    for part in (every[:100_000], every[2**22 - 50_000 : 2**22 + 50_000], every[-100_000:]):
        assert (np.diff(positions_of(part)) > 0).all()  # float32 scores near 1 keep positions of their own
        np.testing.assert_array_equal(positions_of(part), positions_of(part.astype(np.float64)))


CROWDED = {
    "sigmoid": lambda z: expit(8 * z.astype(np.float32)),
    "sigmoid in float64": lambda z: expit(8 * z),
    "tanh": lambda z: np.tanh(4 * z.astype(np.float32)),
    "cosine": lambda z: 1 - np.exp(-np.exp(6 * z)),
    "in a narrow range": lambda z: (1000 + 0.01 * z).astype(np.float32),
    "100 times a sigmoid": lambda z: 100 * expit(8 * z.astype(np.float32)),
    "a sigmoid, most of it at its top": lambda z: np.float32(0.7) * expit(4 * z.astype(np.float32) + 8),
    "minus 255 times a sigmoid": lambda z: -255 * expit(8 - 4 * z.astype(np.float32)),
    "3 times a tanh": lambda z: 3 * np.tanh(4 * z.astype(np.float32)),
    "from 5 to 6": lambda z: (5 + expit(8 * z.astype(np.float32))).astype(np.float32),
    "just above and below 1": lambda z: (1 + 1e-4 * z).astype(np.float32),
}


@pytest.mark.parametrize("name", CROWDED)
def test_bins_are_fine_where_scores_crowd(name):
    rng = np.random.default_rng(6)
    masks = blobs(rng, 8, 176, 200, 4)
    maps = CROWDED[name](rng.normal(size=masks.shape) + 1.5 * masks)
    exact, stream = pixel_metrics(masks, maps), streamed(masks, maps)
    for each in NAMES:
        assert getattr(stream.compute(), each) == pytest.approx(getattr(exact, each), abs=1e-5), each
        low, high = stream.bounds[each]
        assert high - low < 1e-4
    check_bounds(stream, exact)
    assert same_state(streamed(masks[::-1], maps[::-1], 1), stream)


def test_bins_of_a_set_are_unions_of_those_of_its_parts():
    """Brute force: the widest run of positions that its octave and both ends allow."""
    rng = np.random.default_rng(0)
    for lowest, highest, bits in [(1000, 10**8, 6), (-(10**7), 40_000, 11), (0, 2**20 - 1, 8), (5, 5, 3)]:
        inside = [lowest, highest, *rng.integers(lowest, highest + 1, 50)]
        near = [side + sign * 2**k for k in range(26) for side, sign in ((lowest, 1), (highest, -1))]
        positions = np.unique([p for p in (*inside, *near) if lowest <= p <= highest])
        bins = bins_of(positions, bits, (lowest, highest))
        for position, found in zip(positions.tolist(), bins.tolist(), strict=True):
            starts = [(position >> k << k, k) for k in range(1, bits + 1)]
            allowed = [s for s, k in starts if min(s - lowest, highest - s - 2**k + 1) >= 2 ** (k + FINE)]
            assert found == min(allowed, default=position)
        wider = bins_of(positions, bits, (lowest - 10**5, highest + 10**6))
        np.testing.assert_array_equal(bins_of(bins, bits, (lowest - 10**5, highest + 10**6)), wider)


def test_few_distinct_scores_are_exact_until_an_octave_is_full_and_the_order_does_not_matter():
    """The first images leave every score a bin of its own; the last ones need coarser bins, and so do the first."""
    rng = np.random.default_rng(0)
    masks = blobs(rng, 6, 60, 100, 3)
    narrow = (1.5 + 1e-4 * rng.normal(size=masks[:4].shape)).astype(np.float32)
    wide = rng.uniform(1, 2, (2, 60, 100))
    few = streamed(masks[:4], narrow, 1)
    assert (few.state_dict()["dropped"] == 0).all()
    assert len(few.state_dict()["bin"]) == np.unique(narrow).size
    maps = np.concatenate([narrow, wide, rng.uniform(1, 2, (4, 60, 100))])
    masks = np.concatenate([masks, masks[:4]])
    states = [streamed(masks[order], maps[order], 2) for order in (rng.permutation(10) for _ in range(4))]
    states.append(copy.deepcopy(few).merge(streamed(masks[4:], maps[4:])))
    assert (states[0].state_dict()["dropped"] > 0).any()
    assert all(same_state(state, states[0]) for state in states)
    check_bounds(states[0], pixel_metrics(masks, maps))
    assert len(few.state_dict()["bin"]) == np.unique(narrow).size  # merging has left the other as it was


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
