"""The evidence in one figure: six panels, red where a reading trips, and honest where nothing was measured."""

import pytest
from matplotlib.colors import to_hex

from adkit.diagnose import diagnose
from adkit.figures.diagnosis import PANELS, tree_figure
from adkit.figures.style import VERMILLION


def reds(axes):
    return {ax.get_title(loc="left") for ax in axes if to_hex(ax._left_title.get_color()).upper() == VERMILLION}


@pytest.mark.slow
def test_red_panels_are_those_whose_readings_trip(splits, fitted_vae):
    diagnosis = diagnose(fitted_vae, splits.validation, test=splits.test)
    fig, axes = diagnosis.figure()
    assert [ax.get_title(loc="left") for ax in axes] == list(PANELS)
    assert {"latent code", "reconstructions"} <= reds(axes)
    assert fig.png().startswith(b"\x89PNG")


def test_without_a_test_part_and_without_a_code_panels_say_so(splits, fitted):
    fig, axes = diagnose(fitted, splits.validation).figure()
    texts = [[text.get_text() for text in ax.texts] for ax in axes]
    assert texts[0] == ["no latent Gaussians"]
    assert texts[4] == ["needs test"]
    assert texts[5] == ["needs test images with masks"]
    assert fig.png().startswith(b"\x89PNG")


def test_a_tree_marks_the_way_of_the_answers():
    from adkit.diagnose.decision_tree import TREE

    _, ax = tree_figure(TREE, [False, True])
    marked = [patch for patch in ax.patches if to_hex(patch.get_edgecolor()).upper() == VERMILLION]
    assert len(marked) >= 3
    assert TREE.text.split()[0] in ax.texts[0].get_text()
