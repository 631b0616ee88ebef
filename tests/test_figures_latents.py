"""Latent codes drawn: a silent code, a healthy one and one without noise look as different as they are."""

from types import SimpleNamespace

import numpy as np
import pytest

from adkit.figures.latents import latents


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
