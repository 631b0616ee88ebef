"""A detector from disk: what :mod:`adkit.runtime.serialization` reads, and which class it belongs to."""

from pathlib import Path

from torch import Tensor

from adkit.detectors.base import Detector
from adkit.detectors.registry import detector_class
from adkit.models.blocks import upgrade_squeeze_excitation
from adkit.runtime import VERSION, resolve_device
from adkit.runtime.serialization import read_folder

# (setting, its value in version 0.1.0) → the value's name today
RENAMED_VALUES = {("distance", "redrawn"): "reconstruction"}


def load_detector(path: str | Path, device: str = "auto") -> Detector:
    """Load what :meth:`adkit.detectors.base.Detector.save` wrote, also with version 0.1.0.

    Args:
        path: the folder.
        device: where to put the detector: auto, cpu, cuda, cuda:N or mps.

    Raises:
        FileNotFoundError: if there is no saved detector.
        ValueError: if it is damaged, of a kind that is not known here, or the device is not there.
    """
    resolve_device(device)
    description, tensors = upgrade(*read_folder(path, "detector"))
    kind = description.get("detector")
    try:
        owner = detector_class(kind)
    except ValueError as error:
        raise ValueError(f"{path} holds a {kind!r}, which is not known here: {error}") from error
    try:
        return owner.from_saved(description, tensors, device)
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"the detector at {path} does not fit adkit {VERSION} ({type(error).__name__}: {error}); "
            "load it with the version that its detector.json names, or fit and save it again"
        ) from error


def upgrade(description: dict, tensors: dict[str, Tensor]) -> tuple[dict, dict[str, Tensor]]:
    """What an older version has saved, in the words of this one; what is up to date stays as it is.

    Args:
        description: content of detector.json.
        tensors: name → weights.

    Returns:
        Both again, as new dicts.

    Example:
        >>> upgrade({"settings": {"distance": "redrawn"}}, {"excite.weigh.1.bias": 0})
        ({'settings': {'distance': 'reconstruction'}}, {'excite.fc1.bias': 0})
    """
    settings = {name: _upgraded_value(name, value) for name, value in description.get("settings", {}).items()}
    return description | {"settings": settings}, upgrade_squeeze_excitation(tensors)


def _upgraded_value(name: str, value: object) -> object:
    return RENAMED_VALUES.get((name, value), value) if isinstance(value, str) else value
