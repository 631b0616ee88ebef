"""Regions by type: what describes one, that a few labels suffice, and every refusal."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from adkit import AutoencoderDetector, FilterBankDetector
from adkit.experiments.region_types import FoundRegion, RegionTypes, describe_regions, few_of_each
from adkit.experiments.screening import confusion_matrix
from adkit.metrics.components import regions
from tests.conftest import TINY


@pytest.fixture(scope="module")
def detector(splits):
    return AutoencoderDetector(**TINY | {"steps": 20}).fit(splits.train, splits.validation)


def true_masks(part):
    return [part[i]["mask"].numpy() for i in range(len(part))]


def test_true_regions_are_found_measured_and_named_by_their_image(detector, splits):
    part = splits.test.subset([0, splits.test.kinds.index("bright"), splits.test.kinds.index("dark")])
    found = describe_regions(detector, part, true_masks(part), smallest=1)
    counts = [regions(mask)[1] for mask in true_masks(part)]
    assert counts[0] == 0
    assert [region.image for region in found] == [1] * counts[1] + [2] * counts[2]
    assert {region.kind for region in found} == {"bright", "dark"}
    first = next(region for region in found if region.image == 1)
    labels, _ = regions(true_masks(part)[1])
    assert first.area == (labels == 1).sum()
    top, left, height, width = first.box
    assert (labels == 1)[top : top + height, left : left + width].sum() == first.area
    assert np.isfinite(first.features).all()
    assert first.features[-1] == pytest.approx(np.log(first.area))


def test_what_surrounds_a_region_is_taken_off(detector, splits):
    """A region that nothing sets apart from its surroundings is described by numbers near 0."""
    flat = torch.full((1, 400, 400), 0.5)  # wide enough that no border is seen from the middle

    class Flat:
        def __len__(self):
            return 1

        def __getitem__(self, _):
            return {"image": flat, "mask": torch.zeros(400, 400, dtype=torch.bool), "kind": "good"}

    mask = np.zeros((400, 400), bool)
    mask[196:204, 194:202] = True
    (plain,) = describe_regions(detector, Flat(), [mask])
    assert np.abs(plain.features[:-1]).max() < 1e-5
    assert plain.kind is None  # the frame is a good one


def test_found_regions_are_those_of_the_pixel_threshold(detector, splits):
    part = splits.test.subset([splits.test.kinds.index("dark")])
    mask = detector.anomaly_map(part[0]["image"][None])[0].numpy() >= detector.pixel_threshold
    areas = [area for area in np.bincount(regions(mask)[0].ravel())[1:] if area >= 8]
    assert [region.area for region in describe_regions(detector, part)] == areas


def test_a_few_labels_tell_bright_from_dark(detector, splits):
    few = splits.test.subset([i for i, kind in enumerate(splits.test.kinds) if kind in ("bright", "dark")])
    found = describe_regions(detector, few, true_masks(few), smallest=20)
    labelled, rest = few_of_each(found, each=4)
    types = RegionTypes().fit(labelled)
    counts, kinds = confusion_matrix([region.kind for region in rest], types.name(rest))
    assert kinds == types.kinds == ["bright", "dark"]
    assert np.trace(counts) / counts.sum() >= 0.75
    assert types.distances(rest).shape == (len(rest), 2)


def region(kind, *features, image=0):
    return FoundRegion(image, (0, 0, 4, 4), 16, np.array(features, float), kind)


def test_labels_go_by_image_and_a_seed_draws_others():
    found = [region(kind, n, image=10 * n + k) for k, kind in enumerate("ab") for n in range(6)]
    found += [replace(found[0], area=9), region(None, 0.0)]
    labelled, rest = few_of_each(found, 2)
    assert {kind: len({r.image for r in labelled if r.kind == kind}) for kind in "ab"} == {"a": 2, "b": 2}
    assert not {r.image for r in labelled} & {r.image for r in rest}
    assert len(labelled) + len(rest) == len(found) - 1
    assert [r.image for r in few_of_each(found, 2)[0]] == [r.image for r in labelled]
    assert any([r.image for r in few_of_each(found, 2, seed)[0]] != [r.image for r in labelled] for seed in (1, 2, 3))


def test_a_feature_that_never_varies_within_a_type_does_not_rule_alone():
    labelled = [
        region(kind, odd, *[y] * 3) for kind, odd, y in (("a", 0, 0), ("a", 0, 1), ("b", 1e-3, 8), ("b", 1e-3, 9))
    ]
    assert RegionTypes().fit(labelled).name([region(None, 0.0, 8.5, 8.5, 8.5)]) == ["b"]


def test_what_cannot_be_named_is_refused(detector, splits):
    with pytest.raises(RuntimeError, match="have not been fitted"):
        RegionTypes().name([region(None, 1.0)])
    with pytest.raises(ValueError, match="at least two kinds, got \\['a'\\]"):
        RegionTypes().fit([region("a", 1.0), region(None, 2.0)])
    types = RegionTypes().fit([region("a", 1.0), region("b", 2.0)])
    assert types.name([]) == []
    assert types.distances([]).shape == (0, 2)
    with pytest.raises(TypeError, match="FilterBankDetector has none that is known here"):
        describe_regions(FilterBankDetector(quiet=True).fit(splits.train, splits.validation), splits.test)
    with pytest.raises(ValueError, match="a mask for each of 2 items, got 1"):
        describe_regions(detector, splits.test.subset([0, 1]), [np.zeros((4, 4), bool)])
