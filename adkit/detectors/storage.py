"""A detector on disk: what :mod:`adkit.runtime.serialization` writes, and which class it belongs to."""

from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import adkit
from adkit.detectors.preprocessing import Preprocessing
from adkit.runtime import resolve_device
from adkit.runtime.serialization import read_folder, write_folder
from adkit.scoring.thresholds import Threshold

if TYPE_CHECKING:
    from adkit.detectors.base import Detector

REGISTRY = {
    "AutoencoderDetector": "adkit.detectors.autoencoder",
    "LatentDetector": "adkit.detectors.latent",
    "VAEDetector": "adkit.detectors.vae",
    "PatchCoreDetector": "adkit.detectors.patchcore",
    "DRAEMDetector": "adkit.detectors.draem",
}


def save_detector(detector: "Detector", path: str | Path) -> Path:
    """Write a fitted detector to a folder, which appears whole or not at all; one that is there is replaced.

    Raises:
        FileExistsError: if the path is taken by something else.
    """
    description = {
        "detector": type(detector).__name__,
        "settings": detector.settings,
        "preprocessing": asdict(detector.preprocessing),
        "image_threshold": asdict(detector.image_threshold),
        "pixel_threshold": detector.pixel_threshold,
        "history": detector.history,
        "provenance": {"adkit": adkit.__version__, "torch": torch.__version__},
    }
    return write_folder(path, "detector", description, detector._tensors())


def load_detector(path: str | Path, device: str = "auto") -> "Detector":
    """Load what :meth:`adkit.detectors.base.Detector.save` wrote.

    Args:
        path: the folder.
        device: where to put the detector.

    Raises:
        FileNotFoundError: if there is no saved detector.
        ValueError: if it is damaged, of a kind that this version does not know, or the device is not there.
    """
    resolve_device(device)
    description, tensors = read_folder(path, "detector")
    kind = description.get("detector")
    if kind not in REGISTRY:
        raise ValueError(f"{path} holds a {kind!r}, which this version does not know; known: {', '.join(REGISTRY)}")
    try:
        return _rebuild(getattr(import_module(REGISTRY[kind]), kind), description, tensors, device)
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"the detector at {path} does not fit adkit {adkit.__version__} ({type(error).__name__}: {error}); "
            "load it with the version that its detector.json names, or fit and save it again"
        ) from error


def _rebuild(detector_class: type["Detector"], description: dict, tensors: dict, device: str) -> "Detector":
    detector = detector_class(**(description["settings"] | {"device": device}))
    preprocessing = {k: tuple(v) if isinstance(v, list) else v for k, v in description["preprocessing"].items()}
    detector.preprocessing = Preprocessing(**preprocessing)
    detector.image_threshold = Threshold(**description["image_threshold"])
    detector.pixel_threshold, detector.history = description["pixel_threshold"], description["history"]
    detector._restore(tensors)
    return detector
