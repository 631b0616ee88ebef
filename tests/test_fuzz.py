"""A few hundred cases of each fuzzer; ``python -m tests.fuzz`` tries more."""

import pytest

from adkit.data.read import read_pixels
from tests.fuzz import fuzzers, image_bytes, run, saved_detectors


@pytest.mark.parametrize("name", fuzzers())
def test_a_few_cases_of_each(name):
    fuzzer = fuzzers()[name]
    outcomes = run(fuzzer, cases=getattr(fuzzer, "FEW", 300), seconds=20)
    assert sum(outcomes.values()) > 20
    assert len(outcomes) > 1  # some were read and some refused


def test_what_is_damaged_was_whole():
    for data in image_bytes.originals():
        if not data.startswith(b"GIF"):
            assert read_pixels(data).size


def test_a_fuzzer_that_finds_something_says_so():
    class Wrong:
        CASE = image_bytes.CASE

        @staticmethod
        def check(data):
            assert len(data) < 50
            return "short"

    with pytest.raises(AssertionError):
        run(Wrong, 100)


def test_there_are_many_ways_to_harm_a_detector():
    assert len(saved_detectors.HARM) >= 8
    assert set(fuzzers()) == {"image_bytes", "saved_detectors"}


def test_a_detector_that_was_changed_and_loads_in_spite_of_its_checksums_would_be_found(monkeypatch):
    monkeypatch.setattr(saved_detectors, "load_detector", lambda folder, device, verify: None)
    with pytest.raises((AssertionError, ExceptionGroup), match=r"in spite of its checksums|distinct failures"):
        run(saved_detectors, 50)
