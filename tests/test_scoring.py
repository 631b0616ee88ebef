"""Anomaly maps, smoothing and image scores."""

from math import inf, nan

import numpy as np
import pytest
import scipy.ndimage
import torch

from adkit import losses
from adkit.scoring import MAP_METHODS, SCORE_METHODS, anomaly_map, gaussian_smooth, image_score

SPOT = (slice(40, 64), slice(80, 104))


def fabric(height: int = 96, width: int = 160, shift: float = 0.0) -> torch.Tensor:
    """A plain weave (1, 1, H, W) of mean grey 0.5, its yarns moved by ``shift`` pixels."""
    rows = torch.sin(2 * torch.pi * (torch.arange(height) + shift) / 8)[:, None]
    columns = torch.sin(2 * torch.pi * (torch.arange(width) + shift) / 8)
    return (0.5 + 0.2 * rows + 0.2 * columns)[None, None]


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("method", MAP_METHODS)
def test_what_holds_for_every_map(method):
    image, other = noise(3, 2, 37, 50), noise(3, 2, 37, 50).flip(-1)
    maps = anomaly_map(image, other, method)
    assert maps.shape == (3, 37, 50)
    assert maps.dtype == torch.float32
    assert maps.min() > 0
    assert anomaly_map(image, image, method).abs().max() < 1e-6
    torch.testing.assert_close(maps, anomaly_map(other, image, method))
    torch.testing.assert_close(maps[1:2], anomaly_map(image[1:2], other[1:2], method))
    assert anomaly_map(image.bfloat16(), other.bfloat16(), method).dtype == torch.float32


@pytest.mark.parametrize("method", MAP_METHODS)
def test_a_texture_disruption_of_unchanged_mean_is_found(method):
    reconstruction = fabric()
    image = reconstruction.clone()
    image[0, 0][SPOT] = 0.5
    assert image.mean().item() == pytest.approx(0.5, abs=1e-4)
    maps = anomaly_map(image, reconstruction, method, sigma=2.0)[0]
    spot = torch.zeros_like(maps, dtype=torch.bool)
    spot[SPOT] = True
    row, column = divmod(maps.argmax().item(), maps.shape[1])
    assert spot[row, column]
    assert maps[spot].mean() > 10 * maps[~spot].mean()


def test_fft_forgives_a_shifted_weave_and_l2_does_not():
    shifted, reconstruction = fabric(shift=1.0), fabric()
    inner = (slice(None), slice(16, -16), slice(16, -16))
    l2 = anomaly_map(shifted, reconstruction, "l2", sigma=0)[inner].mean()
    fft = anomaly_map(shifted, reconstruction, "fft", sigma=0)[inner].mean()
    assert fft < 0.05 * l2


def test_residuals_by_hand():
    image, other = noise(2, 3, 20, 24), noise(2, 3, 20, 24).flip(-1)
    difference = image - other
    torch.testing.assert_close(anomaly_map(image, other, "l1", sigma=0), difference.abs().mean(dim=1))
    torch.testing.assert_close(anomaly_map(image, other, "l2", sigma=0), difference.square().mean(dim=1))
    torch.testing.assert_close(
        anomaly_map(image, other, "ssim", sigma=0), (1 - losses.ssim_map(image, other)).mean(dim=1)
    )
    down, along = losses.sobel_gradients(difference).unbind(dim=1)
    expected = torch.hypot(down, along).mean(dim=1)
    torch.testing.assert_close(anomaly_map(image, other, "gradient", sigma=0)[:, 1:-1, 1:-1], expected)


def test_fft_residual_of_a_grey_step_is_its_square():
    image = torch.full((1, 1, 32, 34), 0.7)
    maps = anomaly_map(image, image - 0.2, "fft", sigma=0)
    torch.testing.assert_close(maps, torch.full((1, 32, 34), 0.04))


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0, 9.5])
@pytest.mark.parametrize("shape", [(2, 40, 130), (1, 3, 5), (1, 1, 7)], ids=str)
def test_smoothing_equals_scipy(shape, sigma):
    maps = noise(*shape)
    expected = np.stack([scipy.ndimage.gaussian_filter(one.double().numpy(), sigma) for one in maps])
    np.testing.assert_allclose(gaussian_smooth(maps, sigma).numpy(), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(gaussian_smooth(maps.double(), sigma).numpy(), expected, rtol=0, atol=1e-12)


def test_smoothing_keeps_the_mean_and_sigma_zero_keeps_all():
    maps = noise(2, 30, 40)
    assert torch.equal(gaussian_smooth(maps, 0), maps)
    torch.testing.assert_close(gaussian_smooth(maps, 3.0).mean(dim=(1, 2)), maps.mean(dim=(1, 2)))
    with torch.autocast("cpu", torch.bfloat16):
        smooth = gaussian_smooth(maps, 3.0)
    assert torch.equal(smooth, gaussian_smooth(maps, 3.0))


def test_scores_by_hand():
    maps = noise(3, 20, 25)
    values = maps.flatten(1).sort(dim=1, descending=True).values
    torch.testing.assert_close(image_score(maps), values[:, 0])
    torch.testing.assert_close(image_score(maps, "mean"), values.mean(dim=1))
    torch.testing.assert_close(image_score(maps, "topk", fraction=0.1), values[:, :50].mean(dim=1))
    torch.testing.assert_close(image_score(maps, "topk", fraction=1e-6), values[:, 0])
    torch.testing.assert_close(image_score(maps, "topk", fraction=1.0), values.mean(dim=1))


@pytest.mark.parametrize("method", SCORE_METHODS)
def test_only_the_foreground_counts(method):
    maps = noise(2, 20, 25)
    foreground = torch.zeros(2, 20, 25, dtype=torch.bool)
    foreground[0, 2:12, 3:8] = foreground[1, :, 5:] = True
    scores = image_score(maps, method, 0.1, foreground)
    for score, one, inside in zip(scores, maps, foreground, strict=True):
        torch.testing.assert_close(score[None], image_score(one[inside][None, None], method, 0.1))
    shared = image_score(maps, method, 0.1, foreground[0])
    torch.testing.assert_close(shared, image_score(maps, method, 0.1, foreground[:1].expand(2, -1, -1)))


def test_scores_are_not_relative_to_each_image():
    maps = noise(1, 20, 20)
    quiet, loud = image_score(torch.cat((0.1 * maps, maps)), "topk", fraction=0.01)
    assert loud.item() == pytest.approx(10 * quiet.item())


IMAGE, MAPS = torch.zeros(1, 1, 20, 20), torch.zeros(2, 5, 6)
REFUSED = [
    (lambda: anomaly_map(IMAGE, IMAGE, "psnr"), "one of l1, l2, local_mean, ssim, gradient, fft, got 'psnr'"),
    (lambda: anomaly_map(IMAGE, IMAGE[..., 1:]), "prediction and target must have one shape"),
    (lambda: anomaly_map(IMAGE, IMAGE, sigma=-1.0), "sigma must be 0 or a positive number of pixels, got -1.0"),
    (lambda: gaussian_smooth(MAPS, inf), "got inf"),
    (lambda: gaussian_smooth(MAPS, nan), "got nan"),
    (lambda: gaussian_smooth(IMAGE, 1.0), r"\(B, H, W\), got \(1, 1, 20, 20\)"),
    (lambda: image_score(IMAGE), r"\(B, H, W\), got \(1, 1, 20, 20\)"),
    (lambda: image_score(MAPS, "median"), "one of max, mean, topk, peak, top_peak, got 'median'"),
    (lambda: image_score(MAPS, "topk", fraction=0.0), r"in \(0, 1\], got 0.0"),
    (lambda: image_score(MAPS, "topk", fraction=nan), r"in \(0, 1\], got nan"),
    (lambda: image_score(MAPS, foreground=torch.ones(2, 5, 6)), "must be bool .* got torch.float32"),
    (lambda: image_score(MAPS, foreground=torch.ones(5, 5).bool()), r"got torch.bool \(5, 5\)"),
    (lambda: image_score(MAPS, foreground=torch.zeros(5, 6).bool()), "no foreground pixel at all"),
]


@pytest.mark.parametrize("call, message", REFUSED, ids=[message for _, message in REFUSED])
def test_refusals_say_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
