"""A VAE of which one part is changed: for advice that no setting of the detector knows, to be tried side by side.

What changes is the network as it is built, by one of the functions below. The VAE's own settings, its loss and its
scoring stay as they are.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from adkit.detectors.vae import VAEDetector
from adkit.models.vae import VAE

Change = Callable[[VAE], VAE]


class AlteredVAE(VAEDetector):
    """A VAE detector whose network is changed after it was built; it lives in memory only.

    Args:
        change: takes the untrained network and returns it changed; None: it stays as it is.
        settings: fields of :class:`adkit.detectors.vae.VAESettings`, by name.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(32, 64))
        >>> tiny = {"latent_dim": 4, "widths": (4, 8), "steps": 3, "crop": 32, "quiet": True}
        >>> weak = AlteredVAE(decoder_of((2, 2)), **tiny).fit(splits.train, splits.validation)
        >>> weak.anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 32, 64])
    """

    def __init__(self, change: Change | None = None, **settings):
        super().__init__(**settings)
        self.change = change

    def build_network(self) -> VAE:
        """The network of the settings, untrained, with the change made to it."""
        network = super().build_network()
        return network if self.change is None else self.change(network)

    def fresh(self, **changes) -> "AlteredVAE":
        """Another one, not fitted, with the same change to its network; takes and raises as every detector's."""
        settings = {name: getattr(self.settings, name) for name in self.settings.__dataclass_fields__}
        return type(self)(self.change, **settings | changes)

    def save(self, path: str | Path) -> Path:
        """Refused; raises a TypeError."""
        raise TypeError(
            "an AlteredVAE lives in memory only, for its change is code; make the change a model of its own"
        )


def decoder_of(widths: Sequence[int]) -> Change:
    """The change that gives a VAE the decoder of one with other widths; the encoder stays.

    Args:
        widths: channels as of :class:`adkit.models.vae.VAE`, as many as the network has.

    Raises:
        ValueError: when the change is made, if there are more or fewer widths than the network has.

    Example:
        >>> net = decoder_of((2, 2))(VAE((32, 32), 1, 4, (4, 8)))
        >>> net.encode(torch.rand(1, 1, 32, 32))[0].shape, net.decode(torch.zeros(1, 4)).shape
        (torch.Size([1, 4]), torch.Size([1, 1, 32, 32]))
    """

    def change(network: VAE) -> VAE:
        if len(widths) != len(network.widths):
            raise ValueError(f"a decoder of {len(network.widths)} widths is needed, got {list(widths)}")
        donor = VAE(network.image_size, network.channels, network.latent_dim, list(widths))
        network.expand, network.up, network.head = donor.expand, donor.up, donor.head
        return network

    return change


def encoder_of(widths: Sequence[int]) -> Change:
    """The change that gives a VAE the encoder of one with other widths, and so of another depth; the decoder stays.

    Args:
        widths: channels after each halving of the sides; at most as many as the network has.

    Raises:
        ValueError: when the change is made, if there are more widths than the network has.

    Example:
        >>> net = encoder_of((8,))(VAE((32, 32), 1, 4, (4, 8)))
        >>> len(net.down), net.encode(torch.rand(1, 1, 32, 32))[0].shape
        (1, torch.Size([1, 4]))
    """

    def change(network: VAE) -> VAE:
        if len(widths) > len(network.widths):
            raise ValueError(f"an encoder of at most {len(network.widths)} widths is needed, got {list(widths)}")
        donor = VAE(network.image_size, network.channels, network.latent_dim, list(widths))
        network.down, network.mu, network.log_variance = donor.down, donor.mu, donor.log_variance
        return network

    return change


def without_norm(initialise: bool = False) -> Change:
    """The change that takes every BatchNorm away; each channel keeps a factor and a number to add, which are learned.

    Args:
        initialise: draw the weights of the convolutions so that a ReLU network keeps the size of its activations.

    Source:
        He, Zhang, Ren and Sun: Delving deep into rectifiers, ICCV 2015, section 2.2 (the initialisation).

    Example:
        >>> net = without_norm()(VAE((32, 32), 1, 4, (4, 8)))
        >>> any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
        False
    """

    def change(network: VAE) -> VAE:
        for part, fan in ((network.down, "fan_in"), (network.up, "fan_out")):
            for level, (convolution, norm, *rest) in enumerate(part):
                if initialise:
                    nn.init.kaiming_normal_(convolution.weight, mode=fan, nonlinearity="relu")
                part[level] = nn.Sequential(convolution, ScaleShift(norm.num_features), *rest)
        return network

    return change


def noisy_input(deviation: float) -> Change:
    """The change that adds Gaussian noise to the images that the encoder sees in training; the target stays clean.

    Args:
        deviation: standard deviation of the noise, in units of the images, which lie in [0, 1].

    Source:
        Im, Ahn, Memisevic and Bengio: Denoising criterion for variational auto-encoding framework, AAAI 2017.

    Example:
        >>> net, images = noisy_input(0.5)(VAE((32, 32), 1, 4, (4, 8))), torch.zeros(1, 1, 32, 32)
        >>> bool((net.eval().features(images)[0] == net.features(images)[0]).all())
        True
    """

    def add_noise(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor] | None:
        return (inputs[0] + deviation * torch.randn_like(inputs[0]),) if module.training else None

    def change(network: VAE) -> VAE:
        network.down[0].register_forward_pre_hook(add_noise)
        return network

    return change


class ScaleShift(nn.Module):
    """A factor and a number to add for each channel, both learned.

    Args:
        channels: how many there are.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W)."""
        return self.weight * x + self.bias
