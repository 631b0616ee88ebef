"""PatchCore taken apart: the parts agree with the detector, and with what is counted by hand."""

import numpy as np
import pytest
import torch

from adkit import PatchCoreDetector, figures, load_dataset
from adkit.course.screws import plate
from adkit.experiments.image_rules import peaks_at_border, score_gaps
from adkit.experiments.patch_memory import (
    coverage_radius,
    fitted_for_maps,
    memory_costs,
    metrics_by_neighbours,
    patches_in,
    patches_of,
    receptive_fields,
    worst_patches,
)
from adkit.experiments.synthetic_frames import synthetic_frames
from adkit.metrics import auroc, pixel_metrics


@pytest.fixture(scope="module")
def splits():
    return load_dataset("textile", category="denim", image_size=(48, 64))


@pytest.fixture(scope="module")
def detector(splits):
    settings = {"weights": None, "max_patches": 300, "coreset": 0.1, "score": "max", "quiet": True}
    return fitted_for_maps(PatchCoreDetector(**settings), splits.train.subset([0, 1, 2]), splits.validation)


@pytest.fixture(scope="module")
def frames(splits):
    return synthetic_frames(splits.validation.subset([0, 1, 2]), ["stain"], each=3)


def test_the_mean_over_one_neighbour_is_the_detectors_map(detector, frames):
    maps = [detector.anomaly_map(frame["image"][None])[0].numpy() for frame in frames]
    expected = pixel_metrics([frame["mask"].numpy() for frame in frames], maps)
    found = metrics_by_neighbours(detector, frames, [1, 3, 1000])
    assert found[1].ap == pytest.approx(expected.ap, abs=1e-6)
    assert list(found) == [1, 3, 1000]


def test_worst_patches_are_as_far_as_the_highest_distance(detector, frames):
    worst, maps = worst_patches(detector, frames)
    for vector, a_map, frame in zip(worst, maps, frames, strict=True):
        features = patches_of(detector, frame["image"]).flatten(1).T
        distances = torch.cdist(features, detector.memory.bank).amin(dim=1)
        assert float((vector - detector.memory.bank).norm(dim=1).min()) == pytest.approx(
            float(distances.max()), rel=1e-3
        )
        assert np.allclose(a_map, detector.anomaly_map(frame["image"][None])[0], atol=1e-5)


def test_patches_in_a_mask_are_those_of_its_cells(detector, splits):
    image = splits.train[0]["image"]
    mask = torch.zeros(48, 64, dtype=torch.bool)
    mask[10:13, 20:24] = True  # two rows of cells (10 to 13) and two columns (20 to 23)
    assert patches_in(detector, image, mask).shape == (4, detector.memory.dimensions)
    assert len(patches_in(detector, image, mask & False)) == 0


def test_what_a_cell_sees_grows_with_the_level(detector):
    fine, coarse = receptive_fields(detector.backbone, channels=1, side=128)
    assert 2 < fine < coarse < 128


def test_costs_leave_the_memory_alone(detector, splits):
    own = detector.memory
    costs = memory_costs(detector, own.bank, [2, 5], splits.train[0]["image"], repeats=1)
    assert detector.memory is own
    assert costs[1][0] == 2.5 * costs[0][0]
    assert coverage_radius(own.bank, own.bank) == 0


def test_scores_are_compared_on_the_same_images():
    rng = np.random.default_rng(0)
    labels = [0] * 20 + [1] * 20
    noise = rng.normal(size=40)
    scores = {"poor": noise, "good": noise + 3 * np.array(labels), "as poor": 2 * noise}
    gaps = score_gaps(labels, scores, base="poor")
    assert gaps["good"].shown
    assert not gaps["as poor"].shown
    assert gaps["good"].value == pytest.approx(auroc(labels, scores["good"]) - auroc(labels, noise))
    assert gaps["good"].p_holm is not None
    with pytest.raises(ValueError, match="base must be one of the scores poor"):
        score_gaps(labels, {"poor": noise}, base="best")
    with pytest.raises(ValueError, match="one sort only"):
        score_gaps([1] * 40, scores, base="poor")


def test_peaks_at_the_border_are_counted():
    maps = [np.zeros((20, 10)) for _ in range(3)]
    maps[0][0, 0], maps[1][10, 9], maps[2][10, 5] = 1, 1, 1
    assert peaks_at_border(maps, 1) == (2, pytest.approx(1 - 18 * 8 / 200))


def test_a_missing_screw_leaves_the_plate_bare():
    good, nothing = plate(0)
    image, mask = plate(0, missing=1)
    assert not nothing.any()
    assert torch.equal(good[:, ~mask], image[:, ~mask])
    assert float(image[:, mask].std()) < 0.03 < float(good[:, mask].std())
    with pytest.raises(ValueError, match="a screw from 0 to 2, got 3"):
        plate(0, missing=3)


def test_a_pipeline_is_drawn_with_its_links():
    rows = {"training": ["images", "memory"], "a new image": ["image", "distance"]}
    _fig, ax = figures.pipeline(rows, [("memory", "distance")])
    assert len(ax.patches) == 4 + 2 + 1
    with pytest.raises(ValueError, match="a link names 'coreset'"):
        figures.pipeline(rows, [("memory", "coreset")])
    with pytest.raises(ValueError, match="a pipeline needs boxes"):
        figures.pipeline({})
