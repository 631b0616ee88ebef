"""Weighted sums of losses that report every part."""

import re
from collections.abc import Callable, Mapping
from math import isfinite

import torch
from torch import Tensor, nn

from adkit.losses.edges import sobel
from adkit.losses.multiscale import MSSSIMLoss
from adkit.losses.pixel import l1, mse
from adkit.losses.spectral import focal_frequency
from adkit.losses.structural import SSIMLoss

Loss = Callable[[Tensor, Tensor], Tensor]  # (prediction, target) → a scalar: a function or a module
Term = float | Loss | tuple[float, Loss]

# every one is 0 for equal images
LOSSES: dict[str, Loss] = {
    "mse": mse,
    "l1": l1,
    "ssim": SSIMLoss(),
    "ms_ssim": MSSSIMLoss(),
    "focal_frequency": focal_frequency,
    "sobel": sobel,
}


def _resolve(name: str, term: Term) -> tuple[float, Loss]:
    """The weight and the loss of one entry of a composite."""
    if callable(term):
        return 1.0, term
    if isinstance(term, tuple):
        weight, loss = term
        if not callable(loss):
            raise TypeError(f"{name!r} needs a function or a module (prediction, target), got {loss!r}")
        return float(weight), loss
    if name not in LOSSES:
        raise ValueError(
            f"unknown loss {name!r}; known are {', '.join(LOSSES)}. "
            f"A loss of your own goes in as {{{name!r}: (weight, function or module)}}"
        )
    return float(term), LOSSES[name]


class CompositeLoss(nn.Module):
    """A weighted sum of losses; every part is 0 for equal images (``ssim`` stands for 1 - similarity).

    After a call, ``components`` holds each part without its weight, as a detached scalar on the device of the images:
    nothing waits for a GPU until somebody reads the number. A part with the weight 0 is reported and not trained on.

    Args:
        terms: from a name of ``LOSSES`` to the weight of that loss, at least 0; or, from any name, to a loss of one's
            own (a function or a module that takes prediction and target), or to a pair (weight, loss).

    Raises:
        ValueError: if there is no term, a name is unknown, a weight is negative, NaN or infinite, or all are 0.
        TypeError: if the second of a pair cannot be called.

    Example:
        >>> loss = CompositeLoss({"mse": 1.0, "ssim": 0.5})
        >>> total = loss(torch.zeros(2, 1, 16, 16), torch.full((2, 1, 16, 16), 0.5))
        >>> {name: round(value.item(), 3) for name, value in loss.components.items()}
        {'mse': 0.25, 'ssim': 1.0}
        >>> round(total.item(), 3)
        0.75
    """

    def __init__(self, terms: Mapping[str, Term]):
        super().__init__()
        resolved = {name: _resolve(name, term) for name, term in terms.items()}
        self.weights = {name: weight for name, (weight, _) in resolved.items()}
        if not all(isfinite(weight) and weight >= 0 for weight in self.weights.values()):
            raise ValueError(f"weights must be finite and not negative, got {self.weights}")
        if not any(self.weights.values()):
            raise ValueError(f"at least one weight must be above 0, got {self.weights}")
        self.losses = {name: loss for name, (_, loss) in resolved.items()}
        # a module of one's own may have parameters: they move, train and are saved with the composite
        self.parts = nn.ModuleDict({name: loss for name, loss in self.losses.items() if isinstance(loss, nn.Module)})
        self.components: dict[str, Tensor] = {}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The weighted sum.

        Args:
            prediction: images (B, C, H, W) in [0, 1].
            target: images of the same shape.

        Returns:
            A scalar.
        """
        total, self.components = 0.0, {}
        for name, loss in self.losses.items():
            with torch.set_grad_enabled(torch.is_grad_enabled() and self.weights[name] > 0):
                value = loss(prediction, target)
            self.components[name] = value.detach()
            if self.weights[name] > 0:
                total = total + self.weights[name] * value
        return total

    def extra_repr(self) -> str:
        """The sum as ``build_loss`` reads it."""
        return " + ".join(f"{weight:g}*{name}" for name, weight in self.weights.items())


def build_loss(spec: str | Mapping[str, Term] | nn.Module) -> nn.Module:
    """A loss from what a config can hold.

    Args:
        spec: a sum of names of ``LOSSES`` such as ``"mse"`` or ``"mse + 0.5*ssim"``, the terms of a ``CompositeLoss``,
            or a module (prediction, target), which is returned as it is.

    Raises:
        ValueError: if the text is no such sum, or names a loss twice, and whatever ``CompositeLoss`` refuses.

    Example:
        >>> build_loss("mse + 0.5*ssim").weights
        {'mse': 1.0, 'ssim': 0.5}
    """
    if isinstance(spec, nn.Module):
        return spec
    if not isinstance(spec, str | Mapping):
        raise ValueError(
            f"a loss must be a text such as 'mse + 0.5*ssim' or a dict of weights, got {spec!r}; known are "
            f"{', '.join(LOSSES)}"
        )
    if not isinstance(spec, str):
        return CompositeLoss(spec)
    terms: dict[str, Term] = {}
    for text in spec.split("+"):
        term = re.fullmatch(r"\s*(?:([\d.]+(?:e-?\d+)?)\s*\*\s*)?([a-z]\w*)\s*", text)
        if term is None:
            raise ValueError(f"a loss must read like 'mse + 0.5*ssim', got {spec!r}; known are {', '.join(LOSSES)}")
        weight, name = term.groups()
        if name in terms:
            raise ValueError(f"{spec!r} names {name!r} twice; add up its weights")
        terms[name] = float(weight or 1)
    return CompositeLoss(terms)
