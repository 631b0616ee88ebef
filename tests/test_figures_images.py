"""Images and their reconstructions: windows, residuals, error maps, spectra, and masks of several methods."""

import numpy as np
import pytest
import torch

from adkit.figures import compare_spectra, error_maps, mask_rows, reconstructions
from adkit.figures.reconstructions import error_map, error_scales
from adkit.figures.spectrum import relative_power

# ---- reconstructions side by side: the same window everywhere, and residuals on one scale


@pytest.fixture
def frame_and_mask():
    mask = np.zeros((96, 240), bool)
    mask[40:50, 100:120] = True
    return np.random.default_rng(0).random((1, 96, 240), dtype=np.float32), mask


def test_the_window_lies_on_the_defect_and_residuals_share_a_scale(frame_and_mask):
    image, mask = frame_and_mask
    _, axes = reconstructions(image, mask, {"same": image, "half": image / 2}, gain=5)
    assert [ax.get_title(loc="left") for ax in axes[0]] == ["image", "same", "half"]
    shown = [ax.get_images()[0] for ax in axes.ravel()]
    assert {picture.get_array().shape for picture in shown} == {(64, 64)}
    np.testing.assert_array_equal(shown[0].get_array(), image[0, 13:77, 78:142])
    same, half = shown[4:]
    assert same.get_clim() == half.get_clim() == (0, 0.2)
    assert same.get_array().max() == 0
    np.testing.assert_allclose(half.get_array(), image[0, 13:77, 78:142] / 2, rtol=1e-6)


def test_colour_and_small_frames_fit(frame_and_mask):
    image = np.repeat(frame_and_mask[0][:, :40, :50], 3, axis=0)
    _, axes = reconstructions(image, frame_and_mask[1][:40, :50], {"half": image / 2})
    assert axes.shape == (2, 2)
    assert axes[1, 1].get_images()[0].get_array().shape == (40, 40)


def test_reconstructions_and_a_gain_are_needed(frame_and_mask):
    with pytest.raises(ValueError, match="at least one reconstruction"):
        reconstructions(*frame_and_mask, {})
    with pytest.raises(ValueError, match="gain must be a positive number, got 0"):
        reconstructions(*frame_and_mask, {"same": frame_and_mask[0]}, gain=0)


# ---- error maps: pixel by pixel and in local spectra, on scales that normal images set


@pytest.fixture
def shifted():
    images = list(torch.rand(2, 1, 48, 64, generator=torch.Generator().manual_seed(0)))
    return images, [image.roll(1, dims=-1) for image in images], [torch.zeros(48, 64, dtype=torch.bool)] * 2


def test_a_shifted_texture_is_wrong_in_pixels_but_hardly_in_spectra(shifted):
    image, moved = shifted[0][0], shifted[1][0]
    assert error_map(image, image, "l1").max() == 0
    assert error_map(image, moved, "fft").mean() < 0.3 * error_map(image, moved, "l2").mean()


def test_each_image_gets_a_map_for_each_error(shifted):
    images, reconstructed, masks = shifted
    masks[1] = torch.zeros(48, 64, dtype=torch.bool)
    masks[1][10:20, 10:20] = True
    scales = error_scales(images, reconstructed)
    fig, axes = error_maps(images, reconstructed, masks, scales=scales, titles=["a", "b"])
    assert axes.shape == (2, 4)
    assert axes[1, 2].get_images()[0].get_clim() == pytest.approx(scales["l1"])
    shown = axes[0, 2].get_images()[0].get_array()
    np.testing.assert_allclose(shown, (images[0] - reconstructed[0])[0].abs(), rtol=1e-6)
    fig.png()


def test_unknown_errors_and_missing_titles_are_refused(shifted):
    images, reconstructed, masks = shifted
    with pytest.raises(ValueError, match="unknown error l3; known: l1, l2"):
        error_maps(images, reconstructed, masks, scales={"l3": (0, 1)}, titles=["a", "b"])
    with pytest.raises(ValueError, match=r"got \[2, 2, 1\] for 2"):
        error_maps(images, reconstructed, masks, scales={"l1": (0, 1)}, titles=["a"])


# ---- power over frequency, against filters whose answer is known


@pytest.fixture
def frames():
    return list(np.random.default_rng(0).random((3, 64, 96)).astype(np.float32))


def test_a_known_filter_is_measured(frames):
    halved = [0.5 * frame for frame in frames]
    frequency, ratio = relative_power(frames, halved, bins=20)
    assert np.all(np.diff(frequency) > 0)
    np.testing.assert_allclose(ratio, 0.25, rtol=1e-4)


def test_blur_loses_the_high_frequencies(frames):
    blurred = [
        (frame + np.roll(frame, 1, 0) + np.roll(frame, 1, 1) + np.roll(frame, (1, 1), (0, 1))) / 4 for frame in frames
    ]
    frequency, ratio = relative_power(frames, blurred, bins=20)
    assert ratio[frequency < 0.1].min() > 0.8
    assert ratio[frequency > 0.45].max() < 0.3


def test_the_two_panels_show_what_is_kept_and_what_is_wrong(frames):
    colour = [np.stack([frame] * 3) for frame in frames]
    fig, (kept, wrong) = compare_spectra(colour, {"same": colour, "half": [0.5 * frame for frame in colour]}, bins=20)
    same, half = (ax.get_lines() for ax in (kept, wrong))
    np.testing.assert_allclose(same[0].get_ydata(), 1, rtol=1e-4)
    np.testing.assert_allclose(half[0].get_ydata(), 0, atol=1e-6)
    np.testing.assert_allclose(half[1].get_ydata(), 0.25, rtol=1e-4)
    assert {text.get_text() for text in fig.legends[0].get_texts()} == {"same", "half"}
    assert fig.alt.endswith("; same; half")


def test_frames_without_a_partner_are_refused(frames):
    with pytest.raises(ValueError, match="as many reconstructions as images, got 2 for 3"):
        relative_power(frames, frames[:2])


# ---- masks of several methods


@pytest.mark.parametrize("shape", [(44, 244), (64, 64)])
def test_masks_say_their_overlap_and_their_false_area(shape):
    mask = np.zeros(shape, bool)
    mask[10:20, 10:20] = True
    half = mask.copy()
    half[:15] = False
    _, axes = mask_rows(np.zeros(shape), mask, {"half": half, "nothing": mask & ~mask}, title="dots")
    titles = [ax.get_title(loc="left") for ax in axes]
    assert titles == ["dots", "half: IoU 0.50, 0.00 % false", "nothing: IoU 0.00, 0.00 % false"]
    _, axes = mask_rows(np.zeros(shape), mask & ~mask, {"Otsu": mask & ~mask})
    assert axes[1].get_title(loc="left") == "Otsu: rightly nothing, 0.00 % false"
    with pytest.raises(ValueError, match="at least one prediction"):
        mask_rows(np.zeros(shape), mask, {})
