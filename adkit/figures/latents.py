"""Latent spaces: what each dimension of a code carries, and images as points in a plane."""

from collections.abc import Mapping
from itertools import chain, cycle

import numpy as np

from adkit.figures.curves import name_ends
from adkit.figures.marks import outline, show
from adkit.figures.style import COLOURS, GREY, INK, LINES, MARKERS, TRUE, WIDTH, new_figure, styled, to_array, to_image
from adkit.losses.divergence import ACTIVE_VARIANCE

# Inches: height of the plane of points.
SIDE = 4.0


@styled
def latents(codes: Mapping):
    """For each run: the variance of μ by dimension, and histograms of μ and of σ over inputs and dimensions.

    The prior is shown in grey: μ = 0 with σ = 1 means that a posterior says nothing about its input.

    Args:
        codes: name → something with ``mu`` and ``variance``, (N, D) each, such as the playbook's ``Codes``.

    Returns:
        ``(fig, axes)``, axes an array of three.

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
    pooled = {name: (to_array(code.mu), np.sqrt(to_array(code.variance))) for name, code in codes.items()}
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
    axes[0].axhline(ACTIVE_VARIANCE, color=GREY, linewidth=0.8)
    axes[0].set(title="variance of μ (grey: active above)", xlabel="dimension, sorted", yscale="log")
    axes[1].axvline(0, color=GREY, linewidth=0.8)
    axes[1].set(title="μ (share of all values)", xlabel="μ")
    axes[2].axvline(1, color=GREY, linewidth=0.8)
    axes[2].set(title="σ (grey: the prior's)", xlabel="σ", xscale="log")
    for ax in axes:
        ax.grid(axis="y")
        ax.minorticks_off()
    if smallest > 0.1:  # less than a decade: a logarithmic axis would name one place of it
        places = [place for place in (0.1, 0.2, 0.5, 1, 2) if place >= smallest]
        axes[2].set_xticks(places, labels=[f"{place:g}" for place in places])
    name_ends(axes[2], ends, COLOURS)
    return fig, axes


@styled
def scatter(
    groups: Mapping, *, picked=None, image=None, mask=None, title="", labels=("1st component", "2nd component")
):
    """Points in a plane, a colour and a marker for each group; if one is picked, its frame stands below.

    Args:
        groups: name → points (N, 2); the first group is shown in grey, as what the others are compared with.
        picked: (2,), a point to ring; None: none.
        image: (C, H, W) or (H, W) in [0, 1], the frame behind the picked point; None: no frame is shown.
        mask: bool (H, W), the defect in that frame, outlined; None: no outline.
        title: title of the frame.
        labels: names of the two axes.

    Returns:
        ``(fig, axes)``, axes an array of one, or two with a frame.

    Raises:
        ValueError: if there is no group, or one is not (N, 2).

    Example:
        >>> normal, defective = np.random.default_rng(0).normal(size=(2, 20, 2))
        >>> fig, axes = scatter({"normal": normal, "dark": defective + 3}, picked=(3, 3), image=np.zeros((44, 244)))
        >>> len(axes)
        2
    """
    groups = {name: to_array(points) for name, points in groups.items()}
    shapes = {name: points.shape for name, points in groups.items()}
    if not groups or any(len(shape) != 2 or shape[1] != 2 for shape in shapes.values()):
        raise ValueError(f"expected name → points (N, 2) of one or more groups, got {shapes}")
    ratios = [SIDE] if image is None else [SIDE, _height(image)]
    fig = new_figure(sum(ratios) + 0.3)
    axes = fig.subplots(len(ratios), 1, height_ratios=ratios, squeeze=False)[:, 0]
    looks = cycle(zip(COLOURS, MARKERS, strict=True))
    for (name, points), (colour, marker) in zip(groups.items(), chain([(GREY, "p")], looks), strict=False):
        axes[0].plot(
            *points.T, marker, color=colour, label=f"{name} ({len(points)})", alpha=0.8, markersize=6, markeredgewidth=0
        )
    if picked is not None:
        axes[0].plot(*to_array(picked), "o", markersize=14, fillstyle="none", color=INK, markeredgewidth=1.6)
    axes[0].set(xlabel=labels[0], ylabel=labels[1])
    axes[0].grid()
    axes[0].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    if image is not None:
        show(axes[1], to_image(image), title)
        if mask is not None:
            outline(axes[1], to_array(mask).astype(bool), TRUE)
    return fig, axes


def _height(image) -> float:
    """Inches that a frame takes at full width, at most those of the plane."""
    height, width = to_image(image).shape[:2]
    return min(SIDE, WIDTH * height / width + 0.3)


def principal_plane(groups: Mapping, base: str) -> dict[str, np.ndarray]:
    """Vectors of many numbers on the plane in which those of one group vary most (principal components).

    Every number is first measured in standard deviations of the base group, from its mean. The sign of a component is
    arbitrary: it is chosen so that its entries have a positive sum.

    Args:
        groups: name → vectors (N, D), with D of at least 2.
        base: name of the group whose plane it is, such as normal training images, at least 3 of them.

    Returns:
        Name → points (N, 2).

    Raises:
        ValueError: if ``base`` is not among the groups, or has fewer than 3 vectors.

    Example:
        >>> line = np.arange(9.0)[:, None] * [1.0, 2.0, 3.0]
        >>> principal_plane({"normal": line, "dark": line[:1]}, "normal")["dark"].shape
        (1, 2)
    """
    groups = {name: to_array(vectors).astype(float) for name, vectors in groups.items()}
    if len(groups.get(base, ())) < 3:
        raise ValueError(f"the plane needs at least 3 vectors of the group {base!r}, got groups {_sizes(groups)}")
    # scikit-learn takes a second to import, and few figures need it.
    from sklearn.decomposition import PCA

    centre, spread = groups[base].mean(axis=0), groups[base].std(axis=0).clip(min=1e-12)
    groups = {name: (vectors - centre) / spread for name, vectors in groups.items()}
    plane = PCA(2, svd_solver="full").fit(groups[base])
    signs = np.where(plane.components_.sum(axis=1) < 0, -1, 1)
    return {name: plane.transform(vectors) * signs for name, vectors in groups.items()}


def _sizes(groups: Mapping) -> dict[str, int]:
    return {name: len(vectors) for name, vectors in groups.items()}


def nearest_point(groups: Mapping, place) -> tuple[str, int]:
    """The point nearest to a place (2,) in a plane whose axes are scaled to the spread of all points.

    Args:
        groups: name → points (N, 2).
        place: (2,), where to look.

    Returns:
        Name of the point's group, and its index there.

    Example:
        >>> nearest_point({"normal": [[0.0, 0.0], [1.0, 1.0]], "dark": [[5.0, 5.0]]}, (4.0, 4.5))
        ('dark', 0)
    """
    groups = {name: to_array(points) for name, points in groups.items() if len(points)}
    spread = np.concatenate(list(groups.values())).std(axis=0).clip(min=1e-12)
    offsets = {name: (points - to_array(place)) / spread for name, points in groups.items()}
    distances = {name: np.linalg.norm(offset, axis=1) for name, offset in offsets.items()}
    nearest = min(distances, key=lambda name: distances[name].min())
    return nearest, int(distances[nearest].argmin())
