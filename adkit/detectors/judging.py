"""What a fitted detector says of images: maps, scores and decisions, of batches, datasets, files and folders."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.data.foreground import find_foreground
from adkit.detectors.arguments import check_dataset, check_images
from adkit.detectors.border import inner, interiors
from adkit.detectors.comparison_picture import save_comparison
from adkit.detectors.folder_report import report_folder
from adkit.detectors.prediction import Prediction, Predictions, Reconstruction, under_policy
from adkit.detectors.preprocessing import Preprocessing, batches, check_range, whole_foreground, whole_image
from adkit.detectors.settings import Settings
from adkit.detectors.soundness import check_finite
from adkit.detectors.spilled import predictions_in_parts
from adkit.scoring.policy import Policy
from adkit.scoring.thresholds import Threshold


class Judge(ABC):
    """The half of every detector that judges images; :class:`adkit.detectors.base.Detector` brings the other.

    Attributes:
        device: where it computes.
        quiet: show no progress.
        settings: what it was told, see :class:`adkit.detectors.settings.Settings`.
        preprocessing: what the training images went through, and every image goes through.
        image_threshold, pixel_threshold: of image scores and of maps; None before ``fit``.
    """

    device: torch.device
    quiet: bool
    settings: Settings
    preprocessing: Preprocessing
    image_threshold: Threshold | None
    pixel_threshold: float | None

    # -- what a method brings ------------------------------------------------------------------------------------------

    @abstractmethod
    def _anomaly_map(self, images: Tensor) -> Tensor:
        """(B, C, H, W) on the device to (B, H, W) ≥ 0, where 0 means: nothing unusual."""

    def _image_score(self, maps: Tensor, images: Tensor, foreground: Tensor) -> Tensor:
        """Maps (B, H, W), their images and their foreground (B, H, W) to scores (B,)."""
        return scoring.image_score(maps, self.settings.score, foreground=foreground)

    def _map_and_score(self, images: Tensor, foreground: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, H, W), 0 off the foreground, and scores (B,) of the pixels that are ``scored``, bool (B, H, W)."""
        maps = self._anomaly_map(images).float() * foreground
        return maps, self._image_score(maps, images, scored)

    # -- what every method can do ------------------------------------------------------------------------------------

    @property
    def is_fitted(self) -> bool:
        """Whether ``fit`` has come to its end, or the detector was loaded."""
        return self.image_threshold is not None

    @property
    def threshold(self) -> float:
        """Image score from which on an image is called anomalous.

        Raises:
            RuntimeError: before ``fit``.
        """
        self._require_fit()
        return self.image_threshold.value

    def anomaly_map(self, images: Tensor, foreground: Tensor | None = None) -> Tensor:
        """Anomaly maps (B, H, W), float32 on the CPU; off the foreground they are 0.

        Args:
            images: (B, C, H, W) in [0, 1].
            foreground: bool (B, H, W); None: found by the rule of the training images.

        Raises:
            RuntimeError: before ``fit``.
            TypeError: if the images are no tensor.
            ValueError: if the shape is another, a value leaves [0, 1], or the map is NaN or infinite.
        """
        self._require_fit()
        return self._judge(images, foreground)[0]

    def image_score(self, images: Tensor, foreground: Tensor | None = None) -> Tensor:
        """Image scores (B,), float32 on the CPU; higher is more anomalous. Takes and raises as ``anomaly_map``."""
        self._require_fit()
        return self._judge(images, foreground)[1]

    def judge(self, images: Tensor, foreground: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Maps and scores together, for the price of one of them; takes and raises as ``anomaly_map``."""
        self._require_fit()
        return self._judge(images, foreground)

    def judge_items(self, dataset: AnomalyDataset) -> tuple[list[Tensor], list[float]]:
        """Maps (h, w) and scores of the items of a dataset as they are, tiles as tiles, at the network's size.

        Args:
            dataset: prepared as the training images were.

        Raises:
            RuntimeError: before ``fit``.
        """
        self._require_fit()
        return self._judge_items(dataset)

    def judge_images(self, dataset: AnomalyDataset) -> tuple[list[np.ndarray], np.ndarray]:
        """Maps and scores of the original images of a dataset: tiles stitched, maps at the size of the files.

        An image that was cut into tiles scores as its most anomalous tile. Tiles of nothing but background may be
        missing, as they are in ``splits.train``: the map is 0 there, as it is on all background.

        Args:
            dataset: prepared as the training images were.

        Returns:
            N maps (H0, W0), and scores (N,).

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if other tiles of an image are missing.
        """
        maps, scores = self.judge_items(dataset)
        whole = [whole_image(dataset, group, maps) for group in dataset.groups()]
        return whole, np.array([max(scores[i] for i in group) for group in dataset.groups()])

    def predict_dataset(self, dataset: AnomalyDataset) -> Predictions:
        """Every original image of a dataset with its map, at the size of the original mask, its score and its truth.

        Args:
            dataset: for example ``splits.test``; raises as ``judge_images``.
        """
        maps, scores = self.judge_images(dataset)
        first = [group[0] for group in dataset.groups()]
        return Predictions(
            maps=maps,
            masks=[dataset.original_mask(i) for i in first],
            scores=scores,
            labels=dataset.labels[first],
            kinds=[dataset.kinds[i] for i in first],
            paths=[dataset.paths[i] for i in first],
        )

    def predict_streamed(self, dataset: AnomalyDataset, at_once: int = 8) -> Predictions:
        """As ``predict_dataset``, for sets whose maps do not fit into memory: they lie on disk, and masks as bits.

        Args:
            dataset: for example ``splits.test``; raises as ``judge_images``.
            at_once: images that are decoded and judged at a time.

        Raises:
            OSError: if the disk is full.
        """
        self._require_fit()
        check_dataset(dataset, "dataset")
        return predictions_in_parts(self.predict_dataset, dataset, at_once)

    def reconstruct_images(self, dataset: AnomalyDataset) -> list[Reconstruction] | None:
        """The original images of a dataset as the method reconstructs them; None for a method that does not."""
        return None

    def decide(
        self,
        anomaly_map: np.ndarray,
        score: float,
        policy: Policy | None = None,
        foreground: np.ndarray | None = None,
    ) -> Prediction:
        """A map and a score under both thresholds, or under a policy.

        Args:
            anomaly_map: (H, W).
            score: of the image.
            policy: where to cut; None: the detector's own thresholds.
            foreground: bool (H, W); only a policy asks for it. None: everywhere.

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if the map, the score or a threshold is NaN or infinite.
        """
        check_finite(self, threshold=np.array([self.threshold, self.pixel_threshold], float))
        check_finite(self, anomaly_map=anomaly_map, image_score=score)
        if policy is not None:
            return under_policy(policy, anomaly_map, float(score), foreground)
        is_anomalous, mask = bool(score >= self.threshold), anomaly_map >= self.pixel_threshold
        return Prediction(float(score), self.threshold, is_anomalous, anomaly_map, mask)

    def predict(
        self,
        image: str | Path | bytes | np.ndarray | Tensor,
        policy: Policy | None = None,
        *,
        save: str | Path | None = None,
    ) -> Prediction:
        """Judge one image.

        It goes through the training set's own preprocessing; map and mask come back at its own size.

        Args:
            image: a path, the bytes of a file, or an array (H, W) or (C, H, W) in [0, 1].
            policy: where to cut, and which regions count, see :mod:`adkit.scoring.policy`; None: the detector's own
                thresholds.
            save: picture to write, such as ``result.png``: the image, its reconstruction and the difference (of a
                method that reconstructs), its map, and its outlined mask; None: none.

        Raises:
            RuntimeError: before ``fit``.
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged, the array has another shape or leaves [0, 1], or ``save`` is no .png.
        """
        dataset = self.preprocessing(image)
        (anomaly_map,), (score,) = self.judge_images(dataset)
        prediction = self.decide(anomaly_map, score, policy, policy and whole_foreground(dataset))
        if save is not None:
            save_comparison(dataset, prediction, self.pixel_threshold, self.reconstruct_images(dataset), save)
        return prediction

    def predict_folder(self, folder: str | Path, out: str | Path) -> list[dict]:
        """Judge every image of a folder and write tables and pictures.

        Args:
            folder: where the images lie, in it or below it.
            out: where to write; see :mod:`adkit.detectors.folder_report` for what, for the rows that come back, and
                for what is raised.
        """

        def judge(path: Path) -> tuple[Prediction, Reconstruction | None]:
            reconstructions = self.reconstruct_images(self.preprocessing(path))
            return self.predict(path), reconstructions[0] if reconstructions else None

        self._require_fit()
        bits = self.preprocessing.bits
        return report_folder(folder, out, judge, self.summary(), self.quiet, self.identity(), bits)

    def identity(self) -> str:
        """What tells this detector from every other one; empty where nothing does."""
        return ""

    def summary(self) -> dict:
        """The name of the class and both thresholds: what tables of predictions say of their detector."""
        return {
            "detector": type(self).__name__,
            "threshold": self.threshold,
            "pixel_threshold": self.pixel_threshold,
        }

    # -- inside --------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _judge(
        self, images: Tensor, foreground: Tensor | None = None, within: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Maps (B, H, W), 0 off the foreground, and scores (B,), both on the CPU.

        Without a foreground that of whole images is found, by the rule of the training set. An image that shows no
        foreground at all scores by its map of zeros. Of a tile, ``within`` says which pixels the border leaves to
        score, bool (B, H, W); None: the images are whole ones.
        """
        self._check(images)
        inside = find_foreground(images, self.preprocessing.foreground) if foreground is None else foreground
        images, inside = images.float().to(self.device), inside.to(self.device)
        empty = ~inside.flatten(1).any(dim=1)
        scored = inside | empty[:, None, None]
        if self.settings.border:
            if within is None:
                within = torch.stack([inner(each, self.settings.border) for each in scored])
            away = scored & within.to(self.device)
            # where only the border shows foreground, that is what there is to score
            scored = torch.where(away.flatten(1).any(dim=1)[:, None, None], away, scored)
        maps, scores = self._map_and_score(images, inside, scored)
        if self.settings.surroundings:
            maps = scoring.relative_to_surroundings(maps, inside, self.settings.surroundings)
            scores = self._image_score(maps, images, scored)
        check_finite(self, anomaly_map=maps, image_score=scores)
        return maps.cpu(), scores.cpu()

    def _judge_items(self, dataset: AnomalyDataset) -> tuple[list[Tensor], list[float]]:
        check_dataset(dataset, "dataset")
        maps, scores, border = [], [], self.settings.border
        for images, foreground in batches(dataset):
            items = range(len(maps), len(maps) + len(images))
            inside = interiors(dataset, items, tuple(images.shape[-2:]), border) if border else None
            some_maps, some_scores = self._judge(images, foreground, inside)
            maps += list(some_maps)
            scores += some_scores.tolist()
        return maps, scores

    def _require_fit(self) -> None:
        if not self.is_fitted:
            raise RuntimeError(f"this {type(self).__name__} has not been fitted; call fit(train, validation) first")

    def _check(self, images: Tensor) -> None:
        check_images(images, self.preprocessing.channels)
        check_range(images)
