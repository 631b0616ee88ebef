"""Losses against trusted implementations, finite differences, and what must hold for any images."""

import warnings
from functools import partial
from math import nan

import focal_frequency_loss
import numpy as np
import pytest
import pytorch_msssim
import skimage.filters
import skimage.metrics
import torch

from adkit import losses
from adkit.losses import MultiScale, focal_frequency, ms_ssim, sobel, ssim, ssim_map
from adkit.losses.multiscale import scale_weights
from adkit.losses.window import blur, gaussian_window

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5}
FUNCTIONS = {name: getattr(losses, name) for name in losses.LOSSES}
SIMILARITIES = ("ssim", "ms_ssim")


def pair(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A woven-looking target and a reconstruction of it that is paler, noisy and a little too bright."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.arange(shape[-2], dtype=torch.float64), torch.arange(shape[-1], dtype=torch.float64)
    weave = 0.5 + 0.2 * torch.sin(rows / 1.3)[:, None] + 0.2 * torch.sin(columns / 1.7)
    noise = torch.rand(2, *shape, generator=generator, dtype=torch.float64)
    target = 0.9 * weave + 0.1 * noise[0]
    return (0.05 + 0.6 * target + 0.3 * noise[1]).to(dtype), target.to(dtype)


def value_and_gradient(function, prediction, target):
    prediction = prediction.clone().requires_grad_()
    value = function(prediction, target)
    value.backward()
    return value.item(), prediction.grad


def assert_equal_losses(ours, peer, prediction, target):
    value, gradient = value_and_gradient(ours, prediction, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, expected_gradient = value_and_gradient(peer, prediction, target)
    tolerance = TOLERANCE[prediction.dtype]
    assert value == pytest.approx(expected, abs=tolerance)
    scale = max(1.0, 1 / expected_gradient.abs().max().item())  # gradients of a mean are tiny: compare their shape
    torch.testing.assert_close(scale * gradient, scale * expected_gradient, rtol=0, atol=10 * tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 40, 57), (1, 1, 11, 200), (2, 1, 96, 107)], ids=str)
def test_ssim_equals_pytorch_msssim(shape, dtype):
    x, y = pair(*shape, dtype=dtype)
    assert_equal_losses(ssim, lambda x, y: pytorch_msssim.ssim(x, y, data_range=1), x, y)
    each = pytorch_msssim.ssim(x, y, data_range=1, size_average=False)
    torch.testing.assert_close(ssim(x, y, reduction="none"), each, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("shape", [(1, 1, 176, 199), (2, 2, 161, 163)], ids=str)
def test_ms_ssim_equals_pytorch_msssim(shape, dtype):
    x, y = pair(*shape, dtype=dtype)
    assert_equal_losses(ms_ssim, lambda x, y: pytorch_msssim.ms_ssim(x, y, data_range=1), x, y)
    each = pytorch_msssim.ms_ssim(x, y, data_range=1, size_average=False)
    torch.testing.assert_close(ms_ssim(x, y, reduction="none"), each, rtol=0, atol=TOLERANCE[dtype])
    weights = [0.3, 0.3, 0.4]
    expected = pytorch_msssim.ms_ssim(x, y, data_range=1, weights=weights)
    assert ms_ssim(x, y, scales=weights).item() == pytest.approx(expected.item(), abs=TOLERANCE[dtype])


def test_ssim_in_float32_stays_exact_where_images_are_flat():
    """Variances come as differences of squares: on flat bright images their rounding must not reach the result."""
    x = 0.9 + 0.001 * torch.rand(1, 1, 64, 64, dtype=torch.float64)
    y = 0.8 + 0.001 * torch.rand(1, 1, 64, 64, dtype=torch.float64)
    assert ssim(x.float(), y.float()).item() == pytest.approx(ssim(x, y).item(), abs=1e-6)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_ssim_map_equals_scikit_image_border_included(dtype):
    x, y = pair(1, 1, 48, 65, dtype=dtype)
    x.clamp_(0, 1)
    _, expected = skimage.metrics.structural_similarity(
        x[0, 0].double().numpy(),
        y[0, 0].double().numpy(),
        data_range=1,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    np.testing.assert_allclose(ssim_map(x, y)[0, 0].numpy(), expected, rtol=0, atol=TOLERANCE[dtype])
    inner = ssim_map(x, y)[..., 5:-5, 5:-5].mean()
    torch.testing.assert_close(inner, ssim(x, y), rtol=0, atol=TOLERANCE[dtype])


SETTINGS = [
    {},
    {"alpha": 2.0},
    {"alpha": 0.5, "log_matrix": True},
    {"ave_spectrum": True},
    {"batch_matrix": True},
    {"patch_factor": 2, "log_matrix": True, "batch_matrix": True},
]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_focal_frequency_equals_its_authors_code(settings, dtype):
    for shape in ((3, 2, 30, 34), (2, 1, 22, 18)):
        x, y = pair(*shape, dtype=dtype)
        peer = focal_frequency_loss.FocalFrequencyLoss(**settings)
        assert_equal_losses(partial(focal_frequency, **settings), peer, x, y)


def test_focal_frequency_on_odd_sides_and_without_focus():
    x, y = pair(2, 1, 21, 17)
    assert_equal_losses(focal_frequency, focal_frequency_loss.FocalFrequencyLoss(), x, y)
    torch.testing.assert_close(focal_frequency(x, y, alpha=0.0), losses.mse(x, y))  # Parseval


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_sobel_equals_scikit_image(dtype):
    x, y = pair(1, 1, 20, 31, dtype=dtype)
    images = [image[0, 0].double().numpy() for image in (x, y)]
    differences = []
    for index, direction in enumerate((skimage.filters.sobel_h, skimage.filters.sobel_v)):
        of_x, of_y = (direction(image)[1:-1, 1:-1] for image in images)
        ours = losses.sobel_gradients(x)[0, index, 0].numpy()
        np.testing.assert_allclose(ours, of_x, rtol=0, atol=TOLERANCE[dtype])
        differences.append(np.abs(of_x - of_y).mean())
    assert sobel(x, y).item() == pytest.approx(np.mean(differences), abs=TOLERANCE[dtype])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("wanted", [(True, False), (False, True), (True, True)], ids=["x", "y", "both"])
def test_gradients_agree_with_finite_differences(name, wanted):
    settings = {"ms_ssim": {"scales": 2}, "focal_frequency": {"alpha": 0.0}}.get(name, {})  # the focus is detached
    images = [image.requires_grad_(wants) for image, wants in zip(pair(2, 1, 21, 22), wanted, strict=True)]
    assert torch.autograd.gradcheck(
        lambda x, y: FUNCTIONS[name](x, y, reduction="none", **settings), images, fast_mode=True
    )


def test_maps_and_blur_are_differentiable():
    x, y = pair(1, 1, 12, 13)
    x.requires_grad_()
    assert torch.autograd.gradcheck(ssim_map, (x, y), fast_mode=True)
    assert torch.autograd.gradcheck(blur, (x, gaussian_window(5, 1.0)), fast_mode=True)
    assert torch.autograd.gradgradcheck(blur, (x, gaussian_window(5, 1.0)), fast_mode=True)


def test_blur_is_the_window_on_both_axes():
    x, _ = pair(2, 3, 40, 150)
    window = torch.tensor(gaussian_window(7, 2.0), dtype=torch.float64)
    expected = torch.nn.functional.conv2d(x.flatten(0, 1)[:, None], torch.outer(window, window)[None, None])
    torch.testing.assert_close(blur(x, gaussian_window(7, 2.0)), expected.view(2, 3, 34, 144))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_holds_for_every_loss(name):
    x, y = pair(3, 2, 161, 162)
    function, loss = FUNCTIONS[name], losses.LOSSES[name]
    best = 1.0 if name in SIMILARITIES else 0.0
    assert function(x, x).item() == pytest.approx(best, abs=1e-12)
    assert function(x, y).item() == pytest.approx(function(y, x).item())
    each = function(x, y, reduction="none")
    assert each.shape == (3,)
    torch.testing.assert_close(each.mean(), function(x, y))
    torch.testing.assert_close(each[1:2], function(x[1:2], y[1:2], reduction="none"))
    assert loss(x, y).item() == pytest.approx(abs(best - function(x, y).item()))
    assert loss(x, y) > loss(0.1 * x + 0.9 * y, y) > 0


def test_similarity_stays_in_its_range():
    x = (torch.rand(4, 1, 161, 161, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert -1 <= ssim(x, 1 - x) < 0
    assert -1 <= ssim_map(x, 1 - x).min() <= ssim_map(x, x).max() <= 1
    assert ms_ssim(x, 1 - x) == 0


def test_ms_ssim_of_opposites_has_a_gradient_without_nan():
    x = torch.rand(1, 1, 161, 161, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ms_ssim(x, 1 - x.detach()).backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_half_precision_and_autocast_compute_in_float32(name):
    x, y = pair(1, 1, 161, 161, dtype=torch.float32)
    expected = FUNCTIONS[name](x, y)
    with torch.autocast("cpu", torch.bfloat16):
        inside, gradient = value_and_gradient(FUNCTIONS[name], x, y)
    assert inside == expected.item()
    assert gradient.dtype == torch.float32
    for dtype in (torch.bfloat16, torch.float16):
        value = FUNCTIONS[name](x.to(dtype), y)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(expected.item(), rel=0.02)


def test_losses_work_after_inference_mode_filled_the_cache():
    with torch.inference_mode():
        ssim(*pair(1, 1, 33, 34), window_size=9)
    value_and_gradient(
        lambda x, y: ssim(x, y, window_size=9) + ssim_map(x, y, window_size=9).mean(), *pair(1, 1, 33, 34)
    )


IMAGE = torch.zeros(1, 1, 24, 24)
REFUSED = [
    (lambda: losses.mse(IMAGE, IMAGE[..., 1:]), ValueError, r"one shape, got \(1, 1, 24, 24\) and \(1, 1, 24, 23\)"),
    (lambda: losses.l1(IMAGE[0], IMAGE[0]), ValueError, r"\(B, C, H, W\), got \(1, 24, 24\)"),
    (lambda: losses.mse(IMAGE.byte(), IMAGE.byte()), TypeError, "float in .* got torch.uint8"),
    (lambda: losses.mse(IMAGE, IMAGE, reduction="sum"), ValueError, "one of mean, none, got 'sum'"),
    (lambda: losses.check_images(IMAGE, IMAGE + 255), ValueError, "from 255 to 255; divide by 255"),
    (lambda: losses.check_images(IMAGE - 1), ValueError, "from -1 to -1"),
    (lambda: losses.check_images(IMAGE * nan), ValueError, "from nan to nan"),
    (lambda: ssim(IMAGE[..., :10], IMAGE[..., :10]), ValueError, "at least 11 pixels, got 24 x 10"),
    (lambda: ssim(IMAGE, IMAGE, window_size=8), ValueError, "odd and at least 3, got 8"),
    (lambda: ssim_map(IMAGE[..., :10], IMAGE[..., :10]), ValueError, "at least 11 pixels"),
    (lambda: ms_ssim(IMAGE, IMAGE), ValueError, "161 pixels, got 24 x 24; use scales=2"),
    (lambda: ms_ssim(IMAGE, IMAGE, scales=6), ValueError, "from 1 to 5 .* got 6"),
    (lambda: losses.MSSSIMLoss(scales=[]), ValueError, "positive numbers, got"),
    (lambda: scale_weights([1.0, -1.0]), ValueError, "positive numbers, got"),
    (lambda: focal_frequency(IMAGE, IMAGE, patch_factor=5), ValueError, "divide both sides, got 5 for 24 x 24"),
    (lambda: sobel(IMAGE[..., :2], IMAGE[..., :2]), ValueError, "at least 3 pixels, got 24 x 2"),
    (lambda: MultiScale(losses.l1, scales=0), ValueError, "at least 1, got 0"),
    (lambda: MultiScale(losses.l1, scales=6)(IMAGE, IMAGE), ValueError, "scales=6 needs sides of at least 32"),
    (
        lambda: losses.kl_divergence(torch.zeros(2, 3), torch.zeros(2, 4)),
        ValueError,
        "mu and logvar must have one shape",
    ),
]


@pytest.mark.parametrize("call, error, message", REFUSED, ids=[message for _, _, message in REFUSED])
def test_refusals_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_check_images_accepts_the_range():
    losses.check_images(torch.zeros(1), torch.ones(2, 3))
    losses.check_images(torch.full((2,), 1 + 1e-6), torch.full((2,), -1e-6), tolerance=1e-5)
    with pytest.raises(ValueError, match=r"to 1\.1; read them with another reader"):
        losses.check_images(torch.full((2,), 1.1), tolerance=1e-5, advice="read them with another reader")
