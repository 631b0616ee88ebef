"""The bricks of a network beside its convolutions: the four ways to join a skip connection, and channel attention.

:func:`squeeze_excitation` reads the statistics of the whole frame, so a tile of a fabric is reconstructed differently
from the same cloth inside a longer strip; networks leave it out unless it is asked for.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

SKIPS = ("none", "add", "concat", "gated")


def check_skip(kind: str) -> None:
    """Refuse an unknown kind of skip connection.

    Args:
        kind: name of a skip connection.

    Raises:
        ValueError: if it is none of ``SKIPS``; the error lists them.
    """
    if kind not in SKIPS:
        raise ValueError(f"skip must be one of {', '.join(SKIPS)}, got {kind!r}")


class Join(nn.Module):
    """Bring the encoder's features of one level into the decoder.

    * ``none``: leave them out; all that the decoder knows has gone through the bottleneck;
    * ``add``: decoder + encoder;
    * ``concat``: a 1 × 1 convolution mixes both;
    * ``gated``: decoder + g · encoder, with one learned gate g in (0, 1) a channel.

    Args:
        channels: channels of both inputs and of the output.
        kind: one of ``SKIPS``.

    Raises:
        ValueError: if the kind is unknown.

    Source:
        ``add``: He et al., Deep residual learning for image recognition, CVPR 2016, between encoder and decoder as in
        Mao et al., Image restoration using very deep convolutional encoder-decoder networks with symmetric skip
        connections, NeurIPS 2016. ``concat``: Ronneberger et al., U-Net, MICCAI 2015. ``gated`` is the plainest
        relative of Oktay et al., Attention U-Net, MIDL 2018, whose gates depend on the image and the place; ours are
        one number a channel, so that they can be read off.
    """

    def __init__(self, channels: int, kind: str):
        super().__init__()
        check_skip(kind)
        self.kind = kind
        if kind == "concat":
            self.mix = nn.Conv2d(2 * channels, channels, 1)
        if kind == "gated":
            # sigmoid(0) = 0.5: half open at the start, so that gradients can open or close it
            self.gate = nn.Parameter(torch.zeros(channels))

    def forward(self, decoded: Tensor, encoded: Tensor) -> Tensor:  # both (B, C, H, W)
        """Join two feature maps of equal shape (B, C, H, W)."""
        if self.kind == "none":
            return decoded
        if self.kind == "add":
            return decoded + encoded
        if self.kind == "concat":
            return self.mix(torch.cat([decoded, encoded], dim=1))
        return decoded + torch.sigmoid(self.gate)[:, None, None] * encoded


def squeeze_excitation(channels: int, reduction: int = 4) -> nn.Module:
    """Weigh each channel by what the whole frame shows: torchvision's block, with at least one hidden channel.

    Squeeze: the mean of each channel over the frame, (B, C). Excite: two 1 × 1 convolutions with a ReLU between them
    turn those means into one weight in (0, 1) a channel, σ(W₂ ReLU(W₁ mean)), which multiplies it.

    The mean reads every pixel, so a tile, whose mean is another, comes out differently from the same cloth inside the
    whole frame, and a network trained on crops meets other means when it sees frames.

    Args:
        channels: positive integer, the channels of input and output.
        reduction: positive integer, how many times fewer the hidden channels are. The paper takes 16 for hundreds of
            channels; a bottleneck has tens.

    Returns:
        A module that maps (B, channels, H, W) to the same shape.

    Source:
        Hu, Shen and Sun: Squeeze-and-excitation networks, CVPR 2018.

    Example:
        >>> squeeze_excitation(8)(torch.rand(2, 8, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """
    from torchvision.ops import SqueezeExcitation  # slow to import: only who builds one pays

    return SqueezeExcitation(channels, max(1, channels // reduction))


def upgrade_squeeze_excitation(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a network as they are named now, from those of a network that version 0.1.0 saved.

    There squeeze-and-excitation was a sequence ``weigh``; its two convolutions are ``fc1`` and ``fc2`` now. Whatever
    else a network holds, and a state with today's names, stays as it is.

    Args:
        state: name of a weight → its tensor, as of ``state_dict``.

    Example:
        >>> list(upgrade_squeeze_excitation({"excite.weigh.1.bias": torch.zeros(1), "head.1.bias": torch.zeros(1)}))
        ['excite.fc1.bias', 'head.1.bias']
    """
    layers = {"1": "fc1", "3": "fc2"}
    return {re.sub(r"\bweigh\.([13])\.", lambda match: f"{layers[match[1]]}.", name): v for name, v in state.items()}


def count_parameters(holder: object) -> int:
    """How many parameters a network has, or all networks that a detector holds: trained or frozen, each counted once.

    Frozen ones count because they have to be stored, loaded and run as well: a PatchCore has a backbone of thousands
    of parameters and trains none.

    Args:
        holder: a ``torch.nn.Module``, or an object such as a fitted detector with modules among its attributes.

    Returns:
        A count of numbers, 0 where there is no network (a detector before its ``fit``).

    Example:
        >>> count_parameters(nn.Linear(2, 3)), count_parameters(nn.Linear(2, 3).requires_grad_(False))
        (9, 9)
    """
    networks = [holder] if isinstance(holder, nn.Module) else vars(holder).values()
    parameters = {
        id(parameter): parameter.numel()
        for network in networks
        if isinstance(network, nn.Module)
        for parameter in network.parameters()
    }
    return sum(parameters.values())
