"""DRAEM: reconstruct the image without its defect, then compare both and mark where they differ *in a way that counts*.

Two networks in a row. The reconstructor has no skip connections, so that a defect does not slip past its bottleneck.
The segmenter, a U-Net, sees the image and its reconstruction together and learns from synthetic defects which of their
differences are defects: a residual, a distance fixed beforehand, has to count every yarn that is half a pixel off.

Source:
    Zavrtanik et al.: DRÆM – A discriminatively trained reconstruction embedding for surface anomaly detection, ICCV
    2021.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from adkit.data.padding import pad_to_multiple
from adkit.models.blocks import Join
from adkit.models.convolutions import Up, channels_last, conv_block


class Hourglass(nn.Module):
    """Fine features, ``depth`` times down to half the sides, and up again.

    Unlike :class:`adkit.models.autoencoder.Autoencoder` it has two convolutions at every level, and with ``stride=1``
    begins and ends at full resolution. A larger stride works on cells of that many pixels, at a cost that falls with
    its square; the last layer spreads each cell over its pixels again.

    Args:
        inputs: channels of what comes in.
        outputs: channels of what goes out; there is no activation at the end.
        width: channels of the finest features; each level down doubles them, up to ``8 * width``.
        depth: number of times the sides, which must divide by ``stride * 2**depth``, are halved.
        skip: ``none``, ``add``, ``concat`` or ``gated``, see :class:`adkit.models.blocks.Join`.
        stride: side of a cell of the finest features, in pixels.
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, skip: str, stride: int = 1):
        super().__init__()
        widths = [width * 2 ** min(level, 3) for level in range(depth + 1)]  # 16, 32, 64, 128, 128, …
        self.stem = conv_block(inputs, width, kernel=max(3, 2 * stride), stride=stride)
        self.down, self.up, self.join, self.refine = (nn.ModuleList() for _ in range(4))
        for finer, coarser in pairwise(widths):
            self.down.append(
                nn.Sequential(conv_block(finer, coarser, kernel=4, stride=2), conv_block(coarser, coarser))
            )
            self.up.append(Up(coarser, finer))
            self.join.append(Join(finer, skip))
            self.refine.append(conv_block(finer, finer))
        self.head = nn.Sequential(nn.Conv2d(width, outputs * stride**2, 3, padding=1), nn.PixelShuffle(stride))

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W) -> (B, outputs, H, W)
        """Map (B, inputs, H, W) to (B, outputs, H, W)."""
        levels = [self.stem(channels_last(x))]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels.pop()
        for level, encoded in reversed(list(enumerate(levels))):
            x = self.refine[level](self.join[level](self.up[level](x), encoded))
        return self.head(x)


class DRAEM(nn.Module):
    """A reconstructor and a segmenter, trained together on images with synthetic defects.

    Args:
        channels: 1 for grey, 3 for RGB.
        width: channels of the reconstructor's finest features, see :class:`Hourglass`.
        depth: number of times the reconstructor halves the sides.
        segment_width: channels of the segmenter's finest features.
        segment_depth: number of times the segmenter halves the sides.
        stride: of both, in pixels: 1 as in the paper, or 2 at a quarter of the cost.

    Raises:
        ValueError: if a size is not a positive integer.

    Example:
        >>> model = DRAEM(channels=1, width=4, segment_width=4)
        >>> reconstructed, logits = model(torch.rand(2, 1, 50, 70))
        >>> reconstructed.shape, logits.shape
        (torch.Size([2, 1, 50, 70]), torch.Size([2, 50, 70]))
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 16,
        depth: int = 4,
        segment_width: int = 16,
        segment_depth: int = 4,
        stride: int = 1,
    ):
        super().__init__()
        sizes = {"width": width, "depth": depth, "segment_width": segment_width, "segment_depth": segment_depth}
        for name, value in {"channels": channels, **sizes, "stride": stride}.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        self.channels, self.depths, self.stride = channels, (depth, segment_depth), stride
        self.reconstructor = Hourglass(channels, channels, width, depth, "none", stride)
        self.segmenter = Hourglass(2 * channels, 1, segment_width, segment_depth, "concat", stride)

    @classmethod
    def paper(cls, channels: int = 3) -> "DRAEM":
        """The size of the paper's networks: for a GPU.

        Args:
            channels: 1 for grey, 3 for RGB.

        Example:
            >>> with torch.device("meta"):  # shapes only
            ...     print(f"{sum(p.numel() for p in DRAEM.paper().parameters()) / 1e6:.0f} million parameters")
            110 million parameters
        """
        return cls(channels, width=128, depth=4, segment_width=64, segment_depth=5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) in [0, 1], of any frame: one that the depth does not divide is mirrored at its border.

        Returns:
            The reconstruction (B, C, H, W) in (0, 1), and one logit a pixel (B, H, W), positive where a defect is the
            likelier. The paper's two channels, normal and defect, go through a softmax, which depends on their
            difference alone: this logit.
        """
        height, width = images.shape[-2:]
        padded = pad_to_multiple(images, self.stride * 2 ** max(self.depths))
        reconstructed = self.reconstructor(padded).sigmoid()
        logits = self.segmenter(torch.cat([padded, reconstructed], dim=1))
        return reconstructed[..., :height, :width], logits[:, 0, :height, :width]

    @property
    def receptive_field(self) -> int:
        """How far, in pixels, an input pixel can reach through both networks: the sum of what each one adds.

        On the way down level k adds 2·2**k by its 4 × 4 kernel and as much by the 3 × 3 kernel behind it; on the way
        up its two kernels add 2**k each; a coarsest cell is 2**depth wide; the first and the last kernel add 1 each.
        With a stride all that is counted in cells, and a cell reaches over the pixels of its own and its neighbours.
        """
        cells = sum(6 * (2**depth - 1) + 2**depth + 2 for depth in self.depths)
        return self.stride * cells
