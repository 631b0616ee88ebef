"""The convolutional autoencoder: squeeze a fabric through a narrow bottleneck, reconstruct it, see what is missing.

Fully convolutional, so it trains on small crops and runs on any frame. The bottleneck is ``latent`` numbers for each
patch of ``2**depth × 2**depth`` pixels: too many, and a defect fits through; too few, and the cloth itself does not.
"""

import math
from collections.abc import Sequence
from numbers import Real

from torch import Tensor, nn

from adkit.data.padding import pad_to_multiple
from adkit.models.blocks import Join, check_skip, squeeze_excitation
from adkit.models.convolutions import Up, UpConv, channels_last, conv_block


class Autoencoder(nn.Module):
    """Encoder → bottleneck → decoder, with a choice of skip connections.

    Args:
        channels: positive integer: 1 for grey, 3 for RGB.
        width: positive number, channels after the first level; each further level doubles them, up to ``8 * width``. It
            need not be whole: level k has ``width * 2**min(k, 3)`` channels, rounded, at least 1, so that networks can
            be made equally large, see :func:`adkit.models.matching.match_width`.
        depth: positive integer, number of times the sides are halved.
        latent: positive integer, channels of the bottleneck, at 1 / 2**depth of the resolution.
        skip: ``none``, ``add``, ``concat`` or ``gated``, see :class:`adkit.models.blocks.Join`.
        skip_levels: the encoder levels that have the skip, from 0, the finest (half resolution), to ``depth - 2``; the
            others have none. None: all of them. An empty list is refused, and so is any with ``skip="none"``.
        excite: squeeze-and-excitation on the bottleneck, see :func:`adkit.models.blocks.squeeze_excitation`. It reads
            averages of the whole frame: a tile is then reconstructed differently from the same cloth inside the frame.

    Raises:
        ValueError: if a size is not a positive integer, the width no positive number, the skip unknown, a level
            unknown or named twice, or excite no bool.

    Source:
        An encoder and a decoder as in Hinton and Salakhutdinov: Reducing the dimensionality of data with neural
        networks, Science 2006, with convolutions; as a detector of defects Bergmann et al.: Improving unsupervised
        defect segmentation by applying structural similarity to autoencoders, VISAPP 2019. With ``skip="concat"`` a
        U-Net: Ronneberger et al., MICCAI 2015; the other skips: :class:`adkit.models.blocks.Join`.

    Example:
        >>> import torch
        >>> model = Autoencoder(channels=1, width=8, depth=3, latent=4)
        >>> model(torch.rand(2, 1, 176, 976)).shape, model.encode(torch.rand(2, 1, 64, 64)).shape
        (torch.Size([2, 1, 176, 976]), torch.Size([2, 4, 8, 8]))
    """

    def __init__(
        self,
        channels: int = 1,
        width: float = 16,
        depth: int = 4,
        latent: int = 32,
        skip: str = "none",
        skip_levels: Sequence[int] | None = None,
        excite: bool = False,
    ):
        super().__init__()
        _check_sizes(width, channels=channels, depth=depth, latent=latent)
        if not isinstance(excite, bool):
            raise ValueError(f"excite must be True or False, got {excite!r}")
        self.channels, self.depth, self.latent, self.skip = channels, depth, latent, skip
        self.skip_levels = _skip_levels(skip, skip_levels, depth)
        widths = [max(1, round(width * 2 ** min(level, 3))) for level in range(depth)]  # 16, 32, 64, 128, 128, …
        self.down = nn.ModuleList(
            conv_block(inputs, outputs, kernel=4, stride=2)
            for inputs, outputs in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.squeeze = nn.Conv2d(widths[-1], latent, 1)
        self.expand = conv_block(latent, widths[-1], kernel=1)
        self.join = nn.ModuleList(
            Join(outputs, skip if level in self.skip_levels else "none") for level, outputs in enumerate(widths[:-1])
        )
        self.up = nn.ModuleList(Up(inputs, outputs) for inputs, outputs in zip(widths[1:], widths[:-1], strict=True))
        self.head = UpConv(widths[0], channels)
        # built last, so that all other weights start as they do without it
        self.excite = squeeze_excitation(latent) if excite else nn.Identity()

    def features(self, images: Tensor) -> list[Tensor]:
        """Encoder features of images (B, C, H, W), finest first: level k is (B, C_k, H / 2**(k+1), W / 2**(k+1))."""
        levels, x = [], channels_last(images)
        for down in self.down:
            x = down(x)
            levels.append(x)
        return levels

    def encode(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to latent (B, latent, H / 2**depth, W / 2**depth), both rounded up."""
        return self.excite(self.squeeze(self.features(pad_to_multiple(images, 2**self.depth))[-1]))

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct images (B, C, H, W) in [0, 1]; a frame that 2**depth does not divide is mirrored at its border.

        Returns:
            (B, C, H, W) in (0, 1): the sigmoid at the end and the targets share one range.
        """
        height, width = images.shape[-2:]
        levels = self.features(pad_to_multiple(images, 2**self.depth))
        return self.decode([*levels, self.squeeze(levels[-1])])[..., :height, :width]

    def decode(self, levels: list[Tensor]) -> Tensor:
        """Images (B, C, H, W) in (0, 1) from the encoder's features, finest first, and, last, the bottleneck.

        Args:
            levels: as of :meth:`features`, of sides that 2**depth divides, and what ``squeeze`` makes of the last one.
        """
        x = self.expand(self.excite(levels[-1]))
        for level in reversed(range(self.depth - 1)):
            x = self.join[level](self.up[level](x), levels[level])
        return self.head(x).sigmoid()

    def gate_values(self) -> dict[int, Tensor]:
        """How far each learned gate is open: level → (C_k,) in (0, 1), on the CPU; 0.5 before training.

        Raises:
            ValueError: if the skip is not ``gated``.

        Example:
            >>> gates = Autoencoder(width=4, depth=3, skip="gated").gate_values()
            >>> {level: gate.shape for level, gate in gates.items()}
            {0: torch.Size([4]), 1: torch.Size([8])}
        """
        if self.skip != "gated":
            raise ValueError(f'only an autoencoder with skip="gated" has gates, this one has skip={self.skip!r}')
        return {level: self.join[level].gate.detach().sigmoid().cpu() for level in self.skip_levels}

    @property
    def receptive_field(self) -> float:
        """How far, in pixels, an input pixel can reach: no output pixel further away depends on it.

        A 4 × 4 kernel of stride 2 at level k reaches 2·2**k pixels beyond its cell; the 3 × 3 kernels of the decoder
        reach one cell of their own resolution; and a cell of the bottleneck is itself 2**depth pixels wide. With
        ``excite`` every pixel reaches the whole frame: infinity.
        """
        if not isinstance(self.excite, nn.Identity):
            return math.inf
        encoder = sum(2 * 2**level for level in range(self.depth))
        decoder = sum(2**level for level in range(self.depth))
        return encoder + decoder + 2**self.depth

    @property
    def compression(self) -> float:
        """Input numbers for each number of the bottleneck: ``channels · 4**depth / latent``."""
        return self.channels * 4**self.depth / self.latent


def _check_sizes(width: float, **sizes: int) -> None:
    if not isinstance(width, Real) or isinstance(width, bool) or not 0 < width < math.inf:
        raise ValueError(f"width must be a positive number, got {width!r}")
    for name, value in sizes.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be a positive integer, got {value!r}")


def _skip_levels(skip: str, levels: Sequence[int] | None, depth: int) -> list[int]:
    """The levels that have a skip, finest first."""
    check_skip(skip)
    existing = range(depth - 1)
    if levels is None:
        return [] if skip == "none" else list(existing)
    if skip == "none":
        raise ValueError(f'skip="none" has no levels to choose, got skip_levels={levels!r}; name a skip or leave None')
    integers = isinstance(levels, (list, tuple)) and all(type(level) is int for level in levels)
    if not integers or not levels or sorted(set(levels) & set(existing)) != sorted(levels):
        known = f"levels {', '.join(map(str, existing))}" if existing else "no level to skip from"
        raise ValueError(
            f"skip_levels must list one or more levels, each once, or be None for all, got {levels!r}; "
            f"a network of depth {depth} has {known}"
        )
    return sorted(levels)
