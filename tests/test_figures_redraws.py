"""Reconstructions side by side: the same window everywhere, and residuals on one scale."""

import numpy as np
import pytest

from adkit.figures.reconstructions import reconstructions


@pytest.fixture
def frame():
    mask = np.zeros((96, 240), bool)
    mask[40:50, 100:120] = True
    return np.random.default_rng(0).random((1, 96, 240), dtype=np.float32), mask


def test_the_window_lies_on_the_defect_and_residuals_share_a_scale(frame):
    image, mask = frame
    _, axes = reconstructions(image, mask, {"same": image, "half": image / 2}, gain=5)
    assert [ax.get_title(loc="left") for ax in axes[0]] == ["image", "same", "half"]
    shown = [ax.get_images()[0] for ax in axes.ravel()]
    assert {picture.get_array().shape for picture in shown} == {(64, 64)}
    np.testing.assert_array_equal(shown[0].get_array(), image[0, 13:77, 78:142])
    same, half = shown[4:]
    assert same.get_clim() == half.get_clim() == (0, 0.2)
    assert same.get_array().max() == 0
    np.testing.assert_allclose(half.get_array(), image[0, 13:77, 78:142] / 2, rtol=1e-6)


def test_colour_and_small_frames_fit(frame):
    image = np.repeat(frame[0][:, :40, :50], 3, axis=0)
    _, axes = reconstructions(image, frame[1][:40, :50], {"half": image / 2})
    assert axes.shape == (2, 2)
    assert axes[1, 1].get_images()[0].get_array().shape == (40, 40)


def test_what_cannot_be_drawn_is_refused(frame):
    with pytest.raises(ValueError, match="at least one reconstruction"):
        reconstructions(*frame, {})
    with pytest.raises(ValueError, match="gain must be a positive number, got 0"):
        reconstructions(*frame, {"same": frame[0]}, gain=0)
