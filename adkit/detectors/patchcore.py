"""PatchCore: remember what normal patches look like, and call anomalous what resembles none of them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.autoencoder import AutoencoderDetector
from adkit.detectors.base import Detector
from adkit.models.backbones import Backbone, EncoderBackbone, check_backbone, patch_features
from adkit.models.memory import PatchMemory, coreset_size, greedy_coreset, reweighted_score
from adkit.runtime import generator, seed_everything
from adkit.runtime.progress import progress

OWN = "own"
OWN_LAYERS = [0]  # 1/2 of the resolution: coarser ones found less on every fabric
SCORES = ("reweighted", "max")
PIXELS = 2**20  # of the images that go through the backbone at a time


class PatchCoreDetector(Detector):
    """Nearest-neighbour distances of patch features to a memory of normal patches (Roth et al. 2022).

    The memory is filled from the foreground of the training images, and only patches of the foreground score. A patch
    is a cell of the finest level, 2 pixels wide for the default.

    The paper's settings (layers at 1/8 and 1/16, 3 × 3 neighbourhoods, smoothing by 4 pixels) are made for objects that
    fill a frame. Threads and their defects are a few pixels wide, and drown in cells of 16: the defaults are those that
    find synthetic defects on normal images of cloth and metal.

    Args:
        backbone: what describes a patch: ``efficientnet_lite0``, a classifier of torchvision, or ``own``, the encoder
            of an autoencoder that is trained on the same images first, with no pretrained network at all.
        layers: of the backbone, see :class:`adkit.models.backbones.Backbone`; for ``own``, levels from 0, the finest.
            None: cells of 2 and 8 pixels for ``efficientnet_lite0``, of 2 for ``own``, of 8 and 16 for the ResNets.
        weights: name of the published weights; None: random ones, which are then saved with the detector. The published
            ones are not saved: whoever loads the detector needs them, too. Nothing to ``own``.
        own: arguments of :class:`adkit.detectors.autoencoder.AutoencoderDetector` for ``own``; its seed, device and
            progress are this detector's unless given.
        neighbourhood: side of the square of cells that is averaged into one patch, odd; the paper takes 3.
        coreset: how many patches the memory keeps, by :func:`adkit.models.memory.greedy_coreset`: a count, or a float
            in (0, 1], a fraction of those drawn; 1.0 keeps all.
        max_patches: draw at most so many training patches, evenly at random, before the coreset is chosen: a bound on
            time and memory. None: take all.
        projection: dimensions in which the coreset measures distances; None: all.
        neighbours: b of the paper's re-weighting, at least 2.
        score: ``reweighted``, the paper's image score, or ``max``, the maximum of the smoothed map.
        smoothing: standard deviation, in pixels, of the Gaussian that smooths the map.
        percentile, pixel_percentile: of the validation normals, the two thresholds.
        seed: of the draws (and of random weights and of the own encoder).
        device: of backbone and memory.
        quiet: show no progress.

    Attributes:
        memory: the :class:`adkit.models.memory.PatchMemory`: ``len(memory)`` patches, ``memory.n_bytes``.

    Raises:
        ValueError: if a setting is unknown to the part it belongs to, or out of its range.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = PatchCoreDetector(weights=None, max_patches=500, coreset=0.1, quiet=True)
        >>> detector = detector.fit(splits.train, splits.validation)
        >>> detector.anomaly_map(splits.test[0]["image"][None]).shape, len(detector.memory), detector.memory.n_bytes
        (torch.Size([1, 64, 64]), 50, 11200)
    """

    def __init__(
        self,
        *,
        backbone: str = "efficientnet_lite0",
        layers: list[str] | list[int] | None = None,
        weights: str | None = "IMAGENET1K_V1",
        own: dict | None = None,
        neighbourhood: int = 1,
        coreset: int | float = 0.02,
        max_patches: int | None = 50_000,
        projection: int | None = 128,
        neighbours: int = 9,
        score: str = "reweighted",
        smoothing: float = 2.0,
        percentile: float = 95.0,
        pixel_percentile: float = 99.5,
        seed: int = 0,
        device: str = "auto",
        quiet: bool = False,
    ):
        super().__init__(locals())
        shared = {name: self.settings[name] for name in ("seed", "device", "quiet")}
        self.autoencoder = AutoencoderDetector(**(shared | (self.settings["own"] or {}))) if backbone == OWN else None
        self.backbone: Backbone | EncoderBackbone | None = None
        self.memory: PatchMemory | None = None
        self._found: tuple[Tensor, Tensor, Tensor] | None = None  # images, their features, their distances
        self._rehearse()

    def _rehearse(self) -> None:
        """Refuse a misspelt setting now, not after the features that it would spoil."""
        settings = self.settings
        if settings["neighbourhood"] not in range(1, 100, 2):
            raise ValueError(f"neighbourhood must be an odd number of cells, got {settings['neighbourhood']!r}")
        if settings["score"] not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, got {settings['score']!r}")
        limit = settings["max_patches"]
        if limit is not None and not (isinstance(limit, int) and limit > 0):
            raise ValueError(f"max_patches must be None or a positive integer, got {limit!r}")
        if settings["own"] and not self.autoencoder:
            raise ValueError(f"own belongs to backbone='own', and the backbone is {settings['backbone']!r}")
        scoring.gaussian_smooth(torch.zeros(1, 1, 1), settings["smoothing"])
        coreset_size(settings["coreset"], limit or 2**60)
        if not isinstance(settings["neighbours"], int):
            raise ValueError(f"neighbours must be a whole number of patches, got {settings['neighbours']!r}")
        greedy_coreset(torch.zeros(2, 1), 1, settings["projection"])
        reweighted_score(torch.zeros(1, 1), torch.zeros(2, 1), settings["neighbours"])
        if self.autoencoder:
            with torch.device("meta"):
                self._build_backbone()
        else:
            check_backbone(settings["backbone"], settings["layers"], settings["weights"])

    def _build_backbone(self, weights: str | None = None) -> Backbone | EncoderBackbone:
        """The backbone before its own weights, if it has any, are put in."""
        if not self.autoencoder:
            return Backbone(self.settings["backbone"], self.settings["layers"], weights)
        self.autoencoder.preprocessing = self.preprocessing
        return EncoderBackbone(self.autoencoder._build(), self.settings["layers"] or OWN_LAYERS)

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        seed_everything(self.settings["seed"])
        if self.autoencoder:
            self.autoencoder.preprocessing, self.autoencoder.checkpoint = self.preprocessing, self.checkpoint
            self.autoencoder.quiet = self.autoencoder.quiet or self.quiet
            self.autoencoder._fit(train, validation)
            self.history = self.autoencoder.history
            self.backbone = EncoderBackbone(self.autoencoder.model, self.settings["layers"] or OWN_LAYERS)
        else:
            self.backbone = self._build_backbone(self.settings["weights"]).to(self.device)
        patches = self._training_patches(train)
        if coreset_size(self.settings["coreset"], len(patches)) < len(patches):
            chosen = greedy_coreset(
                patches, self.settings["coreset"], self.settings["projection"], generator(self.settings["seed"], 1),
                label=f"coreset of {len(patches)} patches", quiet=self.quiet,
            )  # fmt: skip
            patches = patches[chosen]
        self.memory = PatchMemory(patches)
        if not self.quiet:
            print(f"memory of {self.memory}")

    @torch.inference_mode()
    def _training_patches(self, train: AnomalyDataset) -> Tensor:
        """(N, D): foreground patches of normal images, at most ``max_patches``, drawn before the features."""
        inside = [self._cells(train.foreground(i)[None])[0].to(self.device) for i in range(len(train))]
        counts = [int(cells.sum()) for cells in inside]
        order = torch.randperm(sum(counts), generator=generator(self.settings["seed"], 0))
        drawn = torch.zeros(len(order), dtype=torch.bool)
        drawn[order[: self.settings["max_patches"]]] = True
        found = []
        items = zip(range(len(train)), inside, drawn.to(self.device).split(counts), strict=True)
        for i, cells, mine in progress(items, "features", total=len(train), quiet=self.quiet):
            features = self._features(train[i]["image"][None].to(self.device))[0]  # (D, h, w)
            found.append(features[:, cells][:, mine].T)
        return torch.cat(found)

    def _features(self, images: Tensor) -> Tensor:
        """(B, D, h, w), a few images at a time."""
        at_once = max(1, PIXELS // images[0, 0].numel())
        parts = images.split(at_once)
        return torch.cat([patch_features(self.backbone, part, self.settings["neighbourhood"]) for part in parts])

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

    def _search(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, D, h, w) of images, and their distances (B, h, w) to the memory."""
        features = self._features(images)
        queries = features.permute(0, 2, 3, 1)  # (B, h, w, D)
        return features, self.memory.nearest(queries.flatten(0, 2))[0].view(queries.shape[:3])

    def _anomaly_map(self, images: Tensor) -> Tensor:
        features, distances = self._search(images)
        self._found = images, features, distances  # the score of this batch is asked for next
        cell, (height, width) = min(self.backbone.strides), images.shape[-2:]
        maps = F.interpolate(distances[:, None], scale_factor=cell, mode="bilinear", align_corners=False)
        return scoring.gaussian_smooth(maps[:, 0, :height, :width], self.settings["smoothing"])

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        if self.settings["score"] == "max":
            return super()._image_score(maps, images, foreground)
        found, self._found = self._found, None
        _, features, distances = found if found and found[0] is images else (images, *self._search(images))
        worst = distances.masked_fill(~self._cells(foreground), -torch.inf).flatten(1).argmax(dim=1)  # (B,)
        patches = features.flatten(2)[torch.arange(len(worst)), :, worst]  # (B, D)
        scores = self.memory.image_score(patches, self.settings["neighbours"])
        return scores * maps.flatten(1).any(dim=1)  # an image without any foreground has a map of zeros, and scores 0

    def _tensors(self) -> dict[str, Tensor]:
        own = {} if self._pretrained else self.backbone.state_dict()
        return {"memory": self.memory.bank} | {f"backbone.{name}": value for name, value in own.items()}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.backbone = self._build_backbone(self.settings["weights"] if self._pretrained else None)
        if not self._pretrained:
            prefix = "backbone."
            own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            self.backbone.load_state_dict(own)
        self.backbone.to(self.device)
        self.memory = PatchMemory(tensors["memory"].to(self.device))

    @property
    def _pretrained(self) -> bool:
        return not self.autoencoder and self.settings["weights"] is not None
