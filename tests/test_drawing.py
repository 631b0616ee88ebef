"""Some of very many patches: each as likely as every other, in memory that does not grow with all of them."""

import tracemalloc

import numpy as np
import pytest
import torch

from adkit.models import drawing
from adkit.models.drawing import draw_evenly
from adkit.runtime import generator


def test_few_patches_are_drawn_as_version_0_1_0_drew_them():
    counts, limit = [5, 0, 300, 17], 40
    order = torch.randperm(sum(counts), generator=generator(3, 0))
    drawn = torch.zeros(len(order), dtype=torch.bool)
    drawn[order[:limit]] = True
    expected = [part.nonzero()[:, 0].tolist() for part in drawn.split(counts)]
    assert [part.tolist() for part in draw_evenly(counts, limit, seed=3)] == expected


@pytest.mark.parametrize("limit", [None, 22, 100])
def test_all_are_taken_where_all_are_allowed(limit):
    assert [len(part) for part in draw_evenly([5, 0, 17], limit, seed=0)] == [5, 0, 17]


@pytest.mark.parametrize("shuffled", [0, 2**23])
def test_every_patch_is_as_likely_as_every_other(monkeypatch, shuffled):
    monkeypatch.setattr(drawing, "SHUFFLED", shuffled)
    monkeypatch.setattr(drawing, "PER_IMAGE", 1)
    counts, hits = [10, 40, 0, 50], np.zeros(100)
    for seed in range(400):
        drawn = draw_evenly(counts, 25, seed)
        offsets = np.cumsum([0, *counts])
        places = [part.numpy() + offset for part, offset in zip(drawn, offsets[:-1], strict=True)]
        chosen = np.concatenate(places)
        assert len(chosen) == len(set(chosen.tolist())) == 25
        hits[chosen] += 1
    assert np.abs(hits / 400 - 0.25).max() < 0.09  # four standard deviations
    assert abs(hits[:10].mean() - hits[50:].mean()) < 12


def test_a_limit_bounds_the_images_and_the_memory():
    """2,000 images of 512 x 512 pixels in cells of 2: their shuffle took 1 GB."""
    tracemalloc.start()
    drawn = draw_evenly([65_536] * 2000, 50_000, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(map(len, drawn)) == 50_000
    assert sum(len(part) > 0 for part in drawn) <= -(-50_000 // drawing.PER_IMAGE)
    assert peak < 20e6
    again = draw_evenly([65_536] * 2000, 50_000, seed=0)
    assert all(torch.equal(one, other) for one, other in zip(drawn, again, strict=True))


def test_images_without_a_draw_are_not_described(splits, monkeypatch):
    from adkit import PatchCoreDetector
    from tests.conftest import TINY_PATCHCORE

    monkeypatch.setattr(drawing, "SHUFFLED", 0)
    detector, seen = PatchCoreDetector(**TINY_PATCHCORE | {"max_patches": 128, "coreset": 1.0}), []
    monkeypatch.setattr(
        detector, "_features", lambda images: seen.append(1) or PatchCoreDetector._features(detector, images)
    )
    detector._calibrate = lambda validation: None
    detector.fit(splits.train, splits.validation)
    assert len(seen) == 2  # of 128 / 64 images
    assert len(detector.memory) == 128
