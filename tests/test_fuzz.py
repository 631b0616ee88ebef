"""A few hundred cases of each fuzzer; ``python -m tests.fuzz`` tries more."""

import pytest

from adkit.data.read import read_pixels
from tests.fuzz import fuzzers, image_bytes, run


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
