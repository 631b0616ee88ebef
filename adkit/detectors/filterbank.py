"""A classical baseline that trains nothing: Gabor energies, and a Mahalanobis distance to the rest of the image."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.preprocessing import batches
from adkit.detectors.settings import Settings, at_least_zero, count, number
from adkit.models.filter_bank import ORIENTATIONS, WAVELENGTHS, texture_features
from adkit.models.reference import REFERENCES, ReferenceModel, centre_inside, image_centre
from adkit.runtime import generator


@dataclass(frozen=True, kw_only=True)
class FilterBankSettings(Settings):
    """Settings of :class:`FilterBankDetector`, beside those of every detector.

    Raises:
        ValueError: if a value is no literal, or out of its range.
    """

    # what a place is compared with: train, the mean of the training images; image, the median of its own image; both
    reference: str = "image"
    # of the waves, in pixels, each above 2
    wavelengths: tuple[float, ...] = WAVELENGTHS
    # directions, evenly over half a turn
    orientations: int = ORIENTATIONS
    # pixels from one cell to the next
    stride: int = 2
    # side, in cells, of the square over which the logarithms of energies are averaged
    pool: int = 5
    # foreground cells drawn from each training image
    cells: int = 2000
    # standard deviation of the Gaussian that smooths the map, in pixels; 0: none
    smoothing: float = 4.0

    def __post_init__(self):
        super().__post_init__()
        self.check_choice("reference", REFERENCES)
        waves = self.wavelengths
        listed = isinstance(waves, list) and bool(waves)
        self.check("wavelengths", lambda _: listed and all(number(w) and w > 2 for w in waves), "pixels above 2")
        for name in ("orientations", "stride", "cells"):
            self.check(name, count, "a whole number of at least 1")
        self.check("pool", lambda value: value in range(1, 100, 2), "an odd number of cells")
        self.check("smoothing", at_least_zero, "0 or a positive number of pixels")


class FilterBankDetector(Detector):
    """Texture at each place, by a bank of Gabor filters, against the texture of the rest of the image.

    Normal *images* differ from each other more than a defect differs from its surroundings: another roll, another
    lamp. So with ``reference="image"`` each place is compared with the median of its own image, in units of how much
    places vary around it in good images. It cannot see what fills an image, and knows no place for anything: on an
    object with parts, take ``train`` or another method. ``both`` adds how unusual the image's median is as a whole.

    Args:
        settings: fields of :class:`FilterBankSettings`, by name; what each is stands there.

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a value is out of its range.

    Source:
        Jain & Farrokhnia: Unsupervised texture segmentation using Gabor filters, Pattern Recognition 1991; the
        distance with a shrunk covariance is that of Ledoit & Wolf, 2004.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = FilterBankDetector(quiet=True).fit(splits.train, splits.validation)
        >>> detector.anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 64, 64])
    """

    settings_class = FilterBankSettings
    without_training = (*Detector.without_training, "smoothing")

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        centres, cells = [], []
        for step, (images, foreground) in enumerate(batches(train)):
            features, inside = self._features(images.to(self.device), foreground.to(self.device))
            draw = generator(self.settings.seed, step)
            for image_features, image_inside in zip(features, inside, strict=True):
                shown = image_features[:, image_inside].T  # (n, D)
                if len(shown):
                    chosen = torch.randperm(len(shown), generator=draw)[: self.settings.cells].to(shown.device)
                    centres.append(image_centre(shown))
                    cells.append(shown[chosen])
        if not cells:
            raise ValueError("no training image shows any foreground to learn from; check the foreground rule")
        self.normal = ReferenceModel.fit(cells, torch.stack(centres))

    def _map_and_score(self, images: Tensor, foreground: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
        features, inside = self._features(images, foreground)
        distances = torch.stack(
            [self._distances(*image) for image in zip(features, inside, strict=True)],
        )
        maps = to_pixels(distances, self.settings.stride, images.shape[-2:])
        maps = scoring.gaussian_smooth(maps, self.settings.smoothing) * foreground
        return maps, self._image_score(maps, images, scored)

    def _anomaly_map(self, images: Tensor) -> Tensor:
        everywhere = torch.ones_like(images[:, 0], dtype=torch.bool)
        return self._map_and_score(images, everywhere, everywhere)[0]

    def _distances(self, features: Tensor, inside: Tensor) -> Tensor:
        """Distance of each cell of one image, (D, h, w) to (h, w); the centre is that of its foreground ``inside``."""
        vectors = features.flatten(1).T  # (h * w, D)
        centre = centre_inside(features, inside)
        return self.normal.distance(vectors, centre, self.settings.reference).view(inside.shape)

    def _features(self, images: Tensor, foreground: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, D, h, w) and which cells lie on the foreground, bool (B, h, w)."""
        settings = self.settings
        features = texture_features(
            images.float(), settings.wavelengths, settings.orientations, settings.stride, settings.pool
        )
        return features, foreground[:, :: settings.stride, :: settings.stride]

    def _tensors(self) -> dict[str, Tensor]:
        return vars(self.normal)

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.normal = ReferenceModel(**{name: value.to(self.device) for name, value in tensors.items()})


def to_pixels(cells: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
    """Maps of cells (B, h, w) to pixels (B, H, W), bilinearly; cell (i, j) stands for pixel (i * stride, j * stride).

    Args:
        cells: float (B, h, w).
        stride: pixels from one cell to the next.
        size: (H, W).
    """
    if stride == 1:
        return cells
    height, width = ((side - 1) * stride + 1 for side in cells.shape[-2:])
    whole = F.interpolate(cells[:, None], (height, width), mode="bilinear", align_corners=True)
    below, right = size[0] - height, size[1] - width
    return F.pad(whole, (0, right, 0, below), mode="replicate")[:, 0]
