"""The bricks of every network here: down, up, the four ways to join a skip connection, and channel attention.

BatchNorm, never instance or group norm: those read the statistics of the whole frame, so a tile of a fabric would be
reconstructed differently from the same cloth inside a longer strip. :class:`SqueezeExcite` does read them, and has the
same price; networks leave it out unless it is asked for.
"""

import torch
from torch import Tensor, nn

SKIPS = ("none", "add", "concat", "gated")


def conv_block(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution → BatchNorm → LeakyReLU; halves the sides with ``kernel=4, stride=2``."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


def check_skip(kind: str) -> None:
    """Raise a ValueError that lists ``SKIPS`` where ``kind`` is none of them."""
    if kind not in SKIPS:
        raise ValueError(f"skip must be one of {', '.join(SKIPS)}, got {kind!r}")


class Join(nn.Module):
    """Bring the encoder's features of one level into the decoder.

    * ``none``: leave them out; all that the decoder knows has gone through the bottleneck;
    * ``add``: decoder + encoder;
    * ``concat``: a 1 × 1 convolution mixes both (U-Net, Ronneberger et al. 2015);
    * ``gated``: decoder + g · encoder, with one learned gate g in (0, 1) a channel.

    Args:
        channels: channels of both inputs and of the output.
        kind: one of ``SKIPS``.
    """

    def __init__(self, channels: int, kind: str):
        super().__init__()
        check_skip(kind)
        self.kind = kind
        if kind == "concat":
            self.mix = nn.Conv2d(2 * channels, channels, 1)
        if kind == "gated":
            self.gate = nn.Parameter(torch.zeros(channels))  # sigmoid(0) = 0.5: half open at the start

    def forward(self, decoded: Tensor, encoded: Tensor) -> Tensor:  # both (B, C, H, W)
        """Join two feature maps of equal shape (B, C, H, W)."""
        if self.kind == "none":
            return decoded
        if self.kind == "add":
            return decoded + encoded
        if self.kind == "concat":
            return self.mix(torch.cat([decoded, encoded], dim=1))
        return decoded + torch.sigmoid(self.gate)[:, None, None] * encoded


class Up(nn.Module):
    """Double the sides: nearest-neighbour upsampling, then a convolution, which leaves no checkerboard."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.block = conv_block(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C', 2H, 2W)
        """Map (B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        return self.block(self.upsample(x))


class SqueezeExcite(nn.Module):
    """Weigh each channel by what the whole frame shows (Hu et al. 2018, "Squeeze-and-excitation networks").

    Squeeze: the mean of each channel over the frame, (B, C). Excite: two 1 × 1 convolutions with a ReLU between them
    turn those means into one weight in (0, 1) a channel, σ(W₂ ReLU(W₁ mean)), which multiplies it.

    The mean reads every pixel, so a tile, whose mean is another, comes out differently from the same cloth inside the
    whole frame, and a network trained on crops meets other means when it sees frames.

    Args:
        channels: of input and output.
        reduction: how many times fewer the hidden channels are (at least one). The paper takes 16 for hundreds
            of channels; a bottleneck has tens.
    """

    def __init__(self, channels: int, reduction: int = 4):
        super().__init__()
        hidden = max(1, channels // reduction)
        # named as in torchvision's block
        self.fc1, self.fc2 = nn.Conv2d(channels, hidden, 1), nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        """Multiply each channel of each image by its weight in (0, 1)."""
        return x * self.fc2(self.fc1(x.mean((2, 3), keepdim=True)).relu()).sigmoid()
