"""Where a reconstruction is wrong: pixel by pixel, and in the spectrum of each small window."""

from collections.abc import Mapping, Sequence

import torch

from adkit.figures.marks import outline, show
from adkit.figures.panels import colour_limits, colour_scale, frame_grid, is_wide
from adkit.figures.style import MAP, TRUE, styled, to_images
from adkit.scoring import MAP_METHODS

NAMES = {"l1": "reconstruction error", "l2": "squared error", "fft": "FFT error (spectra of 16 × 16 windows)"}


def error_scales(images: Sequence, reconstructions: Sequence, methods: Sequence[str] = ("l1", "fft")) -> dict:
    """One colour scale for each kind of error, from normal images and their reconstructions.

    Args:
        images: normal images (C, H, W) in [0, 1].
        reconstructions: the same.
        methods: of :data:`adkit.scoring.MAP_METHODS`.

    Example:
        >>> images = [torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))]
        >>> sorted(error_scales(images, [image / 2 for image in images]))
        ['fft', 'l1']
    """
    pairs = list(zip(images, reconstructions, strict=True))
    return {method: colour_scale([error_map(*pair, method) for pair in pairs]) for method in methods}


def error_map(image, reconstruction, method: str):
    """The error (H, W) of one image (C, H, W), without smoothing; see :data:`adkit.scoring.MAP_METHODS`."""
    image, reconstruction = torch.as_tensor(image), torch.as_tensor(reconstruction)
    return MAP_METHODS[method](image[None].float(), reconstruction[None].float())[0]


@styled
def error_maps(images: Sequence, reconstructions: Sequence, masks: Sequence, *, scales: Mapping, titles: Sequence[str]):
    """Images, their reconstructions, and a map for each kind of error.

    Args:
        images: (C, H, W) in [0, 1], all of one size.
        reconstructions: the same.
        masks: bool (H, W), outlined on the maps.
        scales: kind of error → colour scale, from :func:`error_scales`: the kinds that are drawn, in this order.
        titles: one an image.

    Returns:
        ``(fig, axes)`` with axes (N, 2 + kinds).

    Raises:
        ValueError: if a kind of error is unknown, or there are not as many reconstructions, masks or titles as images.

    Example:
        >>> image = torch.rand(1, 32, 64)
        >>> fig, axes = error_maps([image], [image / 2], [image[0] > 2], scales={"l1": (0, 1)}, titles=["good"])
        >>> axes.shape
        (1, 3)
    """
    if unknown := set(scales) - set(MAP_METHODS):
        raise ValueError(f"unknown error {', '.join(sorted(unknown))}; known: {', '.join(MAP_METHODS)}")
    counts = [len(part) for part in (images, reconstructions, masks, titles)]
    if len(set(counts)) > 1:
        raise ValueError(
            f"expected as many reconstructions, masks and titles as images, got {counts[1:]} for {counts[0]}"
        )
    fig, axes = frame_grid(len(images), 2 + len(scales), tuple(images[0].shape[-2:]))
    headed = is_wide(images[0].shape[-2:])
    for number, (row, image, redrawn, mask, title) in enumerate(
        zip(axes, images, reconstructions, masks, titles, strict=True)
    ):
        show(row[0], to_images(image)[0], title)
        show(row[1], to_images(redrawn)[0], "reconstruction" if headed or not number else "")
        for ax, (method, scale) in zip(row[2:], scales.items(), strict=True):
            low, high = colour_limits(scale)
            name = NAMES.get(method, f"{method} error") if headed or not number else ""
            show(ax, error_map(image, redrawn, method).numpy(), name, cmap=MAP, vmin=low, vmax=high)
            outline(ax, torch.as_tensor(mask).numpy().astype(bool), TRUE, 0.8)
    return fig, axes
