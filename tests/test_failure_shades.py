"""The rule of inverted shades, on networks that are pretended: what they copy and what they blur is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from adkit import load_dataset, scoring
from adkit.diagnose.failure_modes import (
    DefectMeasurement,
    Shade,
    agreement,
    by_visible_look,
    measure_shade,
    measure_shades,
    visible_look,
)


class Blurring:
    """Reconstructs images without their grain, and of what differs from a clean frame a share."""

    def __init__(self, clean: torch.Tensor, share: float):
        self.clean, self.share = scoring.gaussian_smooth(clean, 3.0), share

    def reconstruct(self, images):
        smooth = scoring.gaussian_smooth(images[:, 0], 3.0)
        return (self.clean + self.share * (smooth - self.clean))[:, None]

    def anomaly_map(self, images):
        return scoring.anomaly_map(images, self.reconstruct(images), "l2", 2.5)


@pytest.fixture(scope="module")
def cloth():
    return load_dataset("textile", category="gabardine", image_size=(96, 160)).validation[0]["image"]


@pytest.fixture(scope="module")
def box():
    mask = torch.zeros(96, 160, dtype=torch.bool)
    mask[24:72, 40:120] = True
    return mask


@pytest.mark.parametrize("gain", [0.7, 1.2])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_shaded_box_is_measured_as_the_rule_predicts(cloth, box, gain, share):
    shaded = torch.where(box, cloth * gain, cloth)
    shade = measure_shade(Blurring(cloth, share), shaded, cloth, box, kind="brightness")
    assert shade.gain == pytest.approx(gain, abs=0.03)
    assert shade.share == pytest.approx(share, abs=0.05)
    assert np.sign(shade.shift) == np.sign(gain - 1)
    assert shade.measured == pytest.approx(shade.predicted, rel=0.2)
    assert (shade.surround < 0.5) == (share == 1.0 and gain < 1)


def test_an_empty_place_is_refused(cloth, box):
    with pytest.raises(ValueError, match="the mask is empty"):
        measure_shade(Blurring(cloth, 0.0), cloth, cloth, box & ~box)


def test_whole_frames_have_no_surround_and_normal_ones_no_shade(cloth):
    test = load_dataset("textile", category="gabardine", image_size=(96, 160), types=["illumination"], repeats=2).test
    shades = measure_shades(Blurring(cloth, 1.0), test)
    assert [shade.kind for shade in shades] == ["illumination"] * 2
    assert all(np.isnan(shade.surround) for shade in shades)
    assert test.labels[shades[0].index] == 1


def test_agreement_counts_sides_of_one():
    dark = Shade(0, "dark", gain=0.8, shift=-0.1, share=1.0, grain=0.01, measured=0.7, surround=0.4)
    assert agreement([dark, replace(dark, measured=1.3), replace(dark, share=0.0, measured=1.3)]) == (2, 3)


def test_looks_are_told_by_shape_and_grey():
    line = DefectMeasurement(0, "010", "line", 900, -0.08, surround=0.9, retention=0.5, iou=0.1, iou_otsu=0.0)
    seen = [line, replace(line, grey=0.05, shape="area"), replace(line, grey=0.01), replace(line, shape="dot")]
    assert [one.kind for one in by_visible_look(seen)] == ["darker line", "lighter area", "same grey", "dots"]
    assert visible_look(replace(line, grey=float("nan"))) == "same grey"
