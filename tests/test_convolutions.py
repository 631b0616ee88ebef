"""Convolutions that are computed another way are the ones that torch computes, and every network keeps one layout."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from adkit.models.autoencoder import Autoencoder
from adkit.models.backbones import Backbone
from adkit.models.convolutions import (
    ConvBlock,
    DoublingConv,
    Up,
    UpConv,
    channels_last,
    conv_block,
    doubling_conv,
    upsampling_kernel,
)
from adkit.models.draem import DRAEM
from adkit.models.efficientnet_lite import InvertedResidual, SameConv2d
from adkit.models.vae_variants import VARIANTS, build_vae
from tests.bench.bench_networks import NETWORKS, plain_torch


def random(*shape) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape))) - 0.5


def worn(module: nn.Module) -> nn.Module:
    """A module whose BatchNorms have seen something: statistics, factors and offsets are not those of the start."""
    torch.manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var):
                values.uniform_(0.5, 2.0)
    return module


def in_a_row(layers: nn.Module, x: torch.Tensor) -> torch.Tensor:
    for layer in layers:
        x = layer(x)
    return x


@pytest.mark.parametrize("outputs", [1, 3, 4, 5, 16])
@pytest.mark.parametrize("biased", [True, False])
def test_doubling_is_torch_s_transposed_convolution(outputs, biased):
    x, weight = random(2, 3, 5, 7).requires_grad_(), random(3, outputs, 4, 4).requires_grad_()
    bias = random(outputs) if biased else None
    expected = F.conv_transpose2d(x, weight, bias, stride=2, padding=1)
    result = doubling_conv(x, weight, bias)
    torch.testing.assert_close(result, expected)
    along = random(*expected.shape)
    for ours, theirs in zip(
        torch.autograd.grad(result, (x, weight), along), torch.autograd.grad(expected, (x, weight), along), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("outputs", [1, 8])
def test_upsampling_and_a_convolution_are_one_doubling(outputs):
    x, weight, bias = random(2, 6, 5, 3), random(outputs, 6, 3, 3), random(outputs)
    expected = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, bias, padding=1)
    torch.testing.assert_close(doubling_conv(x, upsampling_kernel(weight), bias), expected)
    head = UpConv(6, outputs)
    torch.testing.assert_close(head(x), in_a_row(head, x))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "block",
    [
        lambda: conv_block(3, 6, kernel=4, stride=2),
        lambda: conv_block(3, 6, kernel=1),
        lambda: ConvBlock(DoublingConv(3, 6, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 2, 1)),
    ],
    ids=["down", "cell", "up and one more layer"],
)
def test_a_block_is_its_layers_one_after_the_other(block, training):
    block, x = worn(block()).train(training), random(4, 3, 8, 6)
    expected = in_a_row(block, x)
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("training", [True, False])
def test_up_is_upsampling_and_its_block(training):
    up, x = worn(Up(6, 3)).train(training), random(2, 6, 4, 5)
    torch.testing.assert_close(up(x), in_a_row(up.block, F.interpolate(x, scale_factor=2, mode="nearest")))


@pytest.mark.parametrize("kernel, stride", [(1, 1), (3, 1), (5, 1), (3, 2), (5, 2)])
@pytest.mark.parametrize("size", [(8, 8), (9, 12), (7, 5)])
def test_same_padding_is_where_tensorflow_puts_it(kernel, stride, size):
    convolution, x = SameConv2d(4, 4, kernel, stride, groups=4), random(1, 4, *size)
    missing = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in size]
    (top, bottom), (left, right) = ((zeros // 2, zeros - zeros // 2) for zeros in missing)
    padded = F.pad(x, (left, right, top, bottom))
    torch.testing.assert_close(convolution(x), F.conv2d(padded, convolution.weight, stride=stride, groups=4))


@pytest.mark.parametrize("training", [True, False])
def test_an_inverted_residual_is_its_layers_one_after_the_other(training):
    block, x = worn(InvertedResidual(4, 4, 3, 1, 6)).train(training), random(2, 4, 6, 5)
    y = F.relu6(block.bn0(block.expand_conv(x)))
    y = F.relu6(block.bn1(block.depthwise_conv(y)))
    torch.testing.assert_close(block(x), x + block.bn2(block.project_conv(y)))


def test_a_layer_inside_of_a_block_can_be_a_backbone_s():
    torch.manual_seed(0)
    whole, inner = Backbone(weights=None, layers=["blocks.0"]), Backbone(weights=None, layers=["blocks.0.bn2"])
    inner.load_state_dict(worn(whole).state_dict(), strict=False)
    images = random(1, 3, 32, 32) + 0.5
    torch.testing.assert_close(inner(images)[0], whole(images)[0])  # the first block adds nothing to what its bn2 gives


@pytest.mark.parametrize("channels", [1, 3])
def test_the_layout_changes_and_the_values_do_not(channels):
    images = random(2, channels, 6, 8)
    for given in (images, images[..., 1:, :-1], images.contiguous(memory_format=torch.channels_last)):
        moved = channels_last(given)
        assert torch.equal(moved, given)
        assert (moved.stride()[1], moved.stride()[3]) == (1, channels)
        assert F.conv2d(moved, random(4, channels, 3, 3)).is_contiguous(memory_format=torch.channels_last)
    assert channels_last(images.to("meta")).shape == images.shape


def vaes():
    return [build_vae(name, image_size=(32, 32), channels=1, latent_dim=8, widths=(8, 8, 16)) for name in VARIANTS]


@pytest.mark.parametrize("training", [True, False])
def test_every_network_keeps_the_fast_layout_between_its_convolutions(training):
    """One layer that falls back makes all that follow slow, and nothing else would tell."""
    networks = [*(Autoencoder(width=4, depth=3, skip=skip) for skip in ("none", "add", "concat", "gated"))]
    networks += [DRAEM(1, 4, 2, 4, 2, 2), *vaes()]
    for network in networks:
        seen = []

        def listen(module, inputs, result, seen=seen):
            seen.append(result.is_contiguous(memory_format=torch.channels_last))

        for module in network.modules():
            if isinstance(module, (ConvBlock, Up)):
                module.register_forward_hook(listen)
        network.train(training)(random(2, 1, 32, 32) + 0.5)
        assert set(seen) == {True}, type(network).__name__


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_and_its_gradients_are_those_of_torch_s_own_layers(name, training):
    """In float64, so that little but rounding can hide behind the tolerance; a VAE's codes are float32 by design."""
    build, result = NETWORKS[name]
    dtype, tolerance = (torch.float32, 1e-4) if name == "VAE" else (torch.float64, 1e-9)
    network, images = worn(build()).to(dtype).eval(), (random(2, 1, 32, 32) + 0.5).to(dtype)
    start = copy.deepcopy(network.state_dict())

    def run() -> list[torch.Tensor]:
        network.load_state_dict(start)
        for layer in network.modules():  # noise of the VAE is drawn in training mode: its own mode stays
            if isinstance(layer, (nn.Sequential, nn.BatchNorm2d, Up)):
                layer.training = training
        output = result(network(images))
        gradients = torch.autograd.grad((output**2).sum(), list(network.parameters()), allow_unused=True)
        return [output, *(g for g in gradients if g is not None), *network.buffers()]

    with plain_torch():
        expected = [value.clone() for value in run()]
    for ours, theirs in zip(run(), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance * max(1.0, float(theirs.detach().abs().max())))
