"""Gabor energies: equal to a convolution with the whole square, blind to phase, bounded in memory."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter
from scipy.signal import fftconvolve

from adkit.models import filter_bank
from adkit.models.filter_bank import OCTAVE, box_mean, gabor_amplitudes, texture_features


def by_the_square(image, wavelength, angle):
    """The definition: one complex square of weights, and the modulus of the convolution, times two."""
    sigma = OCTAVE * wavelength
    reach = math.ceil(3 * sigma)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(float)
    window = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    wave = np.exp(2j * math.pi / wavelength * (x * math.cos(angle) + y * math.sin(angle)))
    padded = np.pad(image, reach, mode="symmetric")
    return 2 * np.abs(fftconvolve(padded, window / window.sum() * wave, mode="valid"))


@pytest.mark.parametrize("wavelength", [2.5, 6.0, 12.0])
def test_two_passes_equal_the_square(wavelength):
    image = torch.rand(1, 1, 33, 47, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    amplitudes = gabor_amplitudes(image, wavelength, orientations=6)
    for j in range(6):
        expected = by_the_square(image[0, 0].numpy(), wavelength, j * math.pi / 6)
        np.testing.assert_allclose(amplitudes[0, j].numpy(), expected, atol=1e-12)


def test_energy_does_not_depend_on_where_the_wave_begins():
    x = torch.arange(96.0, dtype=torch.float64)
    waves = torch.stack([torch.cos(2 * math.pi * (x - shift) / 12) for shift in (0, 1.3, 3, 7)])
    frames = waves[:, None, None].expand(4, 1, 60, 96)
    middle = gabor_amplitudes(frames, 12.0)[:, 0, 30, 48]
    assert float(middle.max() - middle.min()) < 2e-3 * float(middle.mean())


def test_a_stride_takes_every_other_place_and_bands_change_nothing(monkeypatch):
    image = torch.rand(2, 1, 61, 40, generator=torch.Generator().manual_seed(1))
    whole = gabor_amplitudes(image, 6.0)
    torch.testing.assert_close(gabor_amplitudes(image, 6.0, stride=2), whole[..., ::2, ::2])
    monkeypatch.setattr(filter_bank, "BAND", 1500)
    torch.testing.assert_close(gabor_amplitudes(image, 6.0), whole)
    torch.testing.assert_close(gabor_amplitudes(image, 6.0, stride=3), whole[..., ::3, ::3])


def test_box_mean_is_a_mean_over_what_lies_inside():
    image = np.random.default_rng(0).random((20, 31))
    inside = uniform_filter(np.ones_like(image), 5, mode="constant")
    expected = uniform_filter(image, 5, mode="constant") / inside
    np.testing.assert_allclose(box_mean(torch.from_numpy(image)[None, None], 5)[0, 0].numpy(), expected, atol=1e-12)


def test_features_of_colour_hold_a_mean_of_each_channel():
    images = torch.rand(1, 3, 40, 50)
    features = texture_features(images, stride=2)
    assert features.shape == (1, 27, 20, 25)
    torch.testing.assert_close(features[:, 24:], box_mean(images, 15)[..., ::2, ::2])
    assert torch.isfinite(texture_features(torch.zeros(1, 1, 8, 8))).all()  # no texture at all


def test_a_wave_finer_than_two_pixels_is_refused():
    with pytest.raises(ValueError, match="wavelength must be above 2 pixels, got 2"):
        gabor_amplitudes(torch.zeros(1, 1, 8, 8), 2)
