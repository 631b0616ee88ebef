"""A residual network of torchvision that names what an image shows."""

from torch import Tensor, nn

from adkit.models import zoo

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
