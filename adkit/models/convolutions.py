"""Convolutions, down and up, and the ways in which they are computed faster: the layout in memory, and fewer products.

The networks are what they would be with torch's own layers one after the other, and their weights have the same names;
only the rounding differs.

BatchNorm, never instance or group norm: those read the statistics of the whole frame, so a tile of a fabric would be
reconstructed differently from the same cloth inside a longer strip.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# output channels up to which a transposed convolution is slower than four ordinary ones
FEW = 4


def channels_last(images: Tensor) -> Tensor:
    """The same images, with the channels of a pixel side by side in memory: convolutions run faster on that layout.

    Every network here calls it where its images come in, and the layout stays to the end. Weights keep the layout that
    they are saved in, so that a network from disk computes the same bits.

    Args:
        images: (B, C, H, W), of any layout.

    Returns:
        (B, C, H, W), the same values. On Apple's GPU, and while a network is being exported, the images themselves.
    """
    if images.device.type not in ("cpu", "cuda", "meta") or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return images
    if images.shape[1] > 1:
        return images.contiguous(memory_format=torch.channels_last)
    # one channel is stored alike in both layouts, and torch takes it for the other one unless the strides say so
    height, width = images.shape[-2:]
    return images.contiguous().as_strided(images.shape, (height * width, 1, width, 1))


class ConvBlock(nn.Sequential):
    """Convolution, or :class:`DoublingConv`, without bias → BatchNorm → whatever follows.

    In evaluation mode the BatchNorm is one factor and one number to add a channel, which go into the weights: one pass
    through memory less.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) as the layers do one after the other."""
        convolution, norm, *rest = self
        if self.training:
            x = norm(convolution(x))
        elif isinstance(convolution, DoublingConv):
            x = doubling_conv(x, *folded(convolution.weight, norm, dim=1))
        else:
            weight, bias = folded(convolution.weight, norm)
            x = F.conv2d(x, weight, bias, convolution.stride, convolution.padding)
        for layer in rest:
            x = layer(x)
        return x


def folded(weight: Tensor, norm: nn.BatchNorm2d, dim: int = 0) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that does what one without bias and a BatchNorm in evaluation mode do together.

    Args:
        weight: of the convolution, four-dimensional.
        norm: what follows it.
        dim: of the output channels in the weight: 0, or 1 where the convolution is a transposed one.
    """
    factor = norm.weight * (norm.running_var + norm.eps).rsqrt()
    shape = [-1 if axis == dim else 1 for axis in range(4)]
    return weight * factor.view(shape), norm.bias - norm.running_mean * factor


def doubling_conv(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A transposed convolution that doubles the sides: kernel 4, stride 2, padding 1.

    To few channels it is computed by another route that gives the same numbers up to rounding: each of the four pixels
    of a cell is an ordinary convolution of the cells around it. Processors compute eight or sixteen channels at once;
    for a single one most of that work is wasted.

    Args:
        x: (B, C, H, W).
        weight: (C, C', 4, 4).
        bias: (C',), or None.

    Returns:
        (B, C', 2H, 2W)

    Source:
        Shi et al.: Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
        network, CVPR 2016.

    Example:
        >>> x, weight = torch.rand(1, 2, 5, 7), torch.rand(2, 1, 4, 4)
        >>> torch.allclose(doubling_conv(x, weight), F.conv_transpose2d(x, weight, stride=2, padding=1), atol=1e-5)
        True
    """
    inputs, outputs = weight.shape[:2]
    if outputs > FEW:
        return F.conv_transpose2d(x, weight, bias, stride=2, padding=1)
    # row 4 is zero; of the cells before, at and after its own, the upper pixel sees two, and so does the lower one
    taps = torch.tensor([[3, 1, 4], [4, 2, 0]], device=weight.device)
    kernels = F.pad(weight, (0, 1, 0, 1))[..., taps[:, None, :, None], taps[:, None, :]]  # (C, C', 2, 2, 3, 3)
    kernels = kernels.permute(1, 2, 3, 0, 4, 5).reshape(4 * outputs, inputs, 3, 3)
    return F.pixel_shuffle(F.conv2d(x, kernels, None if bias is None else bias.repeat_interleave(4), padding=1), 2)


class DoublingConv(nn.ConvTranspose2d):
    """Double the sides by a transposed convolution, see :func:`doubling_conv`.

    Args:
        inputs: channels of what comes in.
        outputs: channels of what goes out.
        bias: add a learned number to each channel of the result.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True):
        super().__init__(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C', 2H, 2W)
        """Map (B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        return doubling_conv(x, self.weight, self.bias)


def conv_block(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> ConvBlock:
    """Convolution → BatchNorm → LeakyReLU, from (B, inputs, H, W) to (B, outputs, H / stride, W / stride).

    Args:
        inputs: channels of what comes in.
        outputs: channels of what goes out.
        kernel: side of the kernel, in pixels.
        stride: pixels from one cell to the next; 2, with a kernel of 4, halves the sides.
    """
    return ConvBlock(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


def upsampling_kernel(weight: Tensor) -> Tensor:
    """The kernel of :func:`doubling_conv` that does what nearest-neighbour upsampling and a convolution do together.

    Behind the upsampling several weights of the kernel fall on one cell, so that their sums are enough: 4 instead of 9
    products a pixel, and nothing is upsampled in memory. The numbers are the same, up to rounding.

    Args:
        weight: (C', C, 3, 3) of the convolution, around whose input lie zeros.

    Returns:
        (C, C', 4, 4)

    Example:
        >>> x, weight = torch.rand(1, 2, 5, 7), torch.rand(3, 2, 3, 3)
        >>> plain = F.conv2d(F.interpolate(x, scale_factor=2), weight, padding=1)
        >>> torch.allclose(doubling_conv(x, upsampling_kernel(weight)), plain, atol=1e-5)
        True
    """
    padded = F.pad(weight, (1, 1, 1, 1))
    rows = padded[..., :-1, :] + padded[..., 1:, :]
    return (rows[..., :-1] + rows[..., 1:]).flip(-1, -2).transpose(0, 1)


class UpConv(nn.Sequential):
    """Double the sides by nearest-neighbour upsampling and convolve with a 3 × 3 kernel.

    Args:
        inputs: channels of what comes in.
        outputs: channels of what goes out.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C', 2H, 2W)
        """Map (B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        return doubling_conv(x, upsampling_kernel(self[1].weight), self[1].bias)


class Up(nn.Module):
    """Double the sides: nearest-neighbour upsampling, then a convolution, which leaves no checkerboard.

    Args:
        inputs: channels of what comes in.
        outputs: channels of what goes out.

    Source:
        Odena et al.: Deconvolution and checkerboard artifacts, Distill 2016.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.block = conv_block(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C', 2H, 2W)
        """Map (B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        convolution, norm, activation = self.block
        if self.training:
            return activation(norm(doubling_conv(x, upsampling_kernel(convolution.weight))))
        weight, bias = folded(convolution.weight, norm)
        return activation(doubling_conv(x, upsampling_kernel(weight), bias))
