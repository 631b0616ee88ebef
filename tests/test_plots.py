"""The plots: deterministic, anomalies where the mask says, and the sets that are made of them."""

import numpy as np
import pytest

from adkit.data import AnomalyDataset, load_dataset
from adkit.data.plots import ANOMALY_TYPES, SIDE, Plots
from adkit.data.plots.raster import BOTTOM, INKS, LEFT, THICKNESS, TOP, line_rows, rasterise
from adkit.data.plots.samples import PlotSample, labelled_plots, mixed_plots, plots_parts
from adkit.data.plots.series import LIMIT, POINTS

SOME = range(40)


# -- drawing -------------------------------------------------------------------------------------------------------


def test_a_line_covers_as_much_as_it_is_thick():
    level = rasterise(np.zeros(POINTS), np.zeros(3))
    empty = rasterise(np.full(POINTS, np.nan), np.zeros(3))
    column = LEFT + 12  # between two lines of the grid
    covered = 1 - level[0, :, column] / empty[0, :, column]
    middle = (TOP + BOTTOM) / 2
    assert covered.sum() == pytest.approx(THICKNESS, abs=0.02)
    assert (np.arange(SIDE) + 0.5) @ covered / covered.sum() == pytest.approx(middle, abs=0.05)


def test_a_steep_line_has_no_gaps():
    low, high = line_rows(np.where(np.arange(POINTS) % 2, 2.0, -2.0))
    assert (high[:-1] >= low[1:]).all()
    assert (high[1:] >= low[:-1]).all()


def test_what_leaves_the_axis_is_drawn_at_its_border():
    inside, outside = (rasterise(np.full(POINTS, value), INKS[0]) for value in (LIMIT, 9 * LIMIT))
    assert np.array_equal(inside, outside)
    low, high = line_rows(np.array([-9.0, 9.0]) * LIMIT)
    assert low.min() >= TOP
    assert high.max() <= BOTTOM


def test_all_inks_and_nothing_but_the_field_differs():
    images = np.stack([Plots().render(index)[0] for index in SOME])
    assert images.dtype == np.uint8
    frame = np.ones((SIDE, SIDE), bool)
    frame[TOP:BOTTOM, LEFT : LEFT + POINTS] = False
    assert (images == images[:1])[:, :, frame].all()
    strongest = {tuple(image[:, *divmod(int(np.ptp(image, axis=0).argmax()), SIDE)]) for image in images.astype(int)}
    assert strongest == {tuple(ink) for ink in (INKS * 255).round().astype(int)}


# -- series and anomalies ------------------------------------------------------------------------------------------


def test_a_plot_is_decided_by_seed_and_index():
    for kind in (None, *ANOMALY_TYPES):
        one, again = Plots(3).render(5, kind), Plots(3).render(5, kind)
        assert np.array_equal(one[0], again[0])
        assert np.array_equal(one[1], again[1])
        for other in (Plots(4).render(5, kind), Plots(3).render(6, kind)):
            assert not np.array_equal(one[0], other[0])


def test_normals_have_no_anomaly_and_stay_on_the_axis():
    for index in SOME:
        values, here = Plots().series(index)
        assert not here.any()
        assert np.abs(values).max() < LIMIT
        assert not Plots().render(index)[1].any()


@pytest.mark.parametrize("kind", ANOMALY_TYPES)
def test_an_anomaly_is_where_the_mask_says(kind):
    plots = Plots()
    for index in SOME:
        values, here = plots.series(index, kind)
        normal, _ = plots.series(index)
        difference = np.abs(values - normal)
        assert 0 < here.sum() < POINTS
        shown = difference[here]
        assert np.isnan(shown).all() if kind == "missing_span" else np.nanmax(shown) > 0.3
        if kind != "phase_jump":  # after a jump the season goes on, elsewhere
            assert difference[~here].max() < 0.3
        image, mask = plots.render(index, kind)
        assert mask.any()
        assert set(np.flatnonzero(mask.any(axis=0)) - LEFT) == set(np.flatnonzero(here))
        changed = (image != plots.render(index)[0]).any(axis=0)
        assert (changed & mask).any()


def test_a_jump_of_the_phase_lies_in_its_mask():
    for index in SOME:
        values, here = Plots().series(index, "phase_jump")
        steps = np.abs(np.diff(values))
        at = int(steps.argmax())
        assert here[at]
        assert here[at + 1]
        before = np.arange(POINTS) <= at
        assert np.array_equal(values[before], Plots().series(index)[0][before])


def test_what_each_anomaly_leaves_alone():
    for index in SOME:
        normal, _ = Plots().series(index)
        gap, here = Plots().series(index, "missing_span")
        assert np.array_equal(np.isnan(gap), here)
        capped, _ = Plots().series(index, "saturation")
        assert np.ptp(capped) < np.ptp(normal)
        shifted, here = Plots().series(index, "level_shift")
        assert np.ptp((shifted - normal)[here]) < 1e-12
        faster, here = Plots().series(index, "frequency_change")
        after = np.arange(POINTS) > np.flatnonzero(here)[-1]
        np.testing.assert_allclose(faster[after], normal[after], atol=1e-9)


def test_the_mask_of_a_gap_holds_the_line_that_is_missing():
    for index in SOME:
        image, mask = Plots().render(index, "missing_span")
        clean, _ = Plots().render(index)
        changed = (image != clean).any(axis=0)
        inside = changed & mask
        assert inside.sum() / changed.sum() > 0.85  # but for the ends of the line, half a pixel outside


def test_an_unknown_anomaly_type_is_named():
    for call in (Plots().series, Plots().render):
        with pytest.raises(ValueError, match=r"anomaly_type must be None or one of spike, level_shift, .*, got 'bump'"):
            call(0, "bump")


# -- sets ----------------------------------------------------------------------------------------------------------


def test_parts():
    parts = plots_parts()
    assert [len(parts[part]) for part in ("train", "validation", "test")] == [400, 100, 190]
    kinds = [sample.kind for sample in parts["test"]]
    assert kinds[:100] == ["good"] * 100
    assert {kind: kinds.count(kind) for kind in ANOMALY_TYPES} == dict.fromkeys(ANOMALY_TYPES, 10)
    everything = [*(sample for part in parts.values() for sample in part), *labelled_plots(20), *mixed_plots(300, 0.2)]
    assert len({sample.source for sample in everything}) == len(everything)


def test_parts_are_checked():
    with pytest.raises(ValueError, match=r"category .*'denim'.* is not in the plots; there are: series"):
        plots_parts("denim")
    assert plots_parts("series") == plots_parts(["series"]) == plots_parts()
    for counts in ((1, 2, 3), (1, 2, 3, -4), (10**7, 1, 1, 1)):
        with pytest.raises(ValueError, match="counts must be four numbers from 0 to 1,000,000"):
            plots_parts(counts=counts)


def test_labelled_plots_do_not_depend_on_the_kinds_left_out():
    full, part = labelled_plots(3), labelled_plots(3, anomaly_types=ANOMALY_TYPES[2:5])
    assert [sample for sample in full if sample.kind in ANOMALY_TYPES[2:5]] == part


def test_a_mix_does_not_tell():
    clean, little, much = (mixed_plots(100, share) for share in (0, 0.05, 0.2))
    assert {sample.kind for sample in (*clean, *little, *much)} == {"good"}
    shown = [[sample for sample in mix if sample.shows] for mix in (clean, little, much)]
    assert [len(one) for one in shown] == [0, 5, 20]
    assert shown[2][:5] == shown[1]
    assert not AnomalyDataset(much).labels.any()
    with pytest.raises(ValueError, match=r"share must lie between 0 and 1, got 5; 0.05 is one plot in twenty"):
        mixed_plots(10, share=5)


def test_samples_are_a_dataset():
    samples = [PlotSample(0), PlotSample(1, shows="spike"), PlotSample(1, seed=1, shows="drift")]
    dataset = AnomalyDataset(samples)
    image, mask = Plots().render(1, "spike")
    item = dataset[1]
    assert np.array_equal(dataset.pixels(1).numpy(), image)
    assert np.array_equal(item["mask"].numpy(), mask)
    assert (item["kind"], item["path"], item["category"], item["label"]) == ("spike", "plots/0/1", "series", 1)
    assert (dataset.channels, dataset.image_size, dataset.kinds) == (3, (SIDE, SIDE), ["good", "spike", "drift"])
    dataset.original_mask(1)[:] = True
    assert not dataset.original_mask(1).all()
    assert AnomalyDataset(samples, image_size=(64, 64), channels=1)[2]["image"].shape == (1, 64, 64)


def test_fingerprints_follow_what_is_drawn():
    seen = {
        AnomalyDataset([sample]).fingerprint
        for sample in (
            PlotSample(0), PlotSample(1), PlotSample(0, seed=1), PlotSample(0, shows="drift"),
            PlotSample(0, shows="drift", labelled=False),
        )
    }  # fmt: skip
    assert len(seen) == 5


def test_plots_load_like_every_set():
    splits = load_dataset("plots")
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (400, 100, 190)
    assert splits.test[100]["image"].shape == (3, 224, 224)
    assert not splits.train.labels.any()
    with pytest.raises(ValueError, match="plots is generated, not read: leave root out"):
        load_dataset("plots", root="here")
