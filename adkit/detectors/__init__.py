"""Methods of detection: one interface, the settings of each, saving and loading, and a registry that others join."""

from adkit.runtime.lazy import lazy_exports

_HOMES = {
    "Detector": "adkit.detectors.base",
    "NetworkDetector": "adkit.detectors.network",
    "Prediction": "adkit.detectors.prediction",
    "Predictions": "adkit.detectors.prediction",
    "Reconstruction": "adkit.detectors.prediction",
    "Settings": "adkit.detectors.settings",
    "TrainingSettings": "adkit.detectors.network",
    "detector_class": "adkit.detectors.registry",
    "known_methods": "adkit.detectors.registry",
    "load_detector": "adkit.detectors.storage",
    "method_name": "adkit.detectors.registry",
    "register": "adkit.detectors.registry",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
