"""Saved detectors that are harmed at random are refused, or say finite numbers; see :mod:`tests.fuzz_detectors`."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz_detectors import HARM, one_case, save_all


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    save_all(folder)
    return folder


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1))
def test_harmed_detectors_are_refused_or_say_numbers(saved, seed):
    assert one_case(saved, seed) in ("refused", "unchanged", "loads and judges", "loads and refuses to judge")


def test_there_are_many_ways_to_harm():
    assert len(HARM) >= 8
