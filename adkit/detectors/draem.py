"""Detection by a learned segmentation: which differences between image and reconstruction are defects, DRAEM says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.defects import Perlin, SyntheticDefects, build_defects
from adkit.defects.texture_bank import Textures, load_textures
from adkit.detectors.network import NetworkDetector, TrainingSettings, check_network, synthetic_ap_criterion
from adkit.detectors.settings import above_zero, at_least_zero
from adkit.losses import build_loss, focal_loss
from adkit.models.draem import DRAEM
from adkit.runtime import seed_everything

# Perlin lattices from a 32nd of the crop's side to all of it
PAPER = {"defect_types": ["perlin"], "size": (1 / 64, 0.5)}


@dataclass(frozen=True, kw_only=True)
class DRAEMSettings(TrainingSettings):
    """Settings of :class:`DRAEMDetector`, beside those that all detectors which train a network share.

    The defaults were chosen on validation normals, by synthetic defects of kinds that the training did not see, mostly
    with one seed: differences as large as between seeds decided nothing. Cells of 2 x 2 pixels cost a quarter of full
    resolution and found no less; Perlin blotches among other kinds of defects found no more than Perlin blotches alone.
    Opacities from 0.1 on found less than those from 0.5 on, on three fabrics (on two of them with two seeds): a small
    network that is trained for minutes learns little from texture that can hardly be seen.

    Raises:
        ValueError: if a value is no literal, unknown to the part that it belongs to, or out of its range.
    """

    # channels of the reconstructor's finest features; each level down doubles them
    width: int = 16
    # number of times that the reconstructor halves the sides
    depth: int = 3
    # channels of the segmenter's finest features
    segment_width: int = 16
    # number of times that the segmenter halves the sides
    segment_depth: int = 3
    # side of a cell of the finest features of both, in pixels; the paper's is 1
    stride: int = 2
    # of the reconstruction, as adkit.losses.build_loss reads it
    loss: str | dict = "mse + ssim"
    # weight of the segmentation's focal loss beside that of the reconstruction
    focal: float = 1.0
    # exponent of the focal loss; 0: plain cross-entropy
    gamma: float = 2.0
    # synthetic defects: perlin, as in the paper, noise of every scale; or what adkit.defects.build_defects reads. Half
    # of the crops stay clean, unless a dict has another "clean"
    defects: str | Sequence[str] | dict = "perlin"
    # where the perlin kind takes its foreign texture from: skimage, textile, batch or a folder with images; a missing
    # folder is refused when fit looks for it
    texture: str = "skimage"
    # smallest and largest weight of that texture, in [0, 1]
    opacity: Sequence[float] = (0.5, 1.0)
    # standard deviation of the Gaussian that smooths the map, in pixels; 0: none
    smoothing: float = 4.0
    # optimiser steps in all
    steps: int = 600

    def __post_init__(self):
        super().__post_init__()
        build_loss(self.loss)
        self.check("focal", above_zero, "a positive weight")
        self.check("gamma", at_least_zero, "a number of at least 0")
        self.check("smoothing", at_least_zero, "0 or a positive number of pixels")
        self.check("texture", lambda value: isinstance(value, str), "skimage, textile, batch or a folder")
        self.mixture()
        check_network(self.network)

    def network(self, channels: int = 1) -> DRAEM:
        """Both networks of these settings, untrained, for images of 1 (grey) or 3 channels."""
        names = ("width", "depth", "segment_width", "segment_depth", "stride")
        return DRAEM(channels, **{name: getattr(self, name) for name in names})

    def mixture(self, textures: Textures | None = None) -> SyntheticDefects:
        """The synthetic defects of these settings.

        Args:
            textures: what the ``perlin`` kind takes its foreign texture from; None: from the batch.

        Raises:
            ValueError: if there are no defects, or they are unknown.
        """
        spec = self.defects
        if not spec:
            raise ValueError(f"DRAEM learns from synthetic defects, and defects is {spec!r}; 'perlin' is the paper's")
        chosen = spec if isinstance(spec, Mapping) else PAPER if spec == "perlin" else {"defect_types": spec}
        perlin = Perlin(self.opacity, texture=textures)
        return build_defects({"clean": 0.5, **chosen}, instances={"perlin": perlin})


class DRAEMDetector(NetworkDetector):
    """DRAEM, trained on synthetic defects alone.

    The anomaly map is ``softplus(logit) = -log(1 - p)``, p being the probability of a defect: it ranks pixels as p
    does, is never negative, and goes on growing where p has been rounded to 1. Smoothed by a Gaussian (the paper: by
    the mean of 21 x 21 pixels, whose standard deviation is 6), its maximum is the image score. The weights that are
    kept are those of the best pixel average precision on held-out normal crops, each with a synthetic defect.

    The paper's setting, for a GPU: ``width=128, depth=4, segment_width=64, segment_depth=5, stride=1, crop=256,
    batch_size=8, learning_rate=1e-4, opacity=(0.2, 1.0)`` and a folder with the Describable Textures.

    Args:
        settings: fields of :class:`DRAEMSettings`, by name; what each is stands there.

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a value is unknown to the part that it belongs to, or out of its range.

    Source:
        Zavrtanik et al.: DRÆM – A discriminatively trained reconstruction embedding for surface anomaly detection,
        ICCV 2021.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = DRAEMDetector(width=4, segment_width=4, steps=5, crop=32, quiet=True)
        >>> detector.fit(splits.train, splits.validation).anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 64, 64])
    """

    settings_class = DRAEMSettings
    without_training = (*NetworkDetector.without_training, "smoothing")

    def build_network(self) -> DRAEM:
        """The networks of the settings, untrained."""
        return self.settings.network(self.preprocessing.channels)

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        settings = self.settings
        seed_everything(settings.seed)
        self.model = self.build_network().to(self.device)
        bank = load_textures(settings.texture, self.preprocessing.channels)
        defects = settings.mixture(None if bank is None else Textures(bank.to(self.device)))
        loss = build_loss(settings.loss).to(self.device)

        def objective(model, batch):
            seen, masks, _ = defects(batch.images, batch.foreground, batch.generator())
            reconstructed, logits = model(seen)
            segmentation = focal_loss(logits, masks, settings.gamma)
            total = loss(reconstructed, batch.images) + settings.focal * segmentation
            return {"loss": total, **loss.components, "focal": segmentation}

        criterion = synthetic_ap_criterion(defects, lambda model, seen: self._smoothed(model(seen)[1]))
        self._train(train, validation, objective, criterion, label="draem")

    def _reconstruct(self, images: Tensor) -> Tensor:
        return self.model(images)[0]

    def _anomaly_map(self, images: Tensor) -> Tensor:
        return self._smoothed(self.model(images)[1])

    def _smoothed(self, logits: Tensor) -> Tensor:
        return scoring.gaussian_smooth(softplus(logits.float()), self.settings.smoothing)
