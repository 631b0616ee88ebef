"""Which spatial frequencies a reconstruction keeps: an autoencoder blurs, and the spectrum says how much."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np

from adkit.figures.marks import show
from adkit.figures.style import COLOURS, GREY, LINES, MAP, new_figure, styled, to_image, to_images


def power_by_frequency(image: np.ndarray, bins: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of a grey image (H, W) over rings of equal frequency.

    Args:
        image: (H, W); its mean is taken off and a Hann window is put on, so that the borders do not leak.
        bins: number of rings between 0 and 0.5 cycles a pixel.

    Returns:
        Frequencies (bins,) in cycles a pixel, and mean power (bins,); NaN where a ring holds no frequency.

    Example:
        >>> wave = np.sin(2 * np.pi * 0.25 * np.arange(128)) * np.ones((128, 1))
        >>> frequency, power = power_by_frequency(wave)
        >>> bool(abs(frequency[np.nanargmax(power)] - 0.25) < 0.01)
        True
    """
    power = np.fft.fftshift(_magnitude(image)) ** 2
    radius = np.hypot(*np.meshgrid(*(np.fft.fftshift(np.fft.fftfreq(n)) for n in image.shape), indexing="ij"))
    edges = np.linspace(0, 0.5, bins + 1)
    total, _ = np.histogram(radius, edges, weights=power)
    count, _ = np.histogram(radius, edges)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return (edges[:-1] + edges[1:]) / 2, mean


def _magnitude(image: np.ndarray) -> np.ndarray:
    window = np.outer(np.hanning(image.shape[0]), np.hanning(image.shape[1]))
    return np.abs(np.fft.fft2((image - image.mean()) * window, norm="ortho"))


@styled
def spectrum(image, reconstruction):
    """Log magnitude of the Fourier transform of an image and of its reconstruction, and their power over frequency.

    Args:
        image: (C, H, W) or (H, W) in [0, 1]; colour is averaged.
        reconstruction: the same.

    Returns:
        ``(fig, axes)``, axes an array of three.

    Raises:
        ValueError: if the two differ in size.

    Example:
        >>> fig, axes = spectrum(np.random.default_rng(0).random((64, 64)), np.zeros((64, 64)))
    """
    frames = {"image": to_image(image), "reconstruction": to_image(reconstruction)}
    frames = {name: frame.mean(-1) if frame.ndim == 3 else frame for name, frame in frames.items()}
    shapes = [frame.shape for frame in frames.values()]
    if shapes[0] != shapes[1]:
        raise ValueError(f"image and reconstruction must have one size, got {shapes[0]} and {shapes[1]}")
    fig = new_figure(2.8)
    axes = fig.subplots(1, 3, width_ratios=[1, 1, 1.35])
    logs = {name: np.log10(np.fft.fftshift(_magnitude(frame)) + 1e-4) for name, frame in frames.items()}
    low, high = np.percentile(logs["image"], [1, 99.9])
    for ax, (name, log) in zip(axes, logs.items(), strict=False):
        show(
            ax, log, f"{name}, log |FFT|", cmap=MAP, vmin=low, vmax=high, extent=(-0.5, 0.5, 0.5, -0.5), aspect="equal"
        )
        ax.set(xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5], xlabel="cycles a pixel, across")
    for (name, frame), colour, line in zip(frames.items(), COLOURS, LINES, strict=False):
        frequency, power = power_by_frequency(frame)
        axes[2].semilogy(frequency, power + 1e-12, color=colour, linestyle=line, label=name)
    axes[2].set(title="mean power", xlabel="cycles a pixel (0.5 = finest)")
    axes[2].grid(axis="y")
    axes[2].legend(loc="upper right")
    return fig, axes


def relative_power(images, others: Sequence, bins: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Power of one set of images over the power of another, by frequency; each is summed over the images first.

    Args:
        images: the set to compare with: a list of (C, H, W) or (H, W) in [0, 1], or a batch; colour is averaged.
        others: one array of the same size for each image, (H, W), of any range.
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
def compare_spectra(images, reconstructions: Mapping[str, Sequence], bins: int = 40):
    """Several reconstructions, frequency by frequency: the power each keeps (left), and that of its error (right).

    Both are relative to the power of the images.

    A reconstruction can keep all the power of a frequency and still have it in the wrong place: only the error shows.

    Args:
        images: a list of (C, H, W) or (H, W) in [0, 1], or a batch (B, C, H, W).
        reconstructions: name → images of the same sizes.
        bins: number of rings between 0 and 0.5 cycles a pixel.

    Returns:
        ``(fig, axes)``, axes an array of two.

    Raises:
        ValueError: if the numbers of images differ.

    Example:
        >>> image = np.random.default_rng(0).random((64, 64))
        >>> fig, axes = compare_spectra([image], {"half": [image / 2], "same": [image]})
    """
    frames, fig = grey(images), new_figure(3.1)
    axes = fig.subplots(1, 2, sharex=True)
    for (name, reconstructed), colour, line in zip(reconstructions.items(), cycle(COLOURS), cycle(LINES), strict=False):
        reconstructed = grey(reconstructed)
        errors = [a - b for a, b in zip(reconstructed, frames, strict=True)]
        frequency, power_kept = relative_power(frames, reconstructed, bins)
        _, power_of_error = relative_power(frames, errors, bins)
        for ax, values in zip(axes, (power_kept, power_of_error), strict=True):
            ax.plot(frequency, values, color=colour, linestyle=line, label=name)
    for ax, title in zip(axes, ("power kept (1: all)", "power of the error"), strict=True):
        ax.axhline(1, color=GREY, linewidth=0.8)
        ax.set(title=title, xlabel="cycles a pixel (0.5 = finest)", xlim=(0, 0.5))
        ax.set_ylim(bottom=0)
        ax.grid(axis="y")
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside right center")
    return fig, axes
