"""Ratios of errors: exact on the test set itself, paired over its draws."""

import numpy as np
import pytest

from adkit import Experiment, run
from adkit.experiments.paired_errors import bootstrap_errors, ratio


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADKIT_HOME", str(tmp_path_factory.mktemp("home")))
        tiny = {"width": 4, "steps": 4, "crop": 32}
        yield [run(Experiment(settings=tiny, seed=seed, image_size=(64, 64)), quiet=True) for seed in (0, 1)]


@pytest.mark.slow
def test_first_entry_is_the_test_set_itself(results):
    errors = bootstrap_errors(results, results[0].experiment.splits().test, n=50)
    expected = [(1 - r.evaluation.image_auroc, 1 - r.evaluation.pro) for r in results]
    assert [values[0] for values in errors.values()] == pytest.approx(np.mean(expected, axis=0))
    for name, values in errors.items():
        assert values.shape == (51,), name
        assert values[1:].min() < values[0] < values[1:].max(), name


@pytest.mark.slow
def test_ratio_is_paired(results):
    test = results[0].experiment.splits().test
    a, b = (bootstrap_errors(group, test, n=50)["1 - PRO"] for group in (results[:1], results))
    assert ratio(a, a).low == ratio(a, a).high == 1
    unpaired = np.quantile(a[1:] / np.random.default_rng(0).permutation(b[1:]), [0.025, 0.975])
    assert ratio(a, b).high - ratio(a, b).low < np.diff(unpaired).item()


def test_draws_without_an_error_have_no_ratio():
    found = ratio(np.array([0.1, 0.0, 0.2]), np.array([0.2, 0.0, 0.2]))
    assert (found.value, found.low, found.high) == (0.5, 1.0, 1.0)
    nothing = ratio(np.zeros(3), np.zeros(3))
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
