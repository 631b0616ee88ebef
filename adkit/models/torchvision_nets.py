"""torchvision's networks, with the weights that were published with them.

A residual network of torchvision that names what an image shows.
"""

import torch
from torch import Tensor, nn

from adkit.models import torchvision_nets as zoo

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


DEPTHS = (18, 34, 50)


class Classifier(nn.Module):
    """A ResNet whose last layer gives one logit for each class (He et al., CVPR 2016).

    It takes images of any size from 32 × 32: the features are averaged over the image. Its cost grows with the number
    of pixels, so what is seen at a quarter of the side is named at a sixteenth of the cost.

    Args:
        classes: number of them.
        depth: 18, 34 or 50.
        weights: name of published weights such as ``IMAGENET1K_V1``, downloaded once by torchvision; None: random
            ones, drawn from torch's global generator.

    Raises:
        ValueError: if the depth or the weights are unknown, or there are not two classes.
        ConnectionError: if torchvision cannot download or read the weights.

    Example:
        >>> import torch
        >>> Classifier(classes=10)(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """

    def __init__(self, classes: int, depth: int = 18, weights: str | None = None):
        super().__init__()
        check_network(depth, weights)
        if classes < 2:
            raise ValueError(f"a classifier needs at least two classes, got {classes}")
        self.network = zoo.network(f"resnet{depth}", weights, "weights=None and train from random ones")
        self.network.fc = nn.Linear(self.network.fc.in_features, classes)
        zoo.standardise(self, zoo.IMAGENET)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) in [0, 1], grey ones repeated to three channels, to logits (B, classes)."""
        return self.network((images.expand(-1, 3, -1, -1) - self.mean) / self.deviation)


def check_network(depth: int, weights: str | None) -> None:
    """Refuse an unknown depth or unknown weights, without building anything.

    Raises:
        ValueError: naming what is known.
    """
    if depth not in DEPTHS:
        raise ValueError(f"depth must be one of {', '.join(map(str, DEPTHS))}, got {depth!r}")
    zoo.check_weights(f"resnet{depth}", weights)
