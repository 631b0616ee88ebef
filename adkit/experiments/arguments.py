"""What an experiment may be told of its data: checked when it is written down, before anything is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adkit.data import NAMES
from adkit.runtime.values import count, did_you_mean, plain, whole


def checked_data(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an experiment that say which data it takes, checked, with numbers of Python's own types.

    Args:
        given: fields of :class:`adkit.experiments.Experiment` by name, without the method and its settings.

    Returns:
        The same fields; sequences stay what they are.

    Raises:
        ValueError: if a value is of another type or out of its range; the error says what it must be.

    Example:
        >>> checked_data({"dataset": "textil"})
        Traceback (most recent call last):
        ...
        ValueError: unknown dataset 'textil'; did you mean 'textile'? known: textile, plots, mvtec, aitex, folder
    """
    if "dataset" in given and given["dataset"] not in NAMES:
        hint = did_you_mean(given["dataset"], NAMES)
        raise ValueError(f"unknown dataset {given['dataset']!r}{hint or ';'} known: {', '.join(NAMES)}")
    numbers = dict(given)
    for name, value in given.items():
        if isinstance(value, np.generic):
            numbers[name] = value = value.item()
        rule, expected = RULES[name]
        if not rule(value):
            raise ValueError(f"{name} must be {expected}, got {value!r}")
    return numbers


def _size(value: Any) -> bool:
    sides = value if isinstance(value, list | tuple) else (value, value)
    return value is None or (len(sides) == 2 and all(count(plain(side, "a side")) for side in sides))


def _category(value: Any) -> bool:
    names = value if isinstance(value, list | tuple) else [value]
    return value is None or (bool(names) and all(whole(name) or isinstance(name, str) for name in names))


SIZE = "a positive number or a pair (height, width)"
RULES = {
    "seed": (whole, "a whole number"),
    "dataset": (lambda value: isinstance(value, str), "the name of a set"),
    "root": (lambda value: value is None or isinstance(value, str | Path), "None or the path of a folder"),
    "category": (_category, "None, a name or a list of names"),
    "image_size": (_size, SIZE),
    "channels": (lambda value: value is None or (whole(value) and value in (1, 3)), "1, 3 or None"),
    "tile": (_size, SIZE),
    "overlap": (lambda value: value is None or (whole(value) and value >= 0), "a whole number of pixels, at least 0"),
    "data_seed": (whole, "a whole number"),
}
