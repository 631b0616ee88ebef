"""Detection by a learned segmentation: which differences between image and reconstruction are defects, DRAEM says."""

from collections.abc import Mapping
from numbers import Real

import torch
from torch import Tensor
from torch.nn.functional import softplus

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.defects import Perlin, SyntheticDefects, build_defects
from adkit.defects.texture_bank import Textures, load_textures
from adkit.detectors.network import NetworkDetector, synthetic_ap_criterion
from adkit.losses import build_loss, focal_loss
from adkit.models.draem import DRAEM
from adkit.runtime import resolve_precision, seed_everything

PAPER = {"defect_types": ["perlin"], "size": (1 / 64, 0.5)}  # lattices from a 32nd of the crop's side to all of it


class DRAEMDetector(NetworkDetector):
    """DRAEM (Zavrtanik et al., ICCV 2021), trained on synthetic defects alone.

    The anomaly map is ``softplus(logit) = -log(1 - p)``, p being the probability of a defect: it ranks pixels as p
    does, is never negative, and goes on growing where p has been rounded to 1. Smoothed by a Gaussian (the paper: by
    the mean of 21 x 21 pixels, whose standard deviation is 6), its maximum is the image score.

    Args:
        width, depth, segment_width, segment_depth, stride: of the networks, see :class:`adkit.models.draem.DRAEM`.
        loss: of the reconstruction, see :func:`adkit.losses.build_loss`.
        focal, gamma: weight and exponent of the segmentation's loss, see :func:`adkit.losses.focal_loss`.
        defects: ``perlin``: as in the paper, Perlin noise of every scale; or other synthetic defects, see
            :func:`adkit.defects.build_defects`. Half of the crops stay clean, unless a dict has another ``clean``.
        texture: where the ``perlin`` kind takes its foreign texture from: ``skimage``, ``textile``, ``batch`` or a
            folder, see :func:`adkit.defects.texture_bank.load_textures`.
        opacity: range of the weight of that texture.
        smoothing: standard deviation, in pixels, of the Gaussian that smooths the map.
        percentile: of the validation normals' image scores, the image threshold.
        pixel_percentile: of the validation normals' pixels, the threshold of the mask.
        steps, batch_size, crop, learning_rate, flips, augment, validate_every, seed, device, precision: of
            :class:`adkit.training.Training`. The weights that are kept are those of the best pixel average precision
            on held-out normal crops, each with a synthetic defect.
        quiet: show no progress.

    The defaults were chosen on validation normals, by drawn defects of kinds that the training did not see, mostly
    with one seed: differences as large as between seeds decided nothing. Cells of 2 x 2 pixels cost a quarter of full
    resolution and found no less; Perlin blotches among other kinds of defects found no more than Perlin blotches alone.
    Opacities from 0.1 on found less than those from 0.5 on, on three fabrics (on two of them with two seeds): a small
    network that is trained for minutes learns little from texture that can hardly be seen.
    The paper's setting, for a GPU: ``width=128, depth=4, segment_width=64, segment_depth=5, stride=1, crop=256,
    batch_size=8, learning_rate=1e-4, opacity=(0.2, 1.0)`` and a folder with the Describable Textures.

    Raises:
        ValueError: if a setting is unknown to the part it belongs to, or out of its range; a missing folder of
            textures, when ``fit`` looks for it.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = DRAEMDetector(width=4, segment_width=4, steps=5, crop=32, quiet=True)
        >>> detector.fit(splits.train, splits.validation).anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 64, 64])
    """

    def __init__(
        self,
        *,
        width: int = 16,
        depth: int = 3,
        segment_width: int = 16,
        segment_depth: int = 3,
        stride: int = 2,
        loss: str | dict = "mse + ssim",
        focal: float = 1.0,
        gamma: float = 2.0,
        defects: str | list | dict = "perlin",
        texture: str = "skimage",
        opacity: tuple[float, float] = (0.5, 1.0),
        smoothing: float = 4.0,
        percentile: float = 95.0,
        pixel_percentile: float = 99.5,
        steps: int = 600,
        batch_size: int = 16,
        crop: int = 64,
        learning_rate: float = 3e-3,
        flips: bool = True,
        augment: bool = False,
        validate_every: int = 100,
        seed: int = 0,
        device: str = "auto",
        precision: str = "auto",
        quiet: bool = False,
    ):
        super().__init__(locals())
        self._rehearse()

    def _rehearse(self) -> None:
        """Refuse a misspelt setting now, not after the training that it would spoil."""
        build_loss(self.settings["loss"])
        resolve_precision(self.settings["precision"], self.device)
        self._rehearse_build()
        self._synthetic(None)
        blank = torch.zeros(1, 8, 8)
        focal_loss(blank, blank > 0, self.settings["gamma"])
        if not (isinstance(self.settings["focal"], Real) and 0 < self.settings["focal"] < float("inf")):
            raise ValueError(f"focal must be a positive weight, got {self.settings['focal']!r}")
        scoring.gaussian_smooth(blank, self.settings["smoothing"])

    def _build(self) -> DRAEM:
        architecture = {
            name: self.settings[name] for name in ("width", "depth", "segment_width", "segment_depth", "stride")
        }
        return DRAEM(self.preprocessing.channels, **architecture)

    def _synthetic(self, textures: Textures | None) -> SyntheticDefects:
        """The mixture of the settings, with the textures in its Perlin kind."""
        spec = self.settings["defects"]
        if not spec:
            raise ValueError(f"DRAEM learns from synthetic defects, and defects is {spec!r}; 'perlin' is the paper's")
        chosen = spec if isinstance(spec, Mapping) else PAPER if spec == "perlin" else {"defect_types": spec}
        arguments = {"clean": 0.5, **chosen}
        perlin = Perlin(self.settings["opacity"], texture=textures)
        return build_defects(arguments, instances={"perlin": perlin})

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        seed_everything(self.training.seed)
        self.model = self._build().to(self.device)
        bank = load_textures(self.settings["texture"], self.preprocessing.channels)
        textures = None if bank is None else Textures(bank.to(self.device))
        defects = self._synthetic(textures)
        loss = build_loss(self.settings["loss"]).to(self.device)

        def objective(model, batch):
            seen, masks, _ = defects(batch.images, batch.foreground, batch.generator())
            reconstructed, logits = model(seen)
            segmentation = focal_loss(logits, masks, self.settings["gamma"])
            total = loss(reconstructed, batch.images) + self.settings["focal"] * segmentation
            return {"loss": total, **loss.components, "focal": segmentation}

        criterion = synthetic_ap_criterion(defects, lambda model, seen: self._smoothed(model(seen)[1]))
        self._train(train, validation, objective, criterion, label="draem")

    def _reconstruct(self, images: Tensor) -> Tensor:
        return self.model(images)[0]

    def _anomaly_map(self, images: Tensor) -> Tensor:
        return self._smoothed(self.model(images)[1])

    def _smoothed(self, logits: Tensor) -> Tensor:
        return scoring.gaussian_smooth(softplus(logits.float()), self.settings["smoothing"])
