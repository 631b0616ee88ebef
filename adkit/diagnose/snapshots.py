"""A network at several moments of its training: what early stopping would have kept, and a film of what it learns."""

import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.detectors.network import NetworkDetector
from adkit.diagnose.adapter import recalibrated
from adkit.diagnose.plateau import SCORE, score_watcher


class Snapshots:
    """An ``on_validation`` for training that keeps the weights of each validation, and a score that needs no label.

    Args:
        detector: whose training is watched; it gets this as its ``on_validation``.
        validation: normal images: for the score, see :func:`adkit.diagnose.score_watcher`, and for thresholds.
        frames: of them for the score, at most, evenly spaced.

    Attributes:
        rows: of the history so far, each with its ``synthetic_auroc``.
        weights: step → the network's tensors.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(32, 64))
        >>> detector = AutoencoderDetector(width=4, steps=4, validate_every=2, crop=32, quiet=True)
        >>> watched = Snapshots(detector, splits.validation, frames=4)
        >>> fitted = detector.fit(splits.train, splits.validation)
        >>> sorted(watched.weights), watched.best_step() in watched.weights
        ([2, 4], True)
    """

    def __init__(self, detector: NetworkDetector, validation: AnomalyDataset, frames: int = 12):
        self.detector, self.validation = detector, validation
        self.rows: list[dict] = []
        self.weights: dict[int, dict[str, Tensor]] = {}
        self._watch = score_watcher(detector, validation, frames)
        detector.on_validation = self

    def __call__(self, row: dict) -> None:
        """Keep the weights of this moment."""
        self._watch(row)
        self.rows.append(row)
        state = self.detector.model.state_dict()
        self.weights[row["step"]] = {name: value.detach().clone() for name, value in state.items()}

    def best_step(self) -> int:
        """The step with the highest score; of equals, the first."""
        return max(self.rows, key=lambda row: row[SCORE])["step"]

    def at(self, step: int, calibrate: bool = True) -> NetworkDetector:
        """The detector as it was at a step, with thresholds to match.

        Args:
            step: of a validation.
            calibrate: set the thresholds; else they are those of the end, for who looks at reconstructions alone.

        Raises:
            RuntimeError: before ``fit`` is over.
            ValueError: if there was no validation at this step.
        """
        if step not in self.weights:
            raise ValueError(f"there is no snapshot of step {step}; there are {', '.join(map(str, self.weights))}")
        if not self.detector.is_fitted:
            raise RuntimeError("the detector is not fitted yet; call fit(train, validation) first")
        then = self.detector.with_settings()
        then.model.load_state_dict(self.weights[step])
        return recalibrated(then, self.validation) if calibrate else then

    @torch.inference_mode()
    def film(self, image: Tensor) -> list[Tensor]:
        """The reconstructions (C, H, W) of an image (C, H, W) in [0, 1] at each snapshot, in order."""
        then, frames = self.detector.with_settings(), []
        for tensors in self.weights.values():
            then.model.load_state_dict(tensors)
            frames.append(then.reconstruct(image[None])[0])
        return frames
