"""Networks of torchvision: built with the weights that were published with them, and a ResNet that names images.

torchvision is slow to import, so each function imports it for itself: only who builds a network pays.
"""

import torch
from torch import Tensor, nn

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and standard deviation that the weights expect
DEPTHS = (18, 34, 50)


def check_weights(name: str, weights: str | None) -> None:
    """Refuse weights that torchvision does not know for a network, without building anything.

    Args:
        name: of a network of torchvision, such as ``resnet18``.
        weights: name of published weights such as ``IMAGENET1K_V1``; None, for random ones, is always accepted.

    Raises:
        ValueError: naming what is known.
    """
    import torchvision.models

    check_known(name, weights, [member.name for member in torchvision.models.get_model_weights(name)])


def check_known(name: str, weights: str | None, known: list[str]) -> None:
    """Refuse weights that are neither None nor one of the known names.

    Args:
        name: of the network, for the error.
        weights: what was asked for.
        known: names of published weights.

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
    import torchvision.models

    if not weights:
        return torchvision.models.get_model(name, weights=None)
    chosen = torchvision.models.get_model_weights(name)[weights]
    try:
        return torchvision.models.get_model(name, weights=chosen)
    except (OSError, RuntimeError) as error:
        raise ConnectionError(
            f"the weights of {name} could not be downloaded from {chosen.url} ({error}); put that file into "
            f"{torch.hub.get_dir()}/checkpoints, or take {otherwise}"
        ) from error


def standardise(module: nn.Module, scale: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    """Give a module the buffers ``mean`` and ``deviation`` (3, 1, 1), which are not part of what it saves.

    Args:
        module: gets the two buffers.
        scale: mean and standard deviation of red, green and blue, in units of images in [0, 1].
    """
    for name, values in zip(("mean", "deviation"), scale, strict=True):
        module.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)


class Classifier(nn.Module):
    """A ResNet whose last layer gives one logit for each class.

    It takes images of any size from 32 × 32: the features are averaged over the image. Its cost grows with the number
    of pixels, so what is seen at a quarter of the side is named at a sixteenth of the cost.

    Args:
        classes: how many, at least 2.
        depth: 18, 34 or 50.
        weights: name of published weights such as ``IMAGENET1K_V1``, downloaded once by torchvision; None: random
            ones, drawn from torch's global generator.

    Raises:
        ValueError: if the depth or the weights are unknown, or there are not two classes.
        ConnectionError: if torchvision cannot download or read the weights.

    Source:
        He et al.: Deep residual learning for image recognition, CVPR 2016.

    Example:
        >>> Classifier(classes=10)(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """

    def __init__(self, classes: int, depth: int = 18, weights: str | None = None):
        super().__init__()
        check_resnet(depth, weights)
        if classes < 2:
            raise ValueError(f"a classifier needs at least two classes, got {classes}")
        self.network = network(f"resnet{depth}", weights, "weights=None and train from random ones")
        self.network.fc = nn.Linear(self.network.fc.in_features, classes)
        standardise(self, IMAGENET)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) in [0, 1], grey ones repeated to three channels, to logits (B, classes)."""
        return self.network((images.expand(-1, 3, -1, -1) - self.mean) / self.deviation)


def check_resnet(depth: int, weights: str | None) -> None:
    """Refuse an unknown depth or unknown weights of a :class:`Classifier`, without building anything.

    Args:
        depth: number of layers, one of ``DEPTHS``.
        weights: name of published weights, or None.

    Raises:
        ValueError: naming what is known.
    """
    if depth not in DEPTHS:
        raise ValueError(f"depth must be one of {', '.join(map(str, DEPTHS))}, got {depth!r}")
    check_weights(f"resnet{depth}", weights)
