"""The table of unlike numbers: what it writes, how it shades, what it refuses."""

import math

import pytest

from adkit.figures.tables import column_table

TABLE = {"plain": {"KL": 30.2, "AP": 0.2}, "add": {"KL": 0.4, "AP": None}, "gated": {"KL": math.nan, "AP": 0.1}}


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


@pytest.mark.parametrize("table", [{}, {"a": {}}, {"a": {"x": 1}, "b": {"y": 1}}])
def test_rows_must_have_the_same_columns(table):
    with pytest.raises(ValueError, match="expected rows with the same columns"):
        column_table(table)
