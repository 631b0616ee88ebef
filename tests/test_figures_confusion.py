"""The confusion matrix: counts in their cells, shades by row, names on both axes."""

import numpy as np
import pytest

from adkit.figures import tables as confusion


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
