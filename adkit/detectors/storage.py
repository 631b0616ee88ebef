"""A detector from disk: what :mod:`adkit.runtime.serialization` reads, and which class it belongs to."""

import warnings
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor

from adkit.defects.registry import unknown_defects_allowed
from adkit.detectors.base import Detector
from adkit.detectors.registry import detector_class, is_own
from adkit.detectors.settings import setting_names
from adkit.detectors.soundness import check_description, check_tensors
from adkit.models.blocks import upgrade_squeeze_excitation
from adkit.runtime import VERSION, resolve_device
from adkit.runtime.serialization import read_saved

# (setting, its value in version 0.1.0) → the value's name today
RENAMED_VALUES = {("distance", "redrawn"): "reconstruction"}
PROBE = 64  # most pixels of a side of the image that a loaded detector is tried on
# settings that have come since version 0.1.0, with the value that does what it did before
ADDED_SETTINGS = {
    "weight_decay": 1e-4, "schedule": "one-cycle", "patience": None, "drift": 0.0, "score": "max", "border": 0,
    "compile": False, "surroundings": 0.0, "reference": "train",
}  # fmt: skip


def load_detector(path: str | Path, device: str = "auto", verify: bool = True) -> Detector:
    """Load what :meth:`adkit.detectors.base.Detector.save` wrote, also with version 0.1.0.

    Args:
        path: the folder.
        device: where to put the detector: auto, cpu, cuda, cuda:N or mps.
        verify: refuse a detector whose files were changed since it was saved. All else is checked in any case: types,
            ranges, and that every number is finite.

    Raises:
        FileNotFoundError: if there is no saved detector.
        ValueError: if it is damaged, was changed, holds NaN or an infinity, is of a kind that is not known here, or the
            device is not there.

    Warns:
        UserWarning: if it was changed and is not verified, has no checksums, comes from another version, or lacks
            settings that this version has.
    """
    resolve_device(device)
    saved = read_saved(path, "detector")
    kind = saved.description.get("detector")
    try:
        owner = detector_class(kind if isinstance(kind, str) else str(kind))
    except ValueError as error:
        raise ValueError(f"{path} holds a {kind!r}, which is not known here: {error}") from error
    try:
        check_description(saved.description)
        description, tensors = upgrade(saved.description, saved.tensors, setting_names(owner.settings_class))
        check_tensors(tensors, owner)
        with unknown_defects_allowed():  # it was trained with them, and is asked to judge
            detector = owner.from_saved(description, tensors, device)
        if not is_own(owner):
            _judge_probe(detector)
    except (KeyError, TypeError, RuntimeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        changed = "; its checksum says that it was changed since it was saved" if saved.problem else ""
        raise ValueError(
            f"the detector at {path} does not fit adkit {VERSION} ({type(error).__name__}: {error}){changed}; "
            "load it with the version that its detector.json names, or fit and save it again"
        ) from error
    if verify and saved.problem:
        raise ValueError(saved.problem)
    if saved.problem:
        warnings.warn(saved.problem, stacklevel=2)
    _warn_of_other_version(path, description, owner)
    return detector


def _judge_probe(detector: Detector) -> None:
    """Judge a grey image: settings and weights that do not belong together say so now, not in production."""
    seen = detector.preprocessing
    height, width = seen.tile or seen.resize or (PROBE, PROBE)
    detector.anomaly_map(torch.full((1, seen.channels, min(height, PROBE), min(width, PROBE)), 0.5))


def _warn_of_other_version(path: str | Path, description: dict, owner: type[Detector]) -> None:
    provenance = description.get("provenance")
    version = provenance.get("adkit") if isinstance(provenance, dict) else None
    reasons = []
    if version != VERSION:
        reasons.append(f"was saved by adkit {version or 'of an unknown version'}, and this is {VERSION}")
    if missing := [name for name in setting_names(owner.settings_class) if name not in description["settings"]]:
        reasons.append(f"does not tell its {', '.join(missing)}, which take the values that are usual today")
    if reasons:
        warnings.warn(
            f"the detector at {path} {' and '.join(reasons)}: compare what it says of some known images with what it "
            "said before, or fit it again",
            stacklevel=3,
        )


def upgrade(
    description: dict, tensors: dict[str, Tensor], known: Collection[str] = ()
) -> tuple[dict, dict[str, Tensor]]:
    """What an older version has saved, in the words of this one; what is up to date stays as it is.

    Args:
        description: content of detector.json.
        tensors: name → weights.
        known: names of the settings that the detector's class has today.

    Returns:
        Both again, as new dicts.

    Example:
        >>> upgrade({"settings": {"distance": "redrawn"}}, {"excite.weigh.1.bias": 0})
        ({'settings': {'distance': 'reconstruction'}}, {'excite.fc1.bias': 0})
    """
    settings = {name: _upgraded_value(name, value) for name, value in description.get("settings", {}).items()}
    added = {name: value for name, value in ADDED_SETTINGS.items() if name in known and name not in settings}
    return description | {"settings": added | settings}, upgrade_squeeze_excitation(tensors)


def _upgraded_value(name: str, value: object) -> object:
    return RENAMED_VALUES.get((name, value), value) if isinstance(value, str) else value
