"""The two stages together: stage 1 judges every image, stage 2 names the type of what stage 1 has flagged."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.detectors.base import Detector
from adkit.experiments.screening.classifier import TypeClassifier, seen_by


@dataclass(frozen=True)
class Verdict:
    """One image, screened.

    Attributes:
        score: of stage 1.
        is_anomalous: whether stage 1 flagged it, and stage 2 did not dismiss it.
        kind: what stage 2 calls it; ``good`` where nothing was flagged, and stage 2 was not asked.
    """

    score: float
    is_anomalous: bool
    kind: str


@dataclass(frozen=True)
class Screened:
    """A labelled dataset, screened; one entry an image.

    Attributes:
        kinds: the truth.
        scores: of stage 1.
        suspicious: whether stage 1 flagged the image.
        named: what stage 2 calls each image, ``good`` among the names where it knows it; all images, so that the
            stages can be compared.
        types: what stage 2 calls it if it may not say ``good``.
        seconds: what an image costs in stage 1 and in stage 2, measured; reading and resizing it are not counted.
        dismiss: whether stage 2 may overrule stage 1.
    """

    kinds: np.ndarray
    scores: np.ndarray
    suspicious: np.ndarray
    named: np.ndarray
    types: np.ndarray
    seconds: tuple[float, float]
    dismiss: bool = False

    @property
    def labels(self) -> np.ndarray:
        """1 for anomalous images, (N,)."""
        return (self.kinds != NORMAL).astype(int)

    @property
    def verdicts(self) -> np.ndarray:
        """What the two stages together call each image."""
        return np.where(self.suspicious, self.named if self.dismiss else self.types, NORMAL)


class Screening:
    """A detector that flags, and a classifier that names the type of what was flagged.

    The detector knows normal images only, so it can flag what nobody has ever labelled. The classifier calls every
    flagged image by the nearest of the names it has learned, be it right or not.

    Args:
        detector: a fitted detector.
        classifier: a fitted classifier.
        dismiss: whether the classifier, where it knows ``good``, may call a flagged image that: it takes false alarms
            away, and with them anomalies of types that it has never seen.

    Raises:
        ValueError: if the classifier may dismiss and does not know ``good``, or knows nothing else.
    """

    def __init__(self, detector: Detector, classifier: TypeClassifier, dismiss: bool = False):
        self.detector, self.classifier, self.dismiss = detector, classifier, dismiss
        self.types = [kind for kind in classifier.classes if kind != NORMAL]
        if not self.types:
            raise ValueError("the classifier knows no type of anomaly; call its fit(train) with labelled images first")
        if dismiss and NORMAL not in classifier.classes:
            raise ValueError(f"a classifier that may dismiss must know {NORMAL!r}, and this one knows {self.types}")

    def predict(self, image: str | Path | np.ndarray | Tensor) -> Verdict:
        """Screen one image, a path or an array (H, W) or (C, H, W) in [0, 1]; stage 2 runs if stage 1 flags it.

        Raises:
            RuntimeError: before the detector is fitted.
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged, or the array has another shape or leaves [0, 1].
        """
        prediction = self.detector.predict(image)
        if not prediction.is_anomalous:
            return Verdict(prediction.score, False, NORMAL)
        (kind,) = self.classifier.name(self.classifier.preprocessing(image), None if self.dismiss else self.types)
        return Verdict(prediction.score, kind != NORMAL, kind)

    def judge(self, dataset: AnomalyDataset) -> Screened:
        """Screen a labelled dataset, each stage with its own view of the images, and measure what each costs.

        Args:
            dataset: for example ``load_dataset("plots").test``; sizes and channels of each stage's view are its own.
        """
        views = [seen_by(stage.preprocessing, dataset).preload() for stage in (self.detector, self.classifier)]
        start = time.perf_counter()
        _, scores = self.detector.judge_images(views[0])
        flagged = time.perf_counter()
        probabilities = self.classifier.probabilities(views[1])
        done = time.perf_counter()
        classes = np.array(self.classifier.classes)
        types = np.flatnonzero(classes != NORMAL)
        count = len(scores)
        return Screened(
            kinds=np.array([sample.kind for sample in dataset.samples]),
            scores=scores,
            suspicious=scores >= self.detector.threshold,
            named=classes[probabilities.argmax(axis=1)],
            types=classes[types[probabilities[:, types].argmax(axis=1)]],
            seconds=((flagged - start) / count, (done - flagged) / count),
            dismiss=self.dismiss,
        )
