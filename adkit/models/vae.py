"""The variational autoencoder: an image becomes a Gaussian in a latent space, and is reconstructed from a sample of it.

The encoder ends in two linear heads, one for the mean μ and one for log σ² of each latent dimension. They tie the
network to one image size: that of its training images, or of the tiles that larger images are cut into.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from adkit.data.padding import pad_to_multiple
from adkit.models.convolutions import ConvBlock, DoublingConv, channels_last


class VAEOutput(NamedTuple):
    """What comes out of a pass, all of it needed by the loss.

    Attributes:
        reconstruction: (B, C, H, W) in (0, 1).
        mu: means of the latent Gaussians, (B, latent_dim).
        log_variance: log σ², of the same shape.
        z: the latent vectors that were decoded, of the same shape.
    """

    reconstruction: Tensor
    mu: Tensor
    log_variance: Tensor
    z: Tensor


def reparameterise(mu: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Sample N(μ, σ²) as z = μ + σ ε: all chance is in ε ~ N(0, 1), so gradients reach μ and σ.

    Args:
        mu: means, of any shape.
        log_variance: log σ², of the same shape.
        noise: ε, of a shape that broadcasts to it.

    Source:
        Kingma and Welling: Auto-encoding variational Bayes, ICLR 2014, section 2.4.

    Example:
        >>> mu, log_variance = torch.tensor([[1.0]]), torch.tensor([[0.0]])
        >>> reparameterise(mu, log_variance, noise=torch.tensor([[-2.0]]))
        tensor([[-1.]])
    """
    return mu + (0.5 * log_variance).exp() * noise


class VAE(nn.Module):
    """Strided convolutions down, two linear heads, a linear layer and transposed convolutions up, a sigmoid at the end.

    Kernels are 4 × 4: the stride divides them, so that no checkerboard appears. Convolutions before a BatchNorm have no
    bias, which it would take away again. Sides that ``2 ** len(widths)`` does not divide are mirrored at the border
    and cut off again.

    Args:
        image_size: (height, width) of all its images.
        channels: 1 for grey, 3 for RGB.
        latent_dim: positive integer, dimensions of the latent space.
        widths: positive integers, channels after each halving of the sides.

    Raises:
        ValueError: if a size is not a positive integer.

    Source:
        Kingma and Welling: Auto-encoding variational Bayes, ICLR 2014.

    Example:
        >>> model = VAE(image_size=(50, 70), channels=1, latent_dim=32, widths=(8, 16, 32)).eval()
        >>> output = model(torch.rand(2, 1, 50, 70))
        >>> output.reconstruction.shape, output.mu.shape, bool((output.z == output.mu).all())
        (torch.Size([2, 1, 50, 70]), torch.Size([2, 32]), True)
    """

    def __init__(
        self,
        image_size: Sequence[int] = (224, 224),
        channels: int = 3,
        latent_dim: int = 128,
        widths: Sequence[int] = (32, 64, 128, 256, 512),
    ):
        super().__init__()
        sizes = {"image_size": image_size, "channels": [channels], "latent_dim": [latent_dim], "widths": widths}
        for name, values in sizes.items():
            listed = isinstance(values, list | tuple) and bool(values)
            if not listed or not all(type(value) is int and value > 0 for value in values):
                raise ValueError(f"{name} must be positive integers, got {values!r}")
        self.image_size, self.channels, self.latent_dim = tuple(image_size), channels, latent_dim
        self.widths, self.stride = tuple(widths), 2 ** len(widths)
        self.grid = tuple(-(-side // self.stride) for side in self.image_size)  # sides of the last feature map
        self.cells = widths[-1] * self.grid[0] * self.grid[1]
        steps = list(zip([channels, *widths[:-1]], widths, strict=True))
        self.down = nn.ModuleList(_down(inputs, outputs) for inputs, outputs in steps)
        self.mu = nn.Linear(self.cells, latent_dim)
        self.log_variance = nn.Linear(self.cells, latent_dim)
        self.expand = nn.Linear(latent_dim, self.cells)
        self.up = nn.ModuleList(_up(outputs, inputs) for inputs, outputs in reversed(steps[1:]))
        self.head = DoublingConv(widths[0], channels)

    @classmethod
    def reference(cls) -> "VAE":
        """The reference network: 224 × 224 × 3, widths 32 to 512, 25,088 features, 128 latent dimensions."""
        return cls(image_size=(224, 224), channels=3, latent_dim=128, widths=(32, 64, 128, 256, 512))

    def forward(self, images: Tensor, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode, sample and decode images (B, C, H, W) in [0, 1].

        In training mode z is a random sample; in evaluation mode it is one where a generator is given, else it is μ.

        Args:
            images: (B, C, H, W) in [0, 1].
            generator: of ε, on the device of the images; None: torch's global one in training mode.

        Raises:
            ValueError: if the images have another size or number of channels than the network.
        """
        return self.trace(images, self.noise(images, generator))

    def noise(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The ε (B, latent_dim) of a pass: drawn in training mode or from a generator, else 0."""
        make = torch.zeros if generator is None and not self.training else partial(torch.randn, generator=generator)
        return make(len(images), self.latent_dim, device=images.device)

    def trace(self, images: Tensor, noise: Tensor) -> VAEOutput:
        """The whole way of images (B, C, H, W) with noise ε (B, latent_dim), or (1, latent_dim) for all; 0 takes μ."""
        mu, log_variance = self.encode(images)
        z = reparameterise(mu, log_variance, noise)
        return VAEOutput(self.decode(z), mu, log_variance, z)

    def reconstruct(self, images: Tensor, samples: int = 0, generator: torch.Generator | None = None) -> Tensor:
        """Reconstruct images (B, C, H, W) in [0, 1]: from μ, or as the mean over several samples of z.

        All images share the draws of ε, so that what an image becomes does not depend on its batch.

        Args:
            images: (B, C, H, W) in [0, 1].
            samples: how many samples of z the mean is over; 0 takes μ.
            generator: of ε, on the device of the images; None: torch's global one.

        Returns:
            (B, C, H, W) in (0, 1).
        """
        if samples == 0:
            return self.trace(images, torch.zeros(1, self.latent_dim, device=images.device)).reconstruction
        noises = torch.randn(samples, 1, self.latent_dim, generator=generator, device=images.device)
        return torch.stack([self.trace(images, noise).reconstruction for noise in noises]).mean(dim=0)

    def features(self, images: Tensor) -> list[Tensor]:
        """Encoder features, finest first: level k is (B, widths[k], H / 2**(k+1), W / 2**(k+1)), rounded up.

        Raises:
            ValueError: if the images have another size or number of channels than the network.
        """
        if tuple(images.shape[1:]) != (self.channels, *self.image_size):
            raise ValueError(
                f"images must have the shape {('B', self.channels, *self.image_size)}, got {tuple(images.shape)}: the "
                "linear heads fix the size; resize or tile the images, or build a VAE with their image_size"
            )
        levels, x = [], channels_last(pad_to_multiple(images, self.stride))
        for down in self.down:
            x = down(x)
            levels.append(x)
        return levels

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) in [0, 1] to μ and log σ², (B, latent_dim) each."""
        cells = self.features(images)[-1].flatten(1)
        return self.mu(cells).float(), self.log_variance(cells).float()

    def decode(self, z: Tensor) -> Tensor:
        """Latent vectors (B, latent_dim) to images (B, C, H, W) in (0, 1)."""
        x = self.expanded(z)
        for up in self.up:
            x = up(x)
        return self.finish(x)

    def expanded(self, z: Tensor) -> Tensor:
        """The decoder's first feature map (B, widths[-1], *grid), from what its linear layer takes, (B, …)."""
        return channels_last(self.expand(z).unflatten(1, (-1, *self.grid)))

    def finish(self, x: Tensor) -> Tensor:
        """The last step up: features (B, widths[0], H / 2, W / 2) to images (B, C, H, W) in (0, 1)."""
        height, width = self.image_size
        return self.head(x).sigmoid()[..., :height, :width]


def _down(inputs: int, outputs: int) -> ConvBlock:
    return ConvBlock(
        nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _up(inputs: int, outputs: int) -> ConvBlock:
    return ConvBlock(
        DoublingConv(inputs, outputs, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
