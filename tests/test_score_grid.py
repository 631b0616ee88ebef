"""Many ways to make a map: measured as each would be alone, by type, with intervals; frames with synthetic defects."""

import numpy as np
import pytest
import torch

from adkit import scoring
from adkit.experiments.studies.score_grid import MEAN, score_grid, told
from adkit.experiments.studies.synthetic_frames import synthetic_frames
from adkit.metrics import pixel_metrics_by_kind

SETTINGS = [("half", "l2", 2.0), ("half", "ssim", 0.0), ("blur", "l2", 2.0)]
TRAININGS = {
    "half": [lambda images: images / 2],
    "blur": [
        lambda images: torch.nn.functional.avg_pool2d(images, 5, 1, 2),
        lambda images: torch.nn.functional.avg_pool2d(images, 9, 1, 4),
    ],
}


@pytest.fixture(scope="module")
def items(splits):
    test = splits.test
    kinds = [i for i in range(len(test)) if test.kinds[i] in ("dots", "bright", "good")]
    return [test[i] for i in kinds[::3]]


@pytest.mark.parametrize("measure", ["pro", "ap"])
def test_each_setting_is_measured_as_it_would_be_alone(items, measure):
    found = score_grid(TRAININGS, items, SETTINGS, measure, n=40)
    assert found.kinds[-1] == MEAN
    for setting, row in zip(SETTINGS, found.values, strict=True):
        alone = [by_hand(reconstruct, items, setting, measure) for reconstruct in TRAININGS[setting[0]]]
        means = [np.mean([one[kind] for one in alone]) for kind in found.kinds[:-1]]
        assert row.tolist() == pytest.approx([*means, np.mean(means)], abs=1e-3)


def by_hand(reconstruct, items, setting, measure):
    _, residual, sigma = setting
    images = [item["image"][None] for item in items]
    maps = [scoring.anomaly_map(image, reconstruct(image), residual, sigma)[0] for image in images]
    maps = [(one * item["foreground"]).numpy() for one, item in zip(maps, items, strict=True)]
    masks, kinds = [item["mask"].numpy() for item in items], [item["kind"] for item in items]
    return {kind: getattr(one, measure) for kind, one in pixel_metrics_by_kind(masks, maps, kinds).items()}


def test_intervals_hold_their_values_and_differences_are_paired(items):
    found = score_grid(TRAININGS, items, SETTINGS, n=60)
    for kind in found.kinds:
        interval = found.interval(SETTINGS[2], kind)
        assert interval.low <= interval.value <= interval.high
    same = found.difference(SETTINGS[0], SETTINGS[0])
    assert (same.value, same.low, same.high, same.shown) == (0, 0, 0, False)
    change = found.difference(SETTINGS[0], SETTINGS[1], "dots")
    column = found.kinds.index("dots")
    assert change.value == pytest.approx(found.values[0, column] - found.values[1, column])
    assert found.best("dots") in SETTINGS


def test_the_table_has_a_row_for_each_loss(items):
    values, losses, maps = score_grid(TRAININGS, items, SETTINGS, n=10).table("dots")
    assert (losses, maps) == (["half", "blur"], ["l2, 2", "ssim, 0"])
    assert np.isnan(values).tolist() == [[False, False], [False, True]]


def test_it_tells_the_best_three_of_each_type_and_in_html_all(items):
    found = score_grid(TRAININGS, items, SETTINGS, n=10)
    assert len(str(found).splitlines()) == 3 * len(found.kinds)
    assert told(found.best()) in str(found)
    assert found._repr_html_().count("<tr>") == 1 + len(SETTINGS)


@pytest.mark.parametrize(
    "settings, measure, message",
    [
        (SETTINGS, "f1", "measure must be pro or ap, got 'f1'"),
        ([("third", "l2", 1.0)], "pro", "got 'third' and 'l2'"),
        ([("half", "l3", 1.0)], "pro", "got 'half' and 'l3'"),
        ([], "pro", "needs different settings, and frames with defects; got 0"),
        (SETTINGS[:1] * 2, "pro", "needs different settings"),
    ],
)
def test_what_cannot_be_measured_is_refused(items, settings, measure, message):
    with pytest.raises(ValueError, match=message):
        score_grid(TRAININGS, items, settings, measure)


def test_frames_without_a_defect_are_refused(items):
    with pytest.raises(ValueError, match="types \\[\\]"):
        score_grid(TRAININGS, [item for item in items if item["kind"] == "good"], SETTINGS)


def test_synthetic_frames_hold_one_type_each_and_repeat(splits):
    normals = splits.validation.subset(range(3))
    frames = synthetic_frames(normals, ["stain", "perlin"], each=4)
    assert [frame["kind"] for frame in frames[-3:]] == ["good"] * 3
    assert {frame["kind"] for frame in frames} == {"stain", "perlin", "good"}
    for frame in frames[:-3]:
        assert frame["mask"].any()
        assert frame["mask"].shape == frame["image"].shape[1:]
    again = synthetic_frames(normals, ["stain", "perlin"], each=4)
    assert all(torch.equal(a["image"], b["image"]) for a, b in zip(frames, again, strict=True))
    other = synthetic_frames(normals, ["stain"], each=1, seed=1, clean=False)
    assert not torch.equal(other[0]["image"], frames[0]["image"])
    with pytest.raises(ValueError, match="got 0 images and each=4"):
        synthetic_frames(normals.subset([]))
