"""Several reconstructions of the same frames, frequency by frequency: what each keeps, and what it gets wrong."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np

from adkit.figures.curves import name_ends
from adkit.figures.spectrum import power_by_frequency
from adkit.figures.style import COLOURS, GREY, LINES, new_figure, styled, to_images


def relative_power(images, others: Sequence, bins: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Power of one set of images over the power of another, by frequency; each is summed over the images first.

    Args:
        images: the set to compare with: a list of (C, H, W) or (H, W) in [0, 1], or a batch; colour is averaged.
        others: arrays of the same sizes, (H, W), of any range.
        bins: number of rings between 0 and 0.5 cycles a pixel.

    Returns:
        Frequencies (bins,) in cycles a pixel, and the ratio (bins,); NaN where a ring holds no frequency.

    Raises:
        ValueError: if the numbers of images differ.

    Example:
        >>> image = np.random.default_rng(0).random((64, 64))
        >>> frequency, ratio = relative_power([image], [image / 2])
        >>> float(np.nanmax(ratio).round(3))
        0.25
    """
    frames = grey(images)
    if len(frames) != len(others):
        raise ValueError(f"expected as many reconstructions as images, got {len(others)} for {len(frames)}")
    frequency = power_by_frequency(frames[0], bins)[0]
    below, above = (sum(power_by_frequency(frame, bins)[1] for frame in part) for part in (frames, others))
    return frequency, above / np.maximum(below, 1e-12)


def grey(images) -> list[np.ndarray]:
    """Images as a list of (H, W), colour averaged."""
    return [image.mean(-1) if image.ndim == 3 else image for image in to_images(images)]


@styled
def spectra(images, reconstructions: Mapping[str, Sequence], bins: int = 40):
    """Left, the power that each reconstruction keeps; right, the power of its error; both relative to the images'.

    A reconstruction can keep all the power of a frequency and still have it in the wrong place: only the error shows.

    Args:
        images: a list of (C, H, W) or (H, W) in [0, 1], or a batch (B, C, H, W).
        reconstructions: name → images of the same sizes.
        bins: number of rings between 0 and 0.5 cycles a pixel.

    Returns:
        ``(fig, axes)``, two axes.

    Raises:
        ValueError: if the numbers of images differ.

    Example:
        >>> image = np.random.default_rng(0).random((64, 64))
        >>> fig, axes = spectra([image], {"half": [image / 2], "same": [image]})
    """
    frames, fig = grey(images), new_figure(3.1)
    axes, ends = fig.subplots(1, 2, sharex=True), []
    for (name, redrawn), colour, line in zip(reconstructions.items(), cycle(COLOURS), cycle(LINES), strict=False):
        redrawn = grey(redrawn)
        frequency, kept = relative_power(frames, redrawn, bins)
        wrong = relative_power(frames, [a - b for a, b in zip(redrawn, frames, strict=True)], bins)[1]
        for ax, values in zip(axes, (kept, wrong), strict=True):
            ax.plot(frequency, values, color=colour, linestyle=line)
        ends.append((name, frequency[-1], wrong[np.isfinite(wrong)][-1]))
    for ax, title in zip(axes, ("power kept (1: all)", "power of the error"), strict=True):
        ax.axhline(1, color=GREY, linewidth=0.8)
        ax.set(title=title, xlabel="cycles a pixel (0.5 = finest)", xlim=(0, 0.5))
        ax.set_ylim(bottom=0)
        ax.grid(axis="y")
    name_ends(axes[1], ends, COLOURS)
    return fig, axes
