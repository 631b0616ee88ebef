"""Numbers as figures: tables, confusion matrices, costs, and where thresholds cut a histogram."""

import math

import numpy as np
import pytest

from adkit.figures import column_table, comparison, confusion, costs, gallery, heat_panels, threshold_split
from adkit.figures.style import COLOURS

TABLE = {"plain": {"KL": 30.2, "AP": 0.2}, "add": {"KL": 0.4, "AP": None}, "gated": {"KL": math.nan, "AP": 0.1}}
COSTS = {"coreset": [(10, 1.2, 0.1), (100, 2.5, 0.2)], "all": [(500, 9.0, 0.21)]}


# ---- a table of unlike numbers: what it writes, how it shades, what it refuses


def test_every_cell_is_written_and_shaded_by_its_column():
    _fig, ax = column_table(TABLE, label="variants")
    assert [text.get_text() for text in ax.texts] == ["30.2", "0.2", "0.4", "–", "–", "0.1"]
    (mesh,) = ax.collections
    assert mesh.get_array().filled(-1).ravel().tolist() == pytest.approx([1, 1, 0, -1, -1, 0])
    assert [label.get_text() for label in ax.get_yticklabels()] == list(TABLE)
    assert ax.get_title(loc="left") == "variants"


def test_equal_and_missing_values_are_light():
    _fig, ax = column_table({"a": {"x": 3.0, "y": None}, "b": {"x": 3.0, "y": None}})
    assert ax.collections[0].get_array().filled(-1).ravel().tolist() == [0, -1, 0, -1]


def test_columns_that_are_not_to_be_shaded_stay_white():
    _fig, ax = column_table(TABLE, shaded=["AP"])
    assert ax.collections[0].get_array().filled(-1).ravel().tolist() == pytest.approx([-1, 1, -1, -1, -1, 0])
    assert [text.get_text() for text in ax.texts] == ["30.2", "0.2", "0.4", "–", "–", "0.1"]


@pytest.mark.parametrize("table", [{}, {"a": {}}, {"a": {"x": 1}, "b": {"y": 1}}])
def test_rows_must_have_the_same_columns(table):
    with pytest.raises(ValueError, match="expected rows with the same columns"):
        column_table(table)


# ---- tables of one shape below one another, and patches side by side


def test_panels_are_shaded_apart_and_frame_their_highest_number():
    _fig, axes = heat_panels(
        {"dots": [[0.1, 0.2]], "dark": [[0.9, math.nan]]}, ["mse"], ["l2, 4", "ssim, 4"], label="AP"
    )
    assert [[text.get_text() for text in ax.texts] for ax in axes] == [["0.10", "0.20"], ["0.90", "–"]]
    assert [ax.patches[0].get_xy() for ax in axes] == [(1, 0), (0, 0)]
    assert axes[0].collections[0].get_array().filled(-1).ravel().tolist() == pytest.approx([0, 1])
    assert [ax.get_title(loc="left") for ax in axes] == ["dots", "dark"]


@pytest.mark.parametrize("tables", [{}, {"a": [[1.0]]}, {"a": [[1.0, 2.0]], "b": [[1.0]]}])
def test_panels_need_tables_of_one_shape(tables):
    with pytest.raises(ValueError, match=r"expected tables of shape \(1, 2\)"):
        heat_panels(tables, ["mse"], ["l2", "ssim"])


def test_a_gallery_shows_each_patch_under_its_name():
    patches = {f"patch {n}": np.full((8, 8), n / 10) for n in range(5)}
    _fig, axes = gallery(patches, columns=4)
    assert [ax.get_title(loc="left") for ax in axes] == list(patches)
    assert axes[1].get_images()[0].get_clim() == (0, 1)
    _fig, axes = gallery({"map": np.array([[-1.0, 3.0]]), "other": np.zeros((1, 2))}, maps=True)
    assert [ax.get_images()[0].get_clim() for ax in axes] == [(-1, 3), (-1, 3)]
    with pytest.raises(ValueError, match="at least one image"):
        gallery({})


# ---- the confusion matrix: counts in their cells, shades by row, names on both axes


def test_cells_hold_counts_and_are_shaded_by_the_share_of_their_row():
    counts = [[90, 10, 0], [0, 5, 5]]
    _, ax = confusion(counts, ["good", "spike"], ["good", "spike", "drift"], title="both stages")
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0.5, 0.5): "90", (1.5, 0.5): "10", (1.5, 1.5): "5", (2.5, 1.5): "5"}
    np.testing.assert_allclose(ax.collections[0].get_array(), [[0.9, 0.1, 0], [0, 0.5, 0.5]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["good", "spike", "drift"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["good", "spike"]
    assert ax.get_title(loc="left") == "both stages"


def test_a_kind_without_images_is_an_empty_row():
    _, ax = confusion(np.array([[3, 0], [0, 0]]), ["good", "spike"])
    assert len(ax.texts) == 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"expected 2 x 2 counts of at least 0, as rows and columns, got \(2, 3\)"):
        confusion(np.zeros((2, 3)), ["good", "spike"])
    with pytest.raises(ValueError, match="with the smallest -1"):
        confusion([[1, -1], [0, 0]], ["good", "spike"])


# ---- accuracy over its costs


def test_a_group_looks_the_same_in_every_panel():
    plot = costs(COSTS, ["memory, KiB", "time, ms"], ylabel="pixel AP")
    memory, time = plot.axes
    for ax in (memory, time):
        assert [line.get_color() for line in ax.lines] == list(COLOURS[:2])
        assert ax.get_xscale() == "log"
    assert memory.lines[0].get_xydata().tolist() == [[10, 0.1], [100, 0.2]]
    assert time.lines[1].get_xydata().tolist() == [[9.0, 0.21]]
    assert [text.get_text() for text in time.get_legend().get_texts()] == ["coreset", "all"]
    assert plot.png()


def test_more_groups_than_colours_are_drawn():
    assert len(costs({str(n): [(1, n)] for n in range(9)}, ["time"], ylabel="AP").axes[0].lines) == 9


@pytest.mark.parametrize("rows", [{}, {"a": [1, 2]}, {"a": [(1, 2, 3, 4)]}, {"a": [(0, 1, 0.5)]}])
def test_costs_must_be_positive_and_complete(rows):
    with pytest.raises(ValueError, match="rows of 2 positive costs and the accuracy"):
        costs(rows, ["memory", "time"], ylabel="AP")


# ---- histograms with their cuts


def test_every_cut_has_a_line_in_both_parts_and_a_name():
    normal, defective = np.linspace(0, 1, 100), np.array([2.0, 2.1])
    fig, axes = threshold_split(normal, defective, (normal, normal**2), {"Otsu": 0.5, "percentile": 0.55})
    assert [text.get_text() for text in axes[0].texts] == ["Otsu", "percentile"]
    assert [len(ax.lines) for ax in axes] == [2, 3]
    left, right = (text.get_position()[0] for text in axes[0].texts)
    assert right - left >= 0.13  # names do not lie upon each other
    labels = [text.get_text() for text in axes[0].get_legend().get_texts()]
    assert labels == ["normal (100 pixels)", "defective (2)"]
    assert fig.canvas is not None
    with pytest.raises(ValueError, match="values of normal pixels, got none"):
        threshold_split([], defective, ([0], [0]), {})


def test_panels_of_one_unit_share_their_limits():
    rows = [{"": "spike", "stage 1": (0.8, 0.6, 0.9), "stage 2": 1.0}]
    for limits, expected in ((None, False), ((0, 1), True)):
        _fig, axes = comparison(rows, limits=limits)
        assert (axes[0].get_xlim() == axes[1].get_xlim()) == expected
    assert axes[1].get_xlim() == pytest.approx((-0.05, 1.05))
