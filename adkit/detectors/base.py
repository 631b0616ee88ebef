"""The one interface of every method: fit on normal images, then map, score, decide, save."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from adkit import scoring
from adkit.data import AnomalyDataset, stitch
from adkit.data.foreground import find_foreground
from adkit.detectors.calibration import hold_out, image_threshold, pixel_threshold
from adkit.detectors.folder_report import predict_folder
from adkit.detectors.preprocessing import Preprocessing, check_range
from adkit.detectors.storage import save_detector
from adkit.runtime import resolve_device
from adkit.scoring.thresholds import Threshold


@dataclass(frozen=True)
class Prediction:
    """One image, judged.

    Attributes:
        score: the image score; higher is more anomalous.
        threshold: the image threshold.
        is_anomalous: the decision, ``score >= threshold``.
        anomaly_map: (H, W) float32 at the image's own size.
        mask: (H, W) bool, where the map reaches the detector's pixel threshold.
    """

    score: float
    threshold: float
    is_anomalous: bool
    anomaly_map: np.ndarray
    mask: np.ndarray


class Reconstruction(NamedTuple):
    """One image as a network draws it again, at the image's own size.

    Attributes:
        image: (C, H, W) float32 in [0, 1].
        difference: (H, W) float32, absolute difference to what the network was shown, a mean over the channels.
    """

    image: np.ndarray
    difference: np.ndarray


class Detector(ABC):
    """Base of all methods: a subclass writes ``_fit``, ``_anomaly_map``, ``_tensors`` and ``_restore``.

    Args:
        settings: the arguments of the subclass's constructor, literals only. ``percentile`` (of the validation normals'
            image scores), ``pixel_percentile`` (of their pixels), ``device`` and ``quiet`` belong to every method.

    Raises:
        ValueError: if a setting is no literal, or out of its range.
    """

    def __init__(self, settings: dict):
        own = {name: value for name, value in settings.items() if name not in ("self", "__class__")}
        try:
            self.settings = json.loads(json.dumps(own))  # as they come back from disk
        except TypeError as error:
            raise ValueError(
                f"settings are saved as JSON and must be plain numbers, texts or lists: {error}"
            ) from error
        for name in ("percentile", "pixel_percentile"):
            q = self.settings[name]
            if not (isinstance(q, Real) and 0 < q < 100):
                raise ValueError(f"{name} must be a number between 0 and 100, got {q!r}")
        self.device = resolve_device(self.settings["device"])
        self.quiet: bool = self.settings["quiet"]
        self.checkpoint: Path | None = None  # where training keeps its state, to resume after a kill
        self.preprocessing = Preprocessing()
        self.image_threshold: Threshold | None = None  # set last of all by fit
        self.pixel_threshold: float | None = None
        self.history: list[dict] = []

    # -- what a method brings ------------------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        """Learn from normal images."""

    @abstractmethod
    def _anomaly_map(self, images: Tensor) -> Tensor:
        """(B, C, H, W) on the device to (B, H, W) ≥ 0, where 0 means: nothing unusual."""

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        """Maps (B, H, W), their images and their foreground (B, H, W) to scores (B,)."""
        return scoring.image_score(maps, "max", foreground=foreground)

    @abstractmethod
    def _tensors(self) -> dict[str, Tensor]:
        """All that was learned, by name."""

    @abstractmethod
    def _restore(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of ``_tensors``."""

    # -- what every method can do --------------------------------------------------------------------------------------

    @property
    def threshold(self) -> float:
        """Image score from which on an image is called anomalous.

        Raises:
            RuntimeError: before ``fit``.
        """
        self._require_fit()
        return self.image_threshold.value

    def fit(self, train: AnomalyDataset, validation: AnomalyDataset | None = None) -> "Detector":
        """Learn from normal images, then set both thresholds on held-out normal images.

        Args:
            train: normal images.
            validation: held-out normal images; None holds out 20 % of the training sources, with a warning.

        Raises:
            ValueError: if an image of either part is labelled anomalous, or there is one source and no validation.

        Warns:
            UserWarning: if ``validation`` is missing or has fewer than 20 sources.
        """
        if validation is None:
            train, validation = hold_out(train)
        for name, part in {"train": train, "validation": validation}.items():
            if part.labels.any():
                raise ValueError(
                    f"{name} holds {int(part.labels.sum())} images labelled anomalous, and a detector learns from "
                    "normal images only; pass splits.train and splits.validation"
                )
        self.preprocessing = Preprocessing.of(train)
        self._fit(train, validation)
        maps, scores = self._judge_items(validation)
        self.pixel_threshold = pixel_threshold(validation, maps, self.settings["pixel_percentile"])
        by_maximum = self.settings.get("score", "max") == "max"
        self.image_threshold = image_threshold(validation, maps, scores, self.settings["percentile"], by_maximum)
        return self

    def anomaly_map(self, images: Tensor) -> Tensor:
        """Anomaly maps (B, H, W), float32 on the CPU, of images (B, C, H, W) in [0, 1]; off the foreground they are 0.

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if the shape is another, or a value leaves [0, 1].
        """
        self._require_fit()
        return self._judge(images)[0]

    def image_score(self, images: Tensor) -> Tensor:
        """Image scores (B,) of images (B, C, H, W) in [0, 1]; higher is more anomalous. Raises as ``anomaly_map``."""
        self._require_fit()
        return self._judge(images)[1]

    def judge_images(self, dataset: AnomalyDataset) -> tuple[list[np.ndarray], np.ndarray]:
        """Maps and scores of the original images of a dataset: tiles stitched, maps at the size of the files.

        An image that was cut into tiles scores as its most anomalous tile. Tiles of nothing but background may be
        missing, as they are in ``splits.train``: the map is 0 there, as it is on all background.

        Returns:
            N maps (H0, W0), and scores (N,).

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if other tiles of an image are missing.
        """
        self._require_fit()
        maps, scores = self._judge_items(dataset)
        whole = [whole_image(dataset, group, maps) for group in dataset.groups()]
        return whole, np.array([max(scores[i] for i in group) for group in dataset.groups()])

    def reconstruct_images(self, dataset: AnomalyDataset) -> list[Reconstruction] | None:
        """The original images of a dataset as the method draws them again; None for a method that draws nothing."""
        return None

    def predict(self, image: str | Path | np.ndarray | Tensor) -> Prediction:
        """Judge one image: a path, or an array (H, W) or (C, H, W) in [0, 1].

        It goes through the training set's own preprocessing; map and mask come back at its own size.

        Raises:
            RuntimeError: before ``fit``.
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged, or the array has another shape or leaves [0, 1].
        """
        (anomaly_map,), (score,) = self.judge_images(self.preprocessing(image))
        mask = anomaly_map >= self.pixel_threshold
        return Prediction(float(score), self.threshold, bool(score >= self.threshold), anomaly_map, mask)

    def predict_folder(self, folder: str | Path, out: str | Path) -> list[dict]:
        """Judge every image of a folder and write tables and pictures; see :mod:`adkit.detectors.folder_report`."""
        self._require_fit()
        return predict_folder(self, folder, out)

    def save(self, path: str | Path) -> Path:
        """Write the detector to a folder, whole or not at all; see :mod:`adkit.detectors.storage`."""
        self._require_fit()
        return save_detector(self, path)

    # -- inside --------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _judge(self, images: Tensor, foreground: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Maps (B, H, W), 0 off the foreground, and scores (B,), both on the CPU.

        Without a foreground that of whole images is found, by the rule of the training set. An image that shows no
        foreground at all scores by its map of zeros.
        """
        self._check(images)
        inside = find_foreground(images, self.preprocessing.foreground) if foreground is None else foreground
        images, inside = images.float().to(self.device), inside.to(self.device)
        maps = self._anomaly_map(images).float() * inside
        empty = ~inside.flatten(1).any(dim=1)
        return maps.cpu(), self._image_score(maps, images, inside | empty[:, None, None]).cpu()

    def _judge_items(self, dataset: AnomalyDataset, batch_size: int = 8) -> tuple[list[Tensor], list[float]]:
        """Map (H, W) and score of every item of a dataset, in batches where all items have one size."""
        size = batch_size if dataset.image_size else 1
        maps, scores = [], []
        for start in range(0, len(dataset), size):
            items = [dataset[i] for i in range(start, min(start + size, len(dataset)))]
            found = self._judge(*(torch.stack([item[name] for item in items]) for name in ("image", "foreground")))
            maps += list(found[0])
            scores += found[1].tolist()
        return maps, scores

    def _require_fit(self) -> None:
        if self.image_threshold is None:
            raise RuntimeError(f"this {type(self).__name__} has not been fitted; call fit(train, validation) first")

    def _check(self, images: Tensor) -> None:
        channels = self.preprocessing.channels
        if images.ndim != 4 or images.shape[1] != channels:
            raise ValueError(f"images must have the shape (B, {channels}, H, W), got {tuple(images.shape)}")
        check_range(images)


def whole_image(dataset: AnomalyDataset, group: list[int], tiles: list[Tensor]) -> np.ndarray:
    """One image (..., H0, W0) at the size of its file, from what was found on each item (..., h, w) of the dataset.

    Args:
        dataset: whose items the tiles belong to.
        group: items of one image, of ``dataset.groups()``.
        tiles: one an item of the dataset.
    """
    first, found, corners = group[0], [tiles[i] for i in group], [dataset.corners[i] for i in group]
    stitched = stitch(found, corners, dataset.frame_size(first), needed=dataset.frame_foreground(first))
    return resize_map(stitched, dataset.original_size(first)).numpy()


def resize_map(anomaly_map: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a map (h, w), or channels (C, h, w), to another size (H, W), bilinearly."""
    if tuple(anomaly_map.shape[-2:]) == tuple(size):
        return anomaly_map
    channels = anomaly_map.reshape(1, -1, *anomaly_map.shape[-2:])
    resized = interpolate(channels, size=size, mode="bilinear", antialias=True, align_corners=False)
    return resized.reshape(*anomaly_map.shape[:-2], *size)
