"""Which spatial frequencies a reconstruction keeps: an autoencoder blurs, and the spectrum says how much."""

import numpy as np

from adkit.figures.marks import show
from adkit.figures.style import COLOURS, LINES, MAP, new_figure, styled, to_image


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
        ``(fig, axes)``, three axes.

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
