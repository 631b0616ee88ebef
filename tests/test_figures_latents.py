"""Latent spaces: codes side by side, points in a plane, and the picking of one."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from adkit.figures import latents, scatter
from adkit.figures.latents import nearest_point, principal_plane
from adkit.figures.style import COLOURS, GREY

GROUPS = {"normal": torch.zeros(5, 2), "dark": np.ones((3, 2)), "dots": [[2.0, 3.0]]}


# ---- codes: a silent one, a healthy one and one without noise look as different as they are


def codes(spread, sigma, n=200, d=6):
    mu = spread * np.random.default_rng(0).normal(size=(n, d))
    return SimpleNamespace(mu=mu, variance=np.full((n, d), sigma**2))


def test_the_panels_show_spread_mu_and_sigma():
    runs = {"healthy": codes(0.9, 0.4), "collapsed": codes(0.0, 1.0), "no noise": codes(2.0, 0.01)}
    _, axes = latents(runs)
    lines = [line for line in axes[0].get_lines() if len(line.get_xdata()) == 6]
    assert len(lines) == 3
    assert lines[0].get_ydata() == pytest.approx(np.sort(runs["healthy"].mu.var(0))[::-1])
    assert lines[1].get_ydata().max() == pytest.approx(1e-8)
    for ax in axes[1:]:
        assert [patch.get_data().values.sum() for patch in ax.patches] == pytest.approx([1, 1, 1], abs=0.02)
    peaks = [patch.get_data() for patch in axes[2].patches]
    assert [float(data.edges[data.values.argmax()]) for data in peaks] == pytest.approx([0.4, 1.0, 0.01], rel=0.15)
    assert {text.get_text() for text in axes[2].texts} == set(runs)


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="codes of at least one run"):
        latents({})


# ---- the plane of points


def test_every_group_has_a_look_of_its_own():
    plot = scatter(GROUPS)
    (ax,) = plot.axes
    assert [line.get_color() for line in ax.lines] == [GREY, *COLOURS[:2]]
    assert len({line.get_marker() for line in ax.lines}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["normal (5)", "dark (3)", "dots (1)"]
    assert plot.png()


def test_more_groups_than_colours_are_drawn():
    assert len(scatter({str(number): [[0.0, 1.0]] for number in range(9)}).axes[0].lines) == 9


@pytest.mark.parametrize("shape", [(1, 44, 244), (64, 64)])
def test_a_picked_point_is_ringed_and_its_frame_shown_with_the_defect(shape):
    mask = np.zeros(shape[-2:], bool)
    mask[10:30, 10:40] = True
    plot = scatter(GROUPS, picked=(2.0, 3.0), image=np.zeros(shape), mask=mask, title="dots, frame 0")
    plane, frame = plot.axes
    assert plane.lines[-1].get_xydata().tolist() == [[2.0, 3.0]]
    assert frame.get_title(loc="left") == "dots, frame 0"
    assert frame.images[0].get_array().shape == shape[-2:]
    assert frame.collections  # the outline
    assert plot.png()


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


def test_the_plane_is_that_of_a_decomposition_by_hand_and_its_sign_is_fixed():
    rng = np.random.default_rng(1)
    groups = {"normal": rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6)), "far": 3 + rng.normal(size=(4, 6))}
    centre, spread = groups["normal"].mean(axis=0), groups["normal"].std(axis=0)
    components = np.linalg.svd((groups["normal"] - centre) / spread, full_matrices=False)[2][:2]
    components *= np.where(components.sum(axis=1, keepdims=True) < 0, -1, 1)
    for name, points in principal_plane(groups, "normal").items():
        np.testing.assert_allclose(points, (groups[name] - centre) / spread @ components.T, atol=1e-12)
