"""Histograms with their cuts, and masks of several methods."""

import numpy as np
import pytest

from adkit.figures.thresholding import mask_rows, split


def test_every_cut_has_a_line_in_both_parts_and_a_name():
    normal, defective = np.linspace(0, 1, 100), np.array([2.0, 2.1])
    fig, axes = split(normal, defective, (normal, normal**2), {"Otsu": 0.5, "percentile": 0.55})
    assert [text.get_text() for text in axes[0].texts] == ["Otsu", "percentile"]
    assert [len(ax.lines) for ax in axes] == [2, 3]
    left, right = (text.get_position()[0] for text in axes[0].texts)
    assert right - left >= 0.13  # names do not lie upon each other
    labels = [text.get_text() for text in axes[0].get_legend().get_texts()]
    assert labels == ["normal (100 pixels)", "defective (2)"]
    assert fig.canvas is not None
    with pytest.raises(ValueError, match="values of normal pixels, got none"):
        split([], defective, ([0], [0]), {})


@pytest.mark.parametrize("shape", [(44, 244), (64, 64)])
def test_masks_say_their_overlap_and_their_false_area(shape):
    mask = np.zeros(shape, bool)
    mask[10:20, 10:20] = True
    half = mask.copy()
    half[:15] = False
    _, axes = mask_rows(np.zeros(shape), mask, {"half": half, "nothing": mask & ~mask}, title="dots")
    titles = [ax.get_title(loc="left") for ax in axes]
    assert titles == ["dots", "half: IoU 0.50, 0.00 % false", "nothing: IoU 0.00, 0.00 % false"]
    _, axes = mask_rows(np.zeros(shape), mask & ~mask, {"Otsu": mask & ~mask})
    assert axes[1].get_title(loc="left") == "Otsu: rightly nothing, 0.00 % false"
    with pytest.raises(ValueError, match="at least one prediction"):
        mask_rows(np.zeros(shape), mask, {})
