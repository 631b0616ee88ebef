"""Error maps: pixel by pixel and in local spectra, on scales that normal images set."""

import numpy as np
import pytest
import torch

from adkit.figures.reconstructions import error_map, error_maps, error_scales


@pytest.fixture
def frames():
    images = list(torch.rand(2, 1, 48, 64, generator=torch.Generator().manual_seed(0)))
    return images, [image.roll(1, dims=-1) for image in images], [torch.zeros(48, 64, dtype=torch.bool)] * 2


def test_a_shifted_texture_is_wrong_in_pixels_but_hardly_in_spectra(frames):
    image, shifted = frames[0][0], frames[1][0]
    assert error_map(image, image, "l1").max() == 0
    assert error_map(image, shifted, "fft").mean() < 0.3 * error_map(image, shifted, "l2").mean()


def test_each_image_gets_a_map_for_each_error(frames):
    images, reconstructed, masks = frames
    masks[1] = torch.zeros(48, 64, dtype=torch.bool)
    masks[1][10:20, 10:20] = True
    scales = error_scales(images, reconstructed)
    fig, axes = error_maps(images, reconstructed, masks, scales=scales, titles=["a", "b"])
    assert axes.shape == (2, 4)
    assert axes[1, 2].get_images()[0].get_clim() == pytest.approx(scales["l1"])
    shown = axes[0, 2].get_images()[0].get_array()
    np.testing.assert_allclose(shown, (images[0] - reconstructed[0])[0].abs(), rtol=1e-6)
    fig.png()


def test_what_cannot_be_drawn_is_refused(frames):
    images, reconstructed, masks = frames
    with pytest.raises(ValueError, match="unknown error l3; known: l1, l2"):
        error_maps(images, reconstructed, masks, scales={"l3": (0, 1)}, titles=["a", "b"])
    with pytest.raises(ValueError, match=r"got \[2, 2, 1\] for 2"):
        error_maps(images, reconstructed, masks, scales={"l1": (0, 1)}, titles=["a"])
