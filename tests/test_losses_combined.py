"""Losses made of losses: pyramids, weighted sums, and the divergence that joins them in a VAE."""

import copy
from math import inf, nan

import pytest
import torch
from torch import nn

from adkit import losses
from adkit.losses import CompositeLoss, MultiScale, build_loss, ssim


def pair(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    x, y = torch.rand(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return x, y


def test_multi_scale_is_the_mean_over_the_pyramid():
    x, y = pair(2, 1, 24, 26)
    halves = [nn.functional.avg_pool2d(image, 2) for image in (x, y)]
    expected = (losses.l1(x, y) + losses.l1(*halves)) / 2
    torch.testing.assert_close(MultiScale(losses.l1, scales=2)(x, y), expected)
    torch.testing.assert_close(MultiScale(losses.l1, scales=1)(x, y), losses.l1(x, y))


def test_kl_divergence_sums_over_latents_and_averages_over_the_batch():
    mu, logvar = torch.randn(2, 5, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mu, (logvar / 2).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(losses.kl_divergence(mu, logvar, reduction="none"), expected)
    torch.testing.assert_close(losses.kl_divergence(mu, logvar), expected.flatten(1).sum(dim=1).mean())
    assert losses.kl_divergence(mu.bfloat16(), logvar.bfloat16()).dtype == torch.float32


def test_composite_reports_every_part_without_its_weight():
    x, y = pair(2, 1, 24, 26)
    x.requires_grad_()
    loss = CompositeLoss({"mse": 1.0, "ssim": 0.5, "edges": (2.0, MultiScale(losses.sobel)), "own": nn.L1Loss()})
    total = loss(x, y)
    expected = {
        "mse": losses.mse(x, y),
        "ssim": 1 - ssim(x, y),
        "edges": MultiScale(losses.sobel)(x, y),
        "own": losses.l1(x, y),
    }
    assert list(loss.components) == list(expected)
    for name, value in loss.components.items():
        assert not value.requires_grad
        assert value.shape == ()
        torch.testing.assert_close(value, expected[name].detach())
    weights = (1.0, 0.5, 2.0, 1.0)
    torch.testing.assert_close(total, sum(w * v for w, v in zip(weights, expected.values(), strict=True)))
    total.backward()
    assert x.grad.abs().sum() > 0
    assert "1*mse + 0.5*ssim" in repr(loss)


def test_functions_and_modules_of_ones_own_are_parts():
    x, y = pair(2, 1, 24, 26)
    trained = nn.Conv2d(1, 1, 1).double()

    class Perceptual(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = trained

        def forward(self, prediction, target):
            return losses.mse(self.net(prediction), self.net(target))

    loss = CompositeLoss({"own": (0.5, lambda a, b: (a - b).abs().max()), "l1": losses.l1, "net": (2, Perceptual())})
    assert loss.weights == {"own": 0.5, "l1": 1.0, "net": 2.0}
    expected = 0.5 * (x - y).abs().max() + losses.l1(x, y) + 2 * losses.mse(trained(x), trained(y))
    torch.testing.assert_close(loss(x, y), expected)
    assert list(loss.parameters()) == list(trained.parameters())
    copied = copy.deepcopy(loss).float()
    torch.testing.assert_close(copied(x.float(), y.float()), expected.float())


def test_a_part_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match=r"'own' needs a function or a module .*, got 3"):
        CompositeLoss({"own": (1.0, 3)})


def test_a_weight_of_zero_is_reported_and_not_trained_on():
    x, y = pair(2, 1, 24, 26)
    x.requires_grad_()
    loss = CompositeLoss({"mse": 0.0, "l1": 1.0})
    gradient = torch.autograd.grad(loss(x, y), x)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(losses.l1(x, y), x)[0])
    torch.testing.assert_close(loss.components["mse"], losses.mse(x, y).detach())


def test_build_loss_reads_text_terms_and_modules():
    x, y = pair(1, 1, 24, 26)
    text, terms = build_loss("mse + 0.5*ssim+1e-2 * sobel"), build_loss({"mse": 1.0, "ssim": 0.5, "sobel": 0.01})
    assert text.weights == terms.weights == {"mse": 1.0, "ssim": 0.5, "sobel": 0.01}
    torch.testing.assert_close(text(x, y), terms(x, y))
    assert build_loss(text) is text
    assert build_loss("l1").weights == {"l1": 1.0}


REFUSED = [
    (lambda: CompositeLoss({"mae": 1.0}), "unknown loss 'mae'; known are mse, l1, ssim"),
    (lambda: CompositeLoss({"mse": -1.0}), "finite and not negative"),
    (lambda: CompositeLoss({"mse": nan}), "finite and not negative"),
    (lambda: CompositeLoss({"mse": inf}), "finite and not negative"),
    (lambda: CompositeLoss({"mse": 0.0, "l1": 0}), "at least one weight must be above 0"),
    (lambda: CompositeLoss({}), "at least one weight must be above 0"),
    (lambda: build_loss("mse - 0.5*ssim"), "must read like 'mse \\+ 0.5\\*ssim'"),
    (lambda: build_loss(""), "must read like"),
    (lambda: build_loss("mse + 2*mse"), "names 'mse' twice"),
    (lambda: build_loss("mae"), "unknown loss 'mae'"),
]


@pytest.mark.parametrize("call, message", REFUSED, ids=[message for _, message in REFUSED])
def test_refusals_say_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
