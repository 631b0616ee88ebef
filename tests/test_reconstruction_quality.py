"""PSNR, absolute quality of reconstructions, and the rows of a sweep."""

import math

import pytest
import skimage.metrics
import torch

from adkit import Experiment, load_dataset, run
from adkit.experiments.studies.reconstruction_quality import quality_row, reconstruction_quality
from adkit.losses import psnr


def test_psnr_equals_scikit_image():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 3, 1, 24, 32, generator=generator, dtype=torch.float64)
    each = [
        skimage.metrics.peak_signal_noise_ratio(b.numpy(), a.numpy(), data_range=1) for a, b in zip(x, y, strict=True)
    ]
    torch.testing.assert_close(psnr(x, y, "none"), torch.tensor(each))
    assert float(psnr(x, y)) == pytest.approx(sum(each) / 3)
    assert math.isinf(psnr(x, x))


def test_quality_is_of_frames_spread_over_the_set():
    normal, seen = load_dataset("textile", image_size=(64, 64)).validation, []

    def reconstruct(images):
        seen.append(images)
        return images

    quality = reconstruction_quality(reconstruct, normal, frames=3)
    assert quality["PSNR, dB"] == math.inf
    assert quality["SSIM"] == pytest.approx(1)
    assert torch.equal(seen[0][0], normal[0]["image"])
    assert torch.equal(seen[2][0], normal[len(normal) - 1]["image"])
    with pytest.raises(ValueError, match="at least one normal image"):
        reconstruction_quality(reconstruct, normal, frames=0)


def test_a_row_of_a_sweep_holds_what_the_evaluation_says():
    settings = {"width": 4, "steps": 4, "crop": 32, "skip": "none", "defects": None}
    result = run(Experiment(settings=settings, image_size=(64, 64), category="denim"), quiet=True)
    row = quality_row(result, frames=2)
    assert row["PRO"] == result.evaluation.pro
    assert row["macro PRO"] == result.evaluation.pro_macro
    assert -1 < row["let through"] < 2
    assert 0 < row["PSNR, dB"] < 60
