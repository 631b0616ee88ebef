"""The convolutional autoencoder: squeeze a fabric through a narrow bottleneck, draw it again, look at what is missing.

Fully convolutional, so it trains on small crops and runs on any frame. The bottleneck is ``latent`` numbers for each
patch of ``2**depth × 2**depth`` pixels: too many, and a defect fits through; too few, and the cloth itself does not.
"""

from torch import Tensor, nn

from adkit.data.mirror import pad_to_multiple
from adkit.models.blocks import Join, Up, conv_block


class Autoencoder(nn.Module):
    """Encoder → bottleneck → decoder, with a choice of skip connections.

    Args:
        channels: 1 for grey, 3 for RGB.
        width: channels after the first level; each further level doubles them, up to ``8 * width``.
        depth: number of times the sides are halved.
        latent: channels of the bottleneck, at 1 / 2**depth of the resolution.
        skip: ``none``, ``add``, ``concat`` or ``gated``, see :class:`adkit.models.blocks.Join`.

    Raises:
        ValueError: if a size is not a positive integer or the skip is unknown.

    Example:
        >>> import torch
        >>> model = Autoencoder(channels=1, width=8, depth=3, latent=4)
        >>> model(torch.rand(2, 1, 176, 976)).shape, model.encode(torch.rand(2, 1, 64, 64)).shape
        (torch.Size([2, 1, 176, 976]), torch.Size([2, 4, 8, 8]))
    """

    def __init__(self, channels: int = 1, width: int = 16, depth: int = 4, latent: int = 32, skip: str = "none"):
        super().__init__()
        for name, value in {"channels": channels, "width": width, "depth": depth, "latent": latent}.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        self.channels, self.depth, self.latent = channels, depth, latent
        widths = [width * 2 ** min(level, 3) for level in range(depth)]  # 16, 32, 64, 128, 128, …
        self.down = nn.ModuleList(
            conv_block(inputs, outputs, kernel=4, stride=2)
            for inputs, outputs in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.squeeze = nn.Conv2d(widths[-1], latent, 1)
        self.expand = conv_block(latent, widths[-1], kernel=1)
        self.join = nn.ModuleList(Join(outputs, skip) for outputs in widths[:-1])
        self.up = nn.ModuleList(Up(inputs, outputs) for inputs, outputs in zip(widths[1:], widths[:-1], strict=True))
        self.head = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(widths[0], channels, 3, padding=1)
        )

    def features(self, images: Tensor) -> list[Tensor]:
        """Encoder features, finest first: level k is (B, C_k, H / 2**(k+1), W / 2**(k+1))."""
        levels = []
        for down in self.down:
            images = down(images)
            levels.append(images)
        return levels

    def encode(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to latent (B, latent, H / 2**depth, W / 2**depth), both rounded up."""
        return self.squeeze(self.features(pad_to_multiple(images, 2**self.depth))[-1])

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct images (B, C, H, W) in [0, 1]; a frame that 2**depth does not divide is mirrored at its border.

        Returns:
            (B, C, H, W) in (0, 1): the sigmoid at the end and the targets share one range.
        """
        height, width = images.shape[-2:]
        levels = self.features(pad_to_multiple(images, 2**self.depth))
        x = self.expand(self.squeeze(levels[-1]))
        for level in reversed(range(self.depth - 1)):
            x = self.join[level](self.up[level](x), levels[level])
        return self.head(x).sigmoid()[..., :height, :width]

    @property
    def receptive_field(self) -> int:
        """How far, in pixels, an input pixel can reach: no output pixel further away depends on it.

        A 4 × 4 kernel of stride 2 at level k reaches 2·2**k pixels beyond its cell; the 3 × 3 kernels of the decoder
        reach one cell of their own resolution; and a cell of the bottleneck is itself 2**depth pixels wide.
        """
        encoder = sum(2 * 2**level for level in range(self.depth))
        decoder = sum(2**level for level in range(self.depth))
        return encoder + decoder + 2**self.depth

    @property
    def compression(self) -> float:
        """Input numbers for each number of the bottleneck: ``channels · 4**depth / latent``."""
        return self.channels * 4**self.depth / self.latent


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
