"""The bricks of every network here: down, up, and the four ways to join a skip connection.

BatchNorm, never instance or group norm: those read the statistics of the whole frame, so a tile of a fabric would be
reconstructed differently from the same cloth inside a longer strip.
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
        if kind not in SKIPS:
            raise ValueError(f"skip must be one of {', '.join(SKIPS)}, got {kind!r}")
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
