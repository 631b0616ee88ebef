"""What detectors say: of one image, of every image of a dataset, and what a network makes of an image."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from adkit.scoring.policy import Policy
from adkit.scoring.suppression import Verdict, suppress


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """One image, judged.

    Attributes:
        score: the image score; higher is more anomalous.
        threshold: the image threshold.
        is_anomalous: the decision, ``score >= threshold``.
        anomaly_map: (H, W) float32 at the image's own size.
        mask: (H, W) bool, where the map reaches the detector's pixel threshold; under a policy, its kept regions.
        verdict: what the policy says, and which regions it suppressed; None without a policy.
    """

    score: float
    threshold: float
    is_anomalous: bool
    anomaly_map: np.ndarray
    mask: np.ndarray
    verdict: Verdict | None = None

    def __repr__(self) -> str:
        height, width = self.anomaly_map.shape
        verdict = "anomalous" if self.is_anomalous else "good"
        return (
            f"Prediction({verdict}: score {self.score:.4g}, threshold {self.threshold:.4g}; map {height} x {width}, "
            f"{self.mask.mean():.2%} of it in the mask)"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Prediction):
            return NotImplemented
        decided = [(one.score, one.threshold, one.is_anomalous) for one in (self, other)]
        same = np.array_equal(self.anomaly_map, other.anomaly_map) and np.array_equal(self.mask, other.mask)
        return decided[0] == decided[1] and same

    __hash__ = None


@dataclass(frozen=True)
class Predictions:
    """Every original image of a dataset with its map, its score and its truth.

    Attributes:
        maps: N maps (H, W) float32, at the size of the original masks; their sizes may differ.
        masks: N masks (H, W) bool, True on defects; None where the truth is not known.
        scores: (N,) image scores; higher is more anomalous.
        labels: (N,) whole numbers, 1 = anomalous.
        kinds: N names of defect types, ``good`` for normal images.
        paths: N paths.
    """

    maps: list[np.ndarray]
    masks: list[np.ndarray | None]
    scores: np.ndarray
    labels: np.ndarray
    kinds: list[str]
    paths: list[str]


class Reconstruction(NamedTuple):
    """One image as a network reconstructs it, at the image's own size.

    Attributes:
        image: (C, H, W) float32 in [0, 1].
        difference: (H, W) float32, absolute difference to what the network was shown, a mean over the channels.
    """

    image: np.ndarray
    difference: np.ndarray


def under_policy(
    policy: Policy, anomaly_map: np.ndarray, score: float, foreground: np.ndarray | None = None
) -> Prediction:
    """A map and a score, decided by a policy.

    Args:
        policy: where to cut, and which regions count.
        anomaly_map: (H, W).
        score: of the image.
        foreground: bool (H, W); None: everywhere.
    """
    threshold, mask = policy.image_threshold, anomaly_map >= policy.pixel_threshold
    plain = Prediction(score, threshold, score >= threshold, anomaly_map, mask)
    verdict = suppress(plain, policy, foreground)
    return replace(plain, is_anomalous=verdict.is_anomalous, mask=verdict.mask, verdict=verdict)
