"""Which method for these images: the choice follows the images, keeps its time, and says how sure it is."""

import numpy as np
import pytest
import torch

from adkit import load_dataset, recommend
from adkit.compare.budget import as_seconds
from adkit.data import AnomalyDataset, Splits
from adkit.defects.stand_in import HELD_OUT
from adkit.detectors import Detector, register
from adkit.detectors.registry import unregister


@pytest.fixture
def template():
    """A method for parts that lie still: the difference to the mean image, in standard deviations of each pixel."""

    @register("template")
    class TemplateDetector(Detector):
        def _fit(self, train, validation):
            shown = torch.stack([train[i]["image"] for i in range(len(train))])
            self.mean, self.spread = shown.mean(dim=0), shown.std(dim=0) + 0.02

        def _anomaly_map(self, images):
            own = images - images.mean(dim=(-2, -1), keepdim=True) + self.mean.mean()
            return ((own - self.mean) / self.spread).abs().mean(dim=1)

        def _tensors(self):
            return {"mean": self.mean, "spread": self.spread}

        def _restore(self, tensors):
            self.mean, self.spread = tensors["mean"], tensors["spread"]

    yield "template"
    unregister("template")


def made(tmp_path, images: list[np.ndarray]) -> Splits:
    """Normal images on disk as a set: two thirds to train on, the rest for validation."""
    from PIL import Image

    for number, image in enumerate(images):
        Image.fromarray((255 * image).astype(np.uint8)).save(tmp_path / f"{number:02d}.png")
    return load_dataset("folder", root=tmp_path)


def stripes(seed: int) -> np.ndarray:
    """Cloth: a fine grating of any phase under grain; no place is like the same place of another image."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:96, :128]
    wave = np.cos(2 * np.pi * (rows / 6 + columns / 9) + draw.uniform(0, 6.3))
    return np.clip(0.5 + 0.2 * wave + 0.04 * draw.normal(size=wave.shape), 0, 1)


def part(seed: int) -> np.ndarray:
    """A part that lies still: many edges, each in its place."""
    layout, draw = np.random.default_rng(7), np.random.default_rng(seed)
    image = np.full((96, 128), 0.5)
    for _ in range(60):
        top, left = layout.integers(0, 84), layout.integers(0, 112)
        image[top : top + layout.integers(4, 24), left : left + layout.integers(4, 24)] = layout.uniform(0.1, 0.9)
    return np.clip(image + 0.01 * draw.normal(size=image.shape), 0, 1)


@pytest.mark.parametrize("make, kind, best", [(stripes, "texture", "filterbank"), (part, "object", "template")])
def test_other_images_other_method(tmp_path, template, make, kind, best):
    found = recommend(
        made(tmp_path, [make(seed) for seed in range(24)]), "1 h", candidates=["filterbank", template], quiet=True
    )
    names = [candidate.name for candidate in found.candidates if candidate.name != "fusion"]
    assert names[0] == best
    assert found.images["kind"] == kind
    assert found.detector.is_fitted


def test_the_table_is_what_it_was_decided_by(tmp_path):
    splits = load_dataset("textile", image_size=(64, 96))
    tiny = {"method": "autoencoder", "width": 4, "steps": 5, "crop": 32}
    found = recommend(splits, "1 h", candidates=["filterbank", tiny], quiet=True)
    qualities = [candidate.quality.value for candidate in found.candidates]
    assert qualities == sorted(qualities, reverse=True)
    assert found.method == found.candidates[0].name
    assert all(c.quality.low <= c.quality.value <= c.quality.high for c in found.candidates)
    assert all(candidate.name in found.table for candidate in found.candidates)
    assert "separated" in found.reason
    assert found.images["train"] == len(splits.train)


def test_no_network_is_judged_by_types_of_defects_that_it_has_seen():
    splits = load_dataset("textile", image_size=(64, 64))
    tiny = {"method": "autoencoder", "width": 4, "steps": 5, "crop": 32}
    own = {**tiny, "defects": "mask"}
    found = recommend(splits, "1 h", candidates=[tiny, own], quiet=True)
    taught = [one.detector.settings.defects for one in found.candidates if one.name != "fusion"]
    assert "mask" in taught  # what is asked for stays
    taught.remove("mask")
    assert not set(taught[0]["defect_types"]) & set(HELD_OUT)


def test_equal_methods_are_not_told_apart():
    splits = load_dataset("textile", image_size=(64, 64))
    found = recommend(splits, "1 h", candidates=["filterbank", "filterbank"], quiet=True)
    assert "not separated" in found.reason


def test_what_does_not_fit_is_shortened_or_left_out_and_the_first_always_runs():
    splits = load_dataset("textile", image_size=(64, 64))
    long = {"method": "autoencoder", "width": 4, "steps": 10**9, "crop": 32}
    found = recommend(splits, 0.5, candidates=["filterbank", long], quiet=True)
    assert found.method == "filterbank"
    (left_out,) = [candidate for candidate in found.candidates if candidate.detector is None]
    assert "steps of training fit" in left_out.note


def test_the_test_part_is_not_looked_at():
    splits = load_dataset("textile", image_size=(64, 64))

    class Untouchable(AnomalyDataset):
        def __init__(self):
            pass

        def __getattribute__(self, name):
            raise AssertionError(f"the test part was asked for {name}")

    hidden = Splits(splits.train, splits.validation, Untouchable(), "hidden")
    assert recommend(hidden, 0.5, candidates=["filterbank"], quiet=True).method == "filterbank"


@pytest.mark.parametrize("budget, seconds", [("30 s", 30), ("1 min", 60), ("10 min", 600), ("1 h", 3600), (5, 5)])
def test_budgets(budget, seconds):
    assert as_seconds(budget) == seconds


@pytest.mark.parametrize("budget", ["soon", "0 s", -1, None, float("inf"), "10 apples"])
def test_a_budget_that_is_none_is_refused(budget):
    with pytest.raises(ValueError, match="budget must be seconds"):
        as_seconds(budget)


def test_unknown_candidates_are_named():
    splits = load_dataset("textile", image_size=(64, 64))
    with pytest.raises(ValueError, match="unknown method nothing"):
        recommend(splits, "1 min", candidates=["nothing"], quiet=True)


@pytest.mark.parametrize("wrong", [None, "textile", [1]])
def test_what_is_no_splits_is_refused(wrong):
    with pytest.raises(TypeError, match="recommend takes the Splits of load_dataset"):
        recommend(wrong, "1 s")
