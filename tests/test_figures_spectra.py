"""Power over frequency of several reconstructions, against filters whose answer is known."""

import numpy as np
import pytest

from adkit.figures.spectrum import relative_power, spectra


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
    _, (kept, wrong) = spectra(colour, {"same": colour, "half": [0.5 * frame for frame in colour]}, bins=20)
    same, half = (ax.get_lines() for ax in (kept, wrong))
    np.testing.assert_allclose(same[0].get_ydata(), 1, rtol=1e-4)
    np.testing.assert_allclose(half[0].get_ydata(), 0, atol=1e-6)
    np.testing.assert_allclose(half[1].get_ydata(), 0.25, rtol=1e-4)
    assert {text.get_text() for text in wrong.texts} == {"same", "half"}


def test_frames_without_a_partner_are_refused(frames):
    with pytest.raises(ValueError, match="as many reconstructions as images, got 2 for 3"):
        relative_power(frames, frames[:2])
