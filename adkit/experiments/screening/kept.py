"""Detectors and classifiers that are fitted once: kept under the hash of settings, images and sources.

:func:`adkit.run` does the same for the splits of a data set; these two take any images: mixes, labelled sets.
"""

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.detectors.storage import load_detector
from adkit.experiments.experiment import UNCOUNTED, source_hash
from adkit.experiments.screening.classifier import TypeClassifier, load_classifier
from adkit.runtime import home
from adkit.runtime.provenance import imported_modules, source_fingerprint


def fitted_detector(detector: Detector, train: AnomalyDataset, validation: AnomalyDataset) -> Detector:
    """A detector of this class and these settings, fitted to these images: now, or when it was asked for before.

    The one that is given stays as it is. A fit that was killed goes on from its last checkpoint.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> tiny = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True)
        >>> fitted_detector(tiny, splits.train, splits.validation).threshold > 0
        True
    """
    parts = [train.fingerprint, validation.fingerprint, source_hash(type(detector))]
    folder = home() / "fitted" / _address(detector, parts)
    if not (folder / "detector" / "detector.json").exists():
        fresh = detector.fresh()
        fresh.quiet, fresh.checkpoint = detector.quiet, folder / "checkpoint.pt"
        fresh.fit(train, validation).save(folder / "detector")
        fresh.checkpoint.unlink(missing_ok=True)
    return load_detector(folder / "detector", device=detector.settings.device)


def fitted_classifier(classifier: TypeClassifier, train: AnomalyDataset) -> TypeClassifier:
    """A classifier of these settings, fitted to these images: now, or when it was asked for before.

    Example:
        >>> from adkit.data.plots.samples import labelled_plots
        >>> few = AnomalyDataset(labelled_plots(2, anomaly_types=("spike", "drift")))
        >>> fitted_classifier(TypeClassifier(side=32, epochs=1, quiet=True), few).classes
        ['drift', 'spike']
    """
    folder = home() / "fitted" / _address(classifier, [train.fingerprint, _classifier_sources()])
    if not (folder / "classifier.json").exists():
        fresh = TypeClassifier(**classifier.settings | {"quiet": classifier.quiet})
        fresh.fit(train).save(folder)
    return load_classifier(folder, device=classifier.settings["device"])


def _address(fitted: Detector | TypeClassifier, parts: list[str]) -> str:
    settings = asdict(fitted.settings) if isinstance(fitted, Detector) else fitted.settings
    settings = {name: value for name, value in settings.items() if name not in UNCOUNTED}
    kept = json.dumps([type(fitted).__name__, settings, *parts], sort_keys=True)
    return hashlib.sha256(kept.encode()).hexdigest()[:20]


@lru_cache(maxsize=1)
def _classifier_sources() -> str:
    return source_fingerprint(imported_modules([TypeClassifier.__module__]))
