"""What a lesson measured, as strict JSON takes it."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch


def plain(value: Any, where: str) -> Any:
    """A value as strict JSON takes it: arrays as lists, dataclasses as dicts, NaN and infinity as None.

    Args:
        value: number, text, list, dict, array, tensor or dataclass, one within another.
        where: name of the value, for the error.

    Raises:
        TypeError: naming the place, if there is something else in it.

    Example:
        >>> plain({"auroc": np.float32(0.5), "by_size": (1, float("inf"))}, "results")
        {'auroc': 0.5, 'by_size': [1, None]}
    """
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        value = value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry, f"{where}.{key}") for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry, f"{where}[{number}]") for number, entry in enumerate(value)]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{where} must be numbers, text, lists, dicts, arrays or dataclasses, got a {type(value).__name__}")
