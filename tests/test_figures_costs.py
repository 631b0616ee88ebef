"""Accuracy over its costs."""

import matplotlib
import pytest

from adkit.figures.scores import costs
from adkit.figures.style import COLOURS

matplotlib.use("Agg")
ROWS = {"coreset": [(10, 1.2, 0.1), (100, 2.5, 0.2)], "all": [(500, 9.0, 0.21)]}


def test_a_group_looks_the_same_in_every_panel():
    drawing = costs(ROWS, ["memory, KiB", "time, ms"], ylabel="pixel AP")
    memory, time = drawing.axes
    for ax in (memory, time):
        assert [line.get_color() for line in ax.lines] == list(COLOURS[:2])
        assert ax.get_xscale() == "log"
    assert memory.lines[0].get_xydata().tolist() == [[10, 0.1], [100, 0.2]]
    assert time.lines[1].get_xydata().tolist() == [[9.0, 0.21]]
    assert [text.get_text() for text in time.get_legend().get_texts()] == ["coreset", "all"]
    assert drawing.png()


def test_more_groups_than_colours_are_drawn():
    assert len(costs({str(n): [(1, n)] for n in range(9)}, ["time"], ylabel="AP").axes[0].lines) == 9


@pytest.mark.parametrize("rows", [{}, {"a": [1, 2]}, {"a": [(1, 2, 3, 4)]}, {"a": [(0, 1, 0.5)]}])
def test_costs_must_be_positive_and_complete(rows):
    with pytest.raises(ValueError, match="rows of 2 positive costs and the accuracy"):
        costs(rows, ["memory", "time"], ylabel="AP")
