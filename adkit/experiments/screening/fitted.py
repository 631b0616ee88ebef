"""Detectors and classifiers that are fitted once: kept under the hash of settings, images and sources.

:func:`adkit.run` does the same for the splits of a data set; these two take any images: mixes, labelled sets.
"""

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.storage import load_detector
from adkit.experiments.fitted import DETECTOR, detector_once, fit_key, fit_once
from adkit.experiments.screening.classifier import TypeClassifier, load_classifier
from adkit.experiments.sources import source_hash
from adkit.runtime.provenance import imported_modules, source_fingerprint


def fitted_detector(detector: Detector, train: AnomalyDataset, validation: AnomalyDataset) -> Detector:
    """A detector of this class and these settings, fitted to these images: now, or when it was asked for before.

    A fit that was killed goes on from its last checkpoint.

    Args:
        detector: its class and its settings count, and it stays as it is.
        train: normal images to learn from.
        validation: held-out normal images, which set the thresholds.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> tiny = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True)
        >>> fitted_detector(tiny, splits.train, splits.validation).threshold > 0
        True
    """
    entry = detector_once(detector, train, validation, source_hash(type(detector), rooms=()))
    return load_detector(entry.folder / DETECTOR, device=detector.settings.device)


def fitted_classifier(classifier: TypeClassifier, train: AnomalyDataset) -> TypeClassifier:
    """A classifier of these settings, fitted to these images: now, or when it was asked for before.

    Args:
        classifier: its settings count, and it stays as it is.
        train: labelled images of at least two kinds.

    Example:
        >>> from adkit.data.plots.samples import labelled_plots
        >>> few = AnomalyDataset(labelled_plots(2, anomaly_types=("spike", "drift")))
        >>> fitted_classifier(TypeClassifier(side=32, epochs=1, quiet=True), few).classes
        ['drift', 'spike']
    """
    settings = asdict(classifier.settings)

    def fit(folder: Path) -> None:
        fresh = TypeClassifier(**settings | {"quiet": classifier.quiet})
        fresh.fit(train).save(folder / "classifier")

    key = fit_key(type(classifier).__name__, settings, [train.fingerprint], _classifier_sources())
    return load_classifier(fit_once(key, fit).folder / "classifier", device=classifier.settings.device)


@lru_cache(maxsize=1)
def _classifier_sources() -> str:
    return source_fingerprint(imported_modules([TypeClassifier.__module__]))
