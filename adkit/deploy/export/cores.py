"""The part of a detector that becomes a graph: its network, without padding, cutting, smoothing and thresholds.

All of these depend on the size of an image in ways that a graph fixes when it is made.
"""

import copy

import torch
from torch import Tensor, nn

from adkit.deploy.export.onnx_judge import RESIDUALS, SCORES, Core
from adkit.detectors.autoencoder import AutoencoderDetector
from adkit.detectors.base import Detector
from adkit.detectors.draem import DRAEMDetector
from adkit.detectors.vae import VAEDetector
from adkit.models.autoencoder import Autoencoder
from adkit.models.convolutions import ConvBlock, DoublingConv, Up, UpConv, folded, upsampling_kernel
from adkit.models.draem import DRAEM


class NotExportable(ValueError):
    """A detector that has no graph; the message says why, and what to do."""


class AutoencoderCore(nn.Module):
    """Reconstruct images (B, C, H, W) whose sides divide by 2**depth."""

    def __init__(self, model: Autoencoder):
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        levels = self.model.features(images)
        return self.model.decode([*levels, self.model.squeeze(levels[-1])])


class VAECore(nn.Module):
    """Reconstruct windows (B, C, side, side) from the mean of their code."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, side, side) to (B, C, side, side)."""
        return self.model.decode(self.model.encode(images)[0])


class DRAEMCore(nn.Module):
    """The logit of a defect, (B, 1, H, W), of images whose sides divide by what the depth and the stride need."""

    def __init__(self, model: DRAEM):
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 1, H, W)."""
        reconstructed = self.model.reconstructor(images).sigmoid()
        return self.model.segmenter(torch.cat([images, reconstructed], dim=1))


def core_of(detector: Detector) -> tuple[nn.Module, Core]:
    """The network that becomes a graph, in evaluation mode on the CPU, and what stands around it.

    Args:
        detector: fitted.

    Raises:
        NotExportable: if there is none; it says why.
    """
    settings = detector.settings
    if type(detector) not in (AutoencoderDetector, VAEDetector, DRAEMDetector):
        raise NotExportable(
            f"{type(detector).__name__} cannot be exported: only networks can, and not what they are compared with "
            "(a memory, a distribution, filters of the image); serve it with torch, or export an AutoencoderDetector, "
            "a VAEDetector or a DRAEMDetector"
        )
    smoothing, score = float(settings.smoothing), getattr(settings, "score", "max")
    _require(score in SCORES, "score", score, f"one of {', '.join(SCORES)}")
    _require(not settings.border, "border", settings.border, "0")
    _require(not settings.surroundings, "surroundings", settings.surroundings, "0")
    if isinstance(detector, DRAEMDetector):
        multiple = detector.model.stride * 2 ** max(detector.model.depths)
        return _ready(DRAEMCore(detector.model)), Core("logits", multiple, smoothing=smoothing, score=score)
    _require(settings.residual in RESIDUALS, "residual", settings.residual, f"one of {', '.join(RESIDUALS)}")
    around = {"residual": settings.residual, "smoothing": smoothing, "score": score}
    if isinstance(detector, AutoencoderDetector):
        return _ready(AutoencoderCore(detector.model)), Core("reconstruction", 2**settings.depth, **around)
    _require(settings.score_by == "reconstruction", "score_by", settings.score_by, "reconstruction")
    _require(settings.samples == 0, "samples", settings.samples, "0")
    _require(settings.variant == "plain", "variant", settings.variant, "plain")
    overlap = settings.crop // 4 if settings.overlap is None else settings.overlap
    return _ready(VAECore(detector.model)), Core("reconstruction", 1, window=settings.crop, overlap=overlap, **around)


def plain(module: nn.Module) -> nn.Module:
    """A copy in which every convolution has its final weights: BatchNorm folded in, upsampling made a kernel.

    Args:
        module: in evaluation mode.
    """
    return _plain(copy.deepcopy(module).requires_grad_(False))


def _plain(module: nn.Module) -> nn.Module:
    if isinstance(module, ConvBlock):
        convolution, norm, *rest = module
        doubles = isinstance(convolution, DoublingConv)
        weight, bias = folded(convolution.weight, norm, dim=1 if doubles else 0)
        return nn.Sequential(_doubling(weight, bias) if doubles else _convolution(convolution, weight, bias), *rest)
    if isinstance(module, Up):
        convolution, norm, activation = module.block
        weight, bias = folded(convolution.weight, norm)
        return nn.Sequential(_doubling(upsampling_kernel(weight), bias), activation)
    if isinstance(module, UpConv):
        return _doubling(upsampling_kernel(module[1].weight), module[1].bias)
    if isinstance(module, DoublingConv):
        return _doubling(module.weight, module.bias)
    for name, child in module.named_children():
        setattr(module, name, _plain(child))
    return module


def _doubling(weight: Tensor, bias: Tensor | None) -> nn.ConvTranspose2d:
    inputs, outputs = weight.shape[:2]
    made = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias is not None)
    return _filled(made, weight, bias)


def _convolution(like: nn.Conv2d, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    made = nn.Conv2d(like.in_channels, like.out_channels, like.kernel_size, like.stride, like.padding)
    return _filled(made, weight, bias)


def _filled(made: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    made.requires_grad_(False)
    made.weight.copy_(weight)
    if bias is not None:
        made.bias.copy_(bias)
    return made


def example(core: Core, channels: int) -> Tensor:
    """An input that the graph is traced with: two of each, so that no axis is taken for one that is always 1."""
    if core.window:
        return torch.rand(2, channels, core.window, core.window)
    return torch.rand(2, channels, 2 * core.multiple, 3 * core.multiple)


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise NotExportable(f"a detector with {name}={value!r} cannot be exported; {name} must be {wanted}")


def _ready(module: nn.Module) -> nn.Module:
    return plain(module.eval()).cpu()
