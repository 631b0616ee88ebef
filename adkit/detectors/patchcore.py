"""PatchCore: remember what normal patches look like, and call anomalous what resembles none of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.autoencoder import AutoencoderDetector
from adkit.detectors.base import Detector
from adkit.detectors.network import check_network
from adkit.detectors.settings import Settings, at_least_zero, count, whole
from adkit.models.backbones import Backbone, EncoderBackbone, check_backbone, patch_features
from adkit.models.drawing import draw_evenly
from adkit.models.memory import PatchMemory, coreset_size, greedy_coreset
from adkit.models.reference import centre_inside, image_centre
from adkit.runtime import generator, seed_everything
from adkit.runtime.console import say
from adkit.runtime.progress import progress

OWN = "own"
# 1/2 of the resolution: coarser ones found less on every fabric
OWN_LAYERS = (0,)
SCORES = ("reweighted", *scoring.SCORE_METHODS)
REFERENCES = ("train", "image")
# of the images that go through the backbone at a time
PIXELS = 2**20
# where max_patches is None, a coreset may keep any count
ANY_COUNT = 2**60


@dataclass(frozen=True, kw_only=True)
class PatchCoreSettings(Settings):
    """Settings of :class:`PatchCoreDetector`, beside those of every detector.

    The paper's (layers at 1/8 and 1/16, 3 × 3 neighbourhoods, smoothing by 4 pixels) are made for objects that fill a
    frame. Threads and their defects are a few pixels wide, and drown in cells of 16: the defaults are those that find
    synthetic defects on normal images of cloth and metal.

    Raises:
        ValueError: if a value is no literal, unknown to the part that it belongs to, or out of its range.
    """

    scores = SCORES

    # what describes a patch: efficientnet_lite0, a classifier of torchvision, or own, the encoder of an autoencoder
    # that is trained on the same images first, with no pretrained network at all
    backbone: str = "efficientnet_lite0"
    # of the backbone: names of its layers, or, for own, levels from 0, the finest; finest first. None: cells of 2 and
    # 8 pixels for efficientnet_lite0, of 2 for own, of 8 and 16 for the ResNets
    layers: Sequence[str] | Sequence[int] | None = None
    # name of the published weights, which are not saved with the detector: whoever loads it needs them, too. None:
    # random ones, which are saved. Nothing to own
    weights: str | None = "IMAGENET1K_V1"
    # for own: settings of AutoencoderDetector; its seed, device and progress are those of here unless given
    own: dict | None = None
    # side of the square of cells that is averaged into one patch, odd; the paper takes 3
    neighbourhood: int = 1
    # how many patches the memory keeps: a count, or a float in (0, 1], a fraction of those drawn; 1.0 keeps all
    coreset: int | float = 0.02
    # draw at most so many training patches, evenly at random, before the coreset is chosen: a bound on time and
    # memory, see adkit.models.drawing. None: take all
    max_patches: int | None = 50_000
    # dimensions in which the coreset measures distances; None: all
    projection: int | None = 128
    # patches of the memory around the nearest one that re-weight the image score, at least 2: b in the paper
    neighbours: int = 9
    # what a patch is compared with: train, the patches of the training images as they are; image, those patches, too,
    # but each, in training and in judging, as its difference from the median of its own image
    reference: str = "train"
    # as for every detector, or reweighted, the paper's image score, which looks at patches and not at the map
    score: str = "reweighted"
    # standard deviation of the Gaussian that smooths the map, in pixels; 0: none
    smoothing: float = 2.0

    def __post_init__(self):
        super().__post_init__()
        self.check_choice("reference", REFERENCES)
        if self.surroundings and self.score == "reweighted":
            raise ValueError(
                "score='reweighted' looks at patches, and surroundings change the map; take another score with "
                f"surroundings, such as one of {', '.join(scoring.SCORE_METHODS)}"
            )
        self.check("neighbourhood", lambda value: value in range(1, 100, 2), "an odd number of cells")
        self.check("max_patches", lambda value: value is None or count(value), "None or a positive integer")
        self.check("projection", lambda value: value is None or count(value), "None or at least 1 dimension")
        self.check("neighbours", whole, "a whole number of patches")
        self.check("neighbours", lambda value: value >= 2, "at least 2, as each patch is its own first")
        self.check("smoothing", at_least_zero, "0 or a positive number of pixels")
        coreset_size(self.coreset, self.max_patches or ANY_COUNT)
        self.check("own", lambda value: value is None or isinstance(value, dict), "None or a dict of settings")
        self.check("layers", lambda value: value is None or isinstance(value, list), "None or a list of layers")
        if self.own and self.backbone != OWN:
            raise ValueError(f"own belongs to backbone='own', and the backbone is {self.backbone!r}")
        if self.backbone == OWN:
            check_network(lambda: self.own_backbone(self.autoencoder().build_network()))
        else:
            check_backbone(self.backbone, self.layers, self.weights)

    def autoencoder(self) -> AutoencoderDetector:
        """The detector, not fitted, whose encoder becomes the backbone ``own``."""
        shared = {"seed": self.seed, "device": self.device, "quiet": self.quiet}
        return AutoencoderDetector(**shared | (self.own or {}))

    def own_backbone(self, network: torch.nn.Module) -> EncoderBackbone:
        """The chosen levels of an autoencoder's encoder."""
        return EncoderBackbone(network, self.layers or OWN_LAYERS)

    @property
    def needs_published_weights(self) -> bool:
        """Whether the backbone is not saved, because others have published it."""
        return self.backbone != OWN and self.weights is not None


class Patches(NamedTuple):
    """What the backbone and the memory say of a batch.

    Attributes:
        features: (B, D, h, w), one vector a cell.
        distances: (B, h, w) of each cell to the nearest patch in the memory.
    """

    features: Tensor
    distances: Tensor


class PatchCoreDetector(Detector):
    """Nearest-neighbour distances of patch features to a memory of normal patches.

    The memory is filled from the foreground of the training images, and only patches of the foreground score. A patch
    is a cell of the finest level, 2 pixels wide for the default.

    Args:
        settings: fields of :class:`PatchCoreSettings`, by name; what each is stands there.

    Attributes:
        memory: the :class:`adkit.models.memory.PatchMemory`: ``len(memory)`` patches, ``memory.n_bytes``.

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a value is unknown to the part that it belongs to, or out of its range.

    Source:
        Roth et al.: Towards total recall in industrial anomaly detection, CVPR 2022.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = PatchCoreDetector(weights=None, max_patches=500, coreset=0.1, quiet=True)
        >>> detector = detector.fit(splits.train, splits.validation)
        >>> detector.anomaly_map(splits.test[0]["image"][None]).shape, len(detector.memory), detector.memory.n_bytes
        (torch.Size([1, 64, 64]), 50, 11200)
    """

    settings_class = PatchCoreSettings
    without_training = (*Detector.without_training, "neighbours", "smoothing")

    def __init__(self, **settings):
        super().__init__(**settings)
        self.backbone: Backbone | EncoderBackbone | None = None
        self.memory: PatchMemory | None = None

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        settings = self.settings
        seed_everything(settings.seed)
        if settings.backbone == OWN:
            autoencoder = settings.autoencoder()
            autoencoder.checkpoint, autoencoder.quiet = self.checkpoint, autoencoder.quiet or self.quiet
            self.backbone = settings.own_backbone(autoencoder.learn(train, validation))
            self.history = autoencoder.history
        else:
            self.backbone = Backbone(settings.backbone, settings.layers, settings.weights).to(self.device)
        patches = self._training_patches(train)
        if coreset_size(settings.coreset, len(patches)) < len(patches):
            chosen = greedy_coreset(
                patches, settings.coreset, settings.projection, generator(settings.seed, 1),
                label=f"coreset of {len(patches)} patches", quiet=self.quiet,
            )  # fmt: skip
            patches = patches[chosen]
        self.memory = PatchMemory(patches)
        if not self.quiet:
            say(f"memory of {self.memory}")

    @torch.inference_mode()
    def _training_patches(self, train: AnomalyDataset) -> Tensor:
        """(N, D): foreground patches of normal images, at most ``max_patches``, drawn before the features."""
        drawn = draw_evenly(self._count_cells(train), self.settings.max_patches, self.settings.seed)
        images = [i for i in range(len(train)) if len(drawn[i])]
        patches = []
        for i in progress(images, "features", quiet=self.quiet):
            features = self._features(train[i]["image"][None].to(self.device))[0].permute(1, 2, 0)  # (h, w, D)
            cells = self._cells(train.foreground(i)[None])[0].to(self.device)
            shown = features[cells]
            if self.settings.reference == "image":
                shown = shown - image_centre(shown)
            patches.append(shown[drawn[i].to(self.device)])
        return torch.cat(patches)

    def _count_cells(self, train: AnomalyDataset) -> list[int]:
        """How many patches of each image are foreground; images that show nothing else are counted by their size."""
        full: dict[tuple[int, ...], int] = {}
        counts = []
        for i in range(len(train)):
            foreground = train.foreground(i)
            size = tuple(foreground.shape)
            if not foreground.all():
                counts.append(int(self._cells(foreground[None]).sum()))
                continue
            if size not in full:
                full[size] = int(self._cells(foreground[None]).sum())
            counts.append(full[size])
        return counts

    def _features(self, images: Tensor) -> Tensor:
        """(B, D, h, w), a few images at a time."""
        at_once = max(1, PIXELS // images[0, 0].numel())
        parts = images.split(at_once)
        return torch.cat([patch_features(self.backbone, part, self.settings.neighbourhood) for part in parts])

    def _cells(self, foreground: Tensor) -> Tensor:
        """Foreground (B, H, W) on the grid of the patches (B, h, w).

        A cell counts where half of it or more is foreground; in an image without such a cell, those with most of it.
        """
        cell, frame = min(self.backbone.strides), max(self.backbone.strides)
        height, width = foreground.shape[-2:]
        padded = F.pad(foreground.float(), (0, -width % frame, 0, -height % frame))
        share = F.avg_pool2d(padded, cell)
        most = share.amax(dim=(1, 2), keepdim=True)
        return (share > 0) & (share >= most.clamp(max=0.5))

    def _forward(self, images: Tensor, foreground: Tensor) -> Patches:
        """What backbone and memory say of images (B, C, H, W) and their foreground: map and score derive from it."""
        features = self._features(images)
        if self.settings.reference == "image":
            inside = self._cells(foreground)
            centres = [centre_inside(own, shown) for own, shown in zip(features, inside, strict=True)]
            features = features - torch.stack(centres)[..., None, None]
        queries = features.permute(0, 2, 3, 1)  # (B, h, w, D)
        return Patches(features, self.memory.nearest(queries.flatten(0, 2))[0].view(queries.shape[:3]))

    def _anomaly_map(self, images: Tensor) -> Tensor:
        everywhere = torch.ones_like(images[:, 0], dtype=torch.bool)
        return self._map_of(self._forward(images, everywhere), images)

    def _map_and_score(self, images: Tensor, foreground: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
        patches = self._forward(images, foreground)
        maps = self._map_of(patches, images) * foreground
        if self.settings.score == "reweighted":
            return maps, self._reweighted(patches, maps, scored)
        return maps, self._image_score(maps, images, scored)

    def _map_of(self, patches: Patches, images: Tensor) -> Tensor:
        """Distances to the memory as smoothed maps (B, H, W)."""
        cell, (height, width) = min(self.backbone.strides), images.shape[-2:]
        maps = F.interpolate(patches.distances[:, None], scale_factor=cell, mode="bilinear", align_corners=False)
        return scoring.gaussian_smooth(maps[:, 0, :height, :width], self.settings.smoothing)

    def _reweighted(self, patches: Patches, maps: Tensor, scored: Tensor) -> Tensor:
        """Scores (B,) of images by the worst of their patches in what is scored, bool (B, H, W)."""
        worst = patches.distances.masked_fill(~self._cells(scored), -torch.inf).flatten(1).argmax(dim=1)  # (B,)
        features = patches.features.flatten(2)[torch.arange(len(worst)), :, worst]  # (B, D)
        scores = self.memory.image_score(features, self.settings.neighbours)
        # an image without any foreground has a map of zeros, and scores 0
        return scores * maps.flatten(1).any(dim=1)

    @classmethod
    def from_saved(cls, description: dict, tensors: dict[str, Tensor], device: str = "auto") -> "PatchCoreDetector":
        """A detector from what ``save`` has written; see :meth:`adkit.detectors.base.Detector.from_saved`."""
        settings = description["settings"]
        if own := settings.get("own"):  # trained elsewhere, perhaps: it goes where the detector goes
            settings = settings | {"own": {name: value for name, value in own.items() if name != "device"}}
        return super().from_saved(description | {"settings": settings}, tensors, device)

    def _tensors(self) -> dict[str, Tensor]:
        own = {} if self.settings.needs_published_weights else self.backbone.state_dict()
        return {"memory": self.memory.bank} | {f"backbone.{name}": value for name, value in own.items()}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        settings = self.settings
        if settings.backbone == OWN:
            self.backbone = settings.own_backbone(settings.autoencoder().settings.network(self.preprocessing.channels))
        else:
            self.backbone = Backbone(settings.backbone, settings.layers, settings.weights)
        if not settings.needs_published_weights:
            prefix = "backbone."
            own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            self.backbone.load_state_dict(own)
        self.backbone.to(self.device)
        self.memory = PatchMemory(tensors["memory"].to(self.device))
