"""Looking at the skip connections of a trained network: how large they are, and what is left without them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from adkit.models.autoencoder import Autoencoder


@contextmanager
def scaled_skips(model: Autoencoder, factor: float) -> Iterator[None]:
    """For a while, the features that the skips bring are multiplied by a factor: 0 cuts them, 1 leaves them.

    Args:
        model: with skip connections, see :class:`adkit.models.blocks.Join`.
        factor: any number.

    Example:
        >>> model, images = Autoencoder(width=4, skip="add").eval(), torch.rand(1, 1, 32, 32)
        >>> with torch.no_grad(), scaled_skips(model, 1.0):
        ...     same = model(images)
        >>> bool((same == model(images)).all())
        True
    """
    hooks = [join.register_forward_pre_hook(lambda _, inputs: (inputs[0], factor * inputs[1])) for join in model.join]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def skip_sizes(model: Autoencoder, images: Tensor) -> dict[int, float]:
    """How much the skips change what the decoder holds: standard deviation of the change over that of the decoder.

    Args:
        model: with skip connections.
        images: (B, C, H, W), on the device of the model.

    Returns:
        Level → ratio, 0 being the finest level.

    Example:
        >>> sizes = skip_sizes(Autoencoder(width=4, skip="add"), torch.rand(1, 1, 32, 32))
        >>> sorted(sizes), sizes[0] > 0
        ([0, 1, 2], True)
    """
    found: dict[int, float] = {}

    def listen(level: int):
        def hook(_, inputs, joined):
            found[level] = float((joined - inputs[0]).std() / inputs[0].std())

        return hook

    hooks = [join.register_forward_hook(listen(level)) for level, join in enumerate(model.join)]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return {level: found[level] for level in getattr(model, "skip_levels", sorted(found)) if level in found}
