"""Images beside their reconstructions, and the error of these: by pixel, or in the spectra of small windows."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from adkit.figures.frames import frame_grid, is_wide
from adkit.figures.marks import brackets, outline, show, zoom_box
from adkit.figures.panels import colour_limits, colour_scale
from adkit.figures.style import MAP, TRUE, WIDTH, new_figure, styled, to_images, to_masks
from adkit.scoring import MAP_METHODS


@styled
def reconstructions(image, mask, reconstructed: Mapping, *, gain: float = 4.0, smallest: int = 64):
    """A window around the largest defect: the image beside its reconstructions; below each, its residual.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        mask: bool (H, W), the true one.
        reconstructed: name → reconstruction, as ``image``.
        gain: the residual, the absolute difference, is shown from 0 (dark) to 1 / gain (bright) in all panels.
        smallest: side of the smallest window, in pixels.

    Returns:
        ``(fig, axes)`` with axes (2, 1 + reconstructions); the first column holds the image and the true mask.

    Raises:
        ValueError: if there are no reconstructions, or ``gain`` is not positive.

    Example:
        >>> image, mask = np.zeros((64, 64)), np.zeros((64, 64), bool)
        >>> fig, axes = reconstructions(image, mask, {"plain": image, "U-Net": image})
        >>> axes.shape
        (2, 3)
    """
    if not reconstructed:
        raise ValueError("reconstructions needs at least one reconstruction, as name -> image, got none")
    if not gain > 0:
        raise ValueError(f"gain must be a positive number, got {gain}")
    (image, *others), (mask,) = to_images([image, *reconstructed.values()]), to_masks(mask)
    top, left, height, width = zoom_box(mask, smallest=min(smallest, *mask.shape))
    window = np.s_[top : top + height, left : left + width]
    columns = 1 + len(others)
    side = WIDTH / max(columns, 4)
    fig = new_figure(2 * side * height / width + 0.6, columns * side, layout="compressed")
    axes = fig.subplots(2, columns, squeeze=False)
    show(axes[0, 0], image[window], "image")
    show(axes[1, 0], image[window], "true mask")
    for (upper, lower), name, other in zip(axes.T[1:], reconstructed, others, strict=True):
        residual = np.abs(image - other).reshape(*mask.shape, -1).mean(axis=-1)
        show(upper, other[window], name)
        show(lower, residual[window], "residual", cmap=MAP, vmin=0, vmax=1 / gain)
    outline(axes[1, 0], mask[window], TRUE, 1.0, rings=False)
    for ax in axes[1, 1:]:
        brackets(ax, mask[window])
    return fig, axes


NAMES = {"l1": "reconstruction error", "l2": "squared error", "fft": "FFT error (spectra of 16 × 16 windows)"}


def error_scales(images: Sequence, reconstructions: Sequence, methods: Sequence[str] = ("l1", "fft")) -> dict:
    """One colour scale for each kind of error, from normal images and their reconstructions.

    Args:
        images: normal images (C, H, W) in [0, 1].
        reconstructions: their reconstructions, of the same shapes.
        methods: kinds of error, names of :data:`adkit.scoring.MAP_METHODS`.

    Returns:
        Kind of error → ``(low, high)``, see :func:`adkit.figures.colour_scale`.

    Example:
        >>> images = [torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))]
        >>> sorted(error_scales(images, [image / 2 for image in images]))
        ['fft', 'l1']
    """
    pairs = list(zip(images, reconstructions, strict=True))
    return {method: colour_scale([error_map(*pair, method) for pair in pairs]) for method in methods}


def error_map(image, reconstruction, method: str):
    """The error of one image, without smoothing.

    Args:
        image: (C, H, W) in [0, 1].
        reconstruction: the same.
        method: kind of error, a name of :data:`adkit.scoring.MAP_METHODS`.

    Returns:
        Tensor (H, W).
    """
    image, reconstruction = torch.as_tensor(image), torch.as_tensor(reconstruction)
    return MAP_METHODS[method](image[None].float(), reconstruction[None].float())[0]


@styled
def error_maps(images: Sequence, reconstructions: Sequence, masks: Sequence, *, scales: Mapping, titles: Sequence[str]):
    """Images, their reconstructions, and a map for each kind of error.

    Args:
        images: N images (C, H, W) in [0, 1], all of one size.
        reconstructions: their N reconstructions, of the same shapes.
        masks: N masks, bool (H, W), whose regions are marked by corners on the maps.
        scales: kind of error → colour scale, from :func:`error_scales`: the kinds that are shown, in this order.
        titles: N texts.

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
    for number, (row, image, reconstructed, mask, title) in enumerate(
        zip(axes, images, reconstructions, masks, titles, strict=True)
    ):
        show(row[0], to_images(image)[0], title)
        show(row[1], to_images(reconstructed)[0], "reconstruction" if headed or not number else "")
        for ax, (method, scale) in zip(row[2:], scales.items(), strict=True):
            low, high = colour_limits(scale)
            name = NAMES.get(method, f"{method} error") if headed or not number else ""
            show(ax, error_map(image, reconstructed, method).numpy(), name, cmap=MAP, vmin=low, vmax=high)
            brackets(ax, torch.as_tensor(mask).numpy().astype(bool))
    return fig, axes
