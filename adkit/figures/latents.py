"""Latent codes side by side: which dimensions carry anything, where μ lies, and how large σ is."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np

from adkit.figures.curves import name_ends
from adkit.figures.style import COLOURS, GREY, LINES, new_figure, styled, to_array

ACTIVE = 0.01  # variance of μ from which a dimension counts as active (Burda et al. 2016)


@styled
def latents(codes: Mapping):
    """For each run: the variance of μ by dimension, and histograms of μ and of σ over inputs and dimensions.

    The prior is drawn in grey: μ = 0 with σ = 1 means that a posterior says nothing about its input.

    Args:
        codes: name → something with ``mu`` and ``variance``, (N, D) each, such as :class:`adkit.diagnose.codes.Codes`.

    Returns:
        ``(fig, axes)``, three axes.

    Raises:
        ValueError: if there is no run.

    Example:
        >>> from types import SimpleNamespace
        >>> mu = np.random.default_rng(0).normal(size=(50, 4))
        >>> fig, axes = latents({"healthy": SimpleNamespace(mu=mu, variance=0.1 + 0 * mu)})
        >>> len(axes)
        3
    """
    if not codes:
        raise ValueError("latents needs the codes of at least one run, as name -> codes, got none")
    fig = new_figure(2.9)
    axes = fig.subplots(1, 3, width_ratios=[1, 1, 1])
    pooled = {name: (to_array(one.mu), np.sqrt(to_array(one.variance))) for name, one in codes.items()}
    widest = max(1.0, *(float(np.quantile(np.abs(mu), 0.995)) for mu, _ in pooled.values()))
    smallest = min(0.5, *(float(sigma.min()) for _, sigma in pooled.values()))
    edges = np.linspace(-widest, widest, 61), np.geomspace(smallest, 3, 61)
    ends = []
    for (name, (mu, sigma)), colour, line in zip(pooled.items(), cycle(COLOURS), cycle(LINES), strict=False):
        look = {"color": colour, "linestyle": line}
        spread = np.sort(mu.var(axis=0))[::-1].clip(min=1e-8)
        axes[0].plot(np.arange(1, len(spread) + 1), spread, **look)
        for ax, values, bins in zip(axes[1:], (mu, sigma), edges, strict=True):
            heights = np.histogram(values, bins)[0] / values.size
            ax.stairs(heights, bins, color=colour, linestyle=line, linewidth=1.6)
        ends.append((name, 0.0, heights[-1]))
    axes[0].axhline(ACTIVE, color=GREY, linewidth=0.8)
    axes[0].set(title="variance of μ (grey: active above)", xlabel="dimension, sorted", yscale="log")
    axes[1].axvline(0, color=GREY, linewidth=0.8)
    axes[1].set(title="μ (share of all values)", xlabel="μ")
    axes[2].axvline(1, color=GREY, linewidth=0.8)
    axes[2].set(title="σ (grey: the prior's)", xlabel="σ", xscale="log")
    for ax in axes:
        ax.grid(axis="y")
        ax.minorticks_off()
    name_ends(axes[2], ends, COLOURS)
    return fig, axes
