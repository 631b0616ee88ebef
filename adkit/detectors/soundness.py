"""Is a detector, or what it says, sound? A number that is none passes every comparison, and calls every part good."""

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from adkit.runtime.provenance import find_source

PARTS = {
    "detector": str,
    "settings": dict,
    "preprocessing": dict,
    "image_threshold": dict,
    "pixel_threshold": Real,
    "history": list,
}  # of detector.json
# counters of batch normalisation; all else that adkit's methods learn is float32
COUNTERS = "num_batches_tracked"


def check_description(description: Mapping) -> None:
    """Refuse a description whose parts are missing, of another type, or no numbers.

    Args:
        description: content of detector.json, see :meth:`adkit.detectors.base.Detector.describe`.

    Raises:
        ValueError: naming the part.
    """
    for name, kind in PARTS.items():
        if name not in description:
            raise ValueError(f"{name} is missing")
        value = description[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{name} must be {_words(kind)}, got {value!r:.200}")
    if not math.isfinite(description["pixel_threshold"]):
        raise ValueError(f"pixel_threshold must be a finite number, got {description['pixel_threshold']}")
    if not all(isinstance(row, dict) for row in description["history"]):
        raise ValueError("history must be a list of objects, one a validation")


def _words(kind: type) -> str:
    return {str: "a text", dict: "an object", Real: "a number", list: "a list"}[kind]


def check_tensors(tensors: Mapping[str, Tensor], owner: type) -> None:
    """Refuse tensors with NaN or an infinity, and those of adkit's own methods that are not float32.

    Args:
        tensors: all that was learned, by name.
        owner: class of the detector; one defined outside adkit may keep numbers of any type.

    Raises:
        ValueError: naming the tensor.
    """
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            bad = int((~torch.isfinite(value)).sum())
            raise ValueError(
                f"{name} holds {bad} of {value.numel()} values that are NaN or infinite, and would call every image "
                "good; load an earlier copy, or fit it again"
            )
        expected = torch.int64 if name.endswith(COUNTERS) else torch.float32
        if find_source(owner.__module__) is not None and value.dtype != expected:
            raise ValueError(f"{name} must be {expected}, got {value.dtype}; save the detector with save(path)")


def check_finite(owner: object, **values: Tensor | np.ndarray | float) -> None:
    """Refuse what a detector has computed where it holds NaN or an infinity.

    Args:
        owner: the detector.
        values: what it is → maps, scores or thresholds.

    Raises:
        ValueError: saying what to do.
    """
    for name, value in values.items():
        numbers = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
        if not bool(torch.isfinite(numbers).all()):
            raise ValueError(
                f"the {name.replace('_', ' ')} of this {type(owner).__name__} is NaN or infinite, and tells good from "
                "bad no more: its weights are broken, or numbers overflow. Load an earlier copy, fit it again, or "
                "compute with precision='float32'"
            )
