"""A latent space in two dimensions: one point an image, and the frame behind one of them."""

from collections.abc import Mapping
from itertools import chain, cycle

import numpy as np

from adkit.figures.marks import outline, show
from adkit.figures.style import COLOURS, GREY, INK, MARKERS, TRUE, WIDTH, new_figure, styled, to_array, to_image

SIDE = 4.0  # inches: height of the plane of points


@styled
def scatter(
    groups: Mapping, *, picked=None, image=None, mask=None, title="", labels=("1st component", "2nd component")
):
    """Points in a plane, a colour and a marker for each group; below, the frame behind a picked one.

    Args:
        groups: name → points (N, 2); the first group is drawn in grey, as what the others are compared with.
        picked: (2,), a point to ring; None: none.
        image: (C, H, W) or (H, W) in [0, 1], the frame behind the picked point; None: no frame is shown.
        mask: bool (H, W), its defect, outlined.
        title: of the frame.
        labels: of the two axes.

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
        axes[0].plot(*points.T, marker, color=colour, label=f"{name} ({len(points)})", alpha=0.75, markeredgewidth=0)
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

    Every number is first measured in standard deviations of the base group, from its mean.

    Args:
        groups: name → vectors (N, D), with D of at least 2.
        base: the group whose plane it is, such as normal training images, at least 3 of them.

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
    centre, spread = groups[base].mean(axis=0), groups[base].std(axis=0).clip(min=1e-12)
    _, _, components = np.linalg.svd((groups[base] - centre) / spread, full_matrices=False)
    axes = components[:2] * np.where(components[:2].sum(axis=1, keepdims=True) < 0, -1, 1)  # the sign is arbitrary
    return {name: (vectors - centre) / spread @ axes.T for name, vectors in groups.items()}


def _sizes(groups: Mapping) -> dict[str, int]:
    return {name: len(vectors) for name, vectors in groups.items()}


def nearest_point(groups: Mapping, place) -> tuple[str, int]:
    """The point nearest to a place (2,) in a plane whose axes are scaled to the spread of all points.

    Args:
        groups: name → points (N, 2).
        place: where to look.

    Returns:
        Name of its group, and its number there.

    Example:
        >>> nearest_point({"normal": [[0.0, 0.0], [1.0, 1.0]], "dark": [[5.0, 5.0]]}, (4.0, 4.5))
        ('dark', 0)
    """
    groups = {name: to_array(points) for name, points in groups.items() if len(points)}
    spread = np.concatenate(list(groups.values())).std(axis=0).clip(min=1e-12)
    far = {name: np.linalg.norm((points - to_array(place)) / spread, axis=1) for name, points in groups.items()}
    name = min(far, key=lambda one: far[one].min())
    return name, int(far[name].argmin())
