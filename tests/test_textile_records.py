"""Which textile frames train, validate and test: disjoint, balanced, stable."""

from collections import Counter

import numpy as np
import pytest

from adkit.data.textile import DEFECT_TYPES, FABRICS, Textile, TextileRecord, textile_records


@pytest.mark.parametrize("category", [None, "denim", ["denim", "calico"], ["sateen", "denim", "calico"]])
def test_records_are_disjoint_and_balanced(category):
    parts = textile_records(category)
    assert {name: len(part) for name, part in parts.items()} == {"train": 80, "validation": 40, "test": 100}
    everything = [(record.fabric, record.index) for part in parts.values() for record in part]
    assert len({index for _, index in everything}) == 220
    kinds = Counter(record.kind for record in parts["test"])
    assert kinds == {None: 50, **dict.fromkeys(DEFECT_TYPES, 10)}
    fabrics = Counter(fabric for fabric, _ in everything)
    assert set(fabrics) == set([category] if isinstance(category, str) else category or FABRICS)
    assert max(fabrics.values()) - min(fabrics.values()) <= 4
    pairs = Counter((record.fabric, record.kind) for record in parts["test"] if record.kind)
    assert len(pairs) == len(fabrics) * len(DEFECT_TYPES)
    assert all(record.kind is None for record in parts["train"] + parts["validation"])


def test_a_part_does_not_move_when_another_grows():
    few, many = textile_records(counts=(5, 5, 5, 5)), textile_records(counts=(50, 20, 10, 5))
    assert many["train"][:5] == few["train"]
    assert many["test"][-5:] == few["test"][-5:]


def test_a_record_draws_its_frame():
    record = TextileRecord("calico", 2, 7, "dots")
    image, mask = record.weave((64, 64))
    expected, expected_mask = Textile("calico", (64, 64), seed=2).weave(7, "dots")
    assert np.array_equal(image, expected)
    assert np.array_equal(mask, expected_mask)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"category": "tweed"}, "category must name fabrics among calico"),
        ({"category": ["denim", "tweed"]}, "tweed"),
        ({"category": []}, "None takes all"),
        ({"frame": (8, 8)}, "at least 32"),
        ({"counts": (1, 2, 3)}, "counts must be four numbers"),
        ({"counts": (1, 2, 3, -4)}, "counts must be four numbers"),
    ],
)
def test_records_say_what_they_need(arguments, message):
    with pytest.raises(ValueError, match=message):
        textile_records(**arguments)
