"""The focal loss against torchvision, a plain reference in float64, and finite differences."""

import math

import pytest
import torch
from torchvision.ops import sigmoid_focal_loss

from adkit.losses import focal_loss


def case(scale: float = 3.0, dtype=torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(3, 5, 7, generator=draw, dtype=torch.float64)
    return logits.to(dtype), torch.rand(3, 5, 7, generator=draw) < 0.2


def plain(logits, mask, gamma, alpha):
    """Equation 5, pixel by pixel, on the probabilities of a softmax over two channels, as DRAEM has them."""
    total = 0.0
    for logit, defect in zip(logits.flatten().tolist(), mask.flatten().tolist(), strict=True):
        normal, abnormal = 1 / (1 + math.exp(logit)), math.exp(logit) / (1 + math.exp(logit))
        p = abnormal if defect else normal
        weight = 1 if alpha is None else alpha if defect else 1 - alpha
        total -= weight * (1 - p) ** gamma * math.log(p)
    return total / mask.numel()


@pytest.mark.parametrize("alpha", [None, 0.25, 0.9])
@pytest.mark.parametrize("gamma", [0, 0.5, 2, 5.0])
def test_it_equals_the_paper_and_torchvision(gamma, alpha):
    logits, mask = case()
    expected = plain(logits, mask, gamma, alpha)
    assert focal_loss(logits, mask, gamma, alpha).item() == pytest.approx(expected, rel=1e-12)
    peer = sigmoid_focal_loss(logits, mask.double(), -1 if alpha is None else alpha, gamma, reduction="mean")
    assert focal_loss(logits, mask, gamma, alpha).item() == pytest.approx(peer.item(), rel=1e-12)
    each = focal_loss(logits, mask, gamma, alpha, reduction="none")
    assert each.shape == (3,)
    assert each.mean().item() == pytest.approx(expected, rel=1e-12)


def test_without_gamma_it_is_cross_entropy():
    logits, mask = case()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, mask.double())
    torch.testing.assert_close(focal_loss(logits, mask, gamma=0), entropy)


@pytest.mark.parametrize("gamma", [0, 0.5, 2])
def test_its_gradient_is_that_of_finite_differences(gamma):
    logits, mask = case()
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, mask, gamma, 0.7), logits.requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_and_its_gradient_are_finite_for_any_logit(dtype):
    logits, mask = case(scale=1e4, dtype=dtype)
    logits[0, 0, :3] = torch.tensor([0.0, 300.0, -300.0], dtype=dtype)
    logits.requires_grad_()
    loss = focal_loss(logits, mask, gamma=0.5)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    "changed, error, message",
    [
        ({"mask": torch.zeros(3, 5, 6) > 0}, ValueError, r"must have one shape, got \(3, 5, 7\) and \(3, 5, 6\)"),
        ({"mask": torch.zeros(3, 5, 7)}, TypeError, r"mask must be bool, True on defects, got torch.float32"),
        ({"gamma": -1}, ValueError, "gamma must be a number of at least 0, got -1"),
        ({"gamma": math.nan}, ValueError, "gamma must be a number of at least 0, got nan"),
        ({"gamma": "2"}, ValueError, "gamma must be a number of at least 0, got '2'"),
        ({"alpha": 1.0}, ValueError, r"alpha must be None or lie in \(0, 1\), got 1.0"),
        ({"reduction": "sum"}, ValueError, "reduction must be one of mean, none, got 'sum'"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, message):
    logits, mask = case()
    with pytest.raises(error, match=message):
        focal_loss(**{"logits": logits, "mask": mask} | changed)
