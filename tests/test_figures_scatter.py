"""The plane of points, and the picking of one."""

import matplotlib
import numpy as np
import pytest
import torch

from adkit.figures.latents import nearest_point, principal_plane, scatter
from adkit.figures.style import COLOURS, GREY

matplotlib.use("Agg")
GROUPS = {"normal": torch.zeros(5, 2), "dark": np.ones((3, 2)), "dots": [[2.0, 3.0]]}


def test_every_group_has_a_look_of_its_own():
    drawing = scatter(GROUPS)
    (ax,) = drawing.axes
    assert [line.get_color() for line in ax.lines] == [GREY, *COLOURS[:2]]
    assert len({line.get_marker() for line in ax.lines}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["normal (5)", "dark (3)", "dots (1)"]
    assert drawing.png()


def test_more_groups_than_colours_are_drawn():
    assert len(scatter({str(number): [[0.0, 1.0]] for number in range(9)}).axes[0].lines) == 9


@pytest.mark.parametrize("shape", [(1, 44, 244), (64, 64)])
def test_a_picked_point_is_ringed_and_its_frame_shown_with_the_defect(shape):
    mask = np.zeros(shape[-2:], bool)
    mask[10:30, 10:40] = True
    drawing = scatter(GROUPS, picked=(2.0, 3.0), image=np.zeros(shape), mask=mask, title="dots, frame 0")
    plane, frame = drawing.axes
    assert plane.lines[-1].get_xydata().tolist() == [[2.0, 3.0]]
    assert frame.get_title(loc="left") == "dots, frame 0"
    assert frame.images[0].get_array().shape == shape[-2:]
    assert frame.collections  # the outline
    assert drawing.png()


@pytest.mark.parametrize("groups", [{}, {"normal": np.zeros(4)}, {"normal": np.zeros((4, 3))}])
def test_points_must_lie_in_a_plane(groups):
    with pytest.raises(ValueError, match=r"points \(N, 2\)"):
        scatter(groups)


def test_the_nearest_point_is_found_at_the_scale_of_each_axis():
    groups = {"wide": [[0.0, 0.0], [1000.0, 0.0]], "high": [[0.0, 1.0]], "empty": np.zeros((0, 2))}
    assert nearest_point(groups, (100.0, 0.9)) == ("high", 0)  # 100 is little along the first axis
    assert nearest_point(groups, (900.0, 0.1)) == ("wide", 1)


def test_the_plane_is_that_of_the_base_group_alone():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(50, 2))
    normal = np.concatenate([hidden, hidden @ rng.normal(size=(2, 4)), 0.01 * rng.normal(size=(50, 2))], axis=1)
    plane = principal_plane({"normal": normal, "far": 5 + normal[:3]}, "normal")
    assert plane["far"].shape == (3, 2)
    np.testing.assert_allclose(plane["normal"].mean(axis=0), 0, atol=1e-9)
    scaled = (normal - normal.mean(axis=0)) / normal.std(axis=0)
    best_two = np.linalg.eigvalsh(np.cov(scaled.T, bias=True))[-2:].sum()
    assert plane["normal"].var(axis=0).sum() == pytest.approx(best_two)


@pytest.mark.parametrize("base", ["good", "dots"])
def test_the_base_must_be_there_and_hold_three(base):
    with pytest.raises(ValueError, match=f"at least 3 vectors of the group '{base}'"):
        principal_plane(GROUPS, base)
