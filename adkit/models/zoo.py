"""torchvision's networks, with the weights that were published with them."""

import torch
from torch import nn

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and standard deviation that the weights expect


def check_weights(name: str, weights: str | None) -> None:
    """Refuse weights that torchvision does not know for a network, without building anything.

    Raises:
        ValueError: naming what is known.
    """
    import torchvision.models as zoo  # slow to import: only who builds pays

    check_known(name, weights, [member.name for member in zoo.get_model_weights(name)])


def check_known(name: str, weights: str | None, known: list[str]) -> None:
    """Refuse weights that are neither None nor one of the known names.

    Raises:
        ValueError: naming what is known.
    """
    if weights not in (None, *known):
        raise ValueError(f"weights of {name} must be None (random) or one of {', '.join(known)}, got {weights!r}")


def network(name: str, weights: str | None, otherwise: str) -> nn.Module:
    """A network of torchvision.

    Args:
        name: such as ``resnet18``.
        weights: name of published weights such as ``IMAGENET1K_V1``, downloaded once; None: random ones, drawn from
            torch's global generator.
        otherwise: what to do where they cannot be had; the end of the error's sentence.

    Raises:
        ConnectionError: if torchvision cannot download or read the weights.
    """
    import torchvision.models as zoo

    if not weights:
        return zoo.get_model(name, weights=None)
    chosen = zoo.get_model_weights(name)[weights]
    try:
        return zoo.get_model(name, weights=chosen)
    except (OSError, RuntimeError) as error:
        raise ConnectionError(
            f"the weights of {name} could not be downloaded from {chosen.url} ({error}); put that file into "
            f"{torch.hub.get_dir()}/checkpoints, or take {otherwise}"
        ) from error


def standardise(module: nn.Module, scale: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    """Give a module the buffers ``mean`` and ``deviation`` (3, 1, 1), which are not part of what it saves."""
    for name, values in zip(("mean", "deviation"), scale, strict=True):
        module.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)
