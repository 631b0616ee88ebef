"""What an experiment may be told of its data: checked when it is written down, before anything is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adkit.data import NAMES
from adkit.runtime.values import count, did_you_mean, number, plain, whole
from adkit.runtime.values import seed as is_seed


def checked_data(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an experiment that say which data it takes, checked, with numbers of Python's own types.

    Args:
        given: fields of :class:`adkit.experiments.Experiment` by name, without the method and its settings.

    Returns:
        The same fields; sequences stay what they are.

    Raises:
        ValueError: if a value is of another type or out of its range; the error says what it must be.

    Example:
        >>> checked_data({"dataset": "textil"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        ValueError: unknown dataset 'textil'; did you mean 'textile'?; known: textile, plots, ...
    """
    if "dataset" in given and given["dataset"] not in NAMES:
        hint = did_you_mean(given["dataset"], NAMES)
        raise ValueError(f"unknown dataset {given['dataset']!r}{hint}; known: {', '.join(NAMES)}")
    numbers = dict(given)
    for name, value in given.items():
        if isinstance(value, np.generic):
            numbers[name] = value = value.item()
        rule, expected = RULES[name]
        if not rule(value):
            raise ValueError(f"{name} must be {expected}, got {value!r}")
    return numbers


def check_judging(fpr_limit: Any, bootstrap: Any, seed: Any) -> None:
    """Refuse arguments of an evaluation before the first image is judged.

    Args:
        fpr_limit: false positive rate, in (0, 1].
        bootstrap: number of samples, 0 or more.
        seed: whole number.

    Raises:
        ValueError: naming the argument.
    """
    fpr_limit, bootstrap, seed = (value.item() if isinstance(value, np.generic) else value for value in
                                  (fpr_limit, bootstrap, seed))  # fmt: skip
    if not number(fpr_limit) or not 0 < fpr_limit <= 1:
        raise ValueError(f"fpr_limit must lie in (0, 1], got {fpr_limit!r}; 0.3 is the usual choice")
    if not whole(bootstrap) or bootstrap < 0:
        raise ValueError(f"bootstrap must be a whole number of samples, 0 for none, got {bootstrap!r}; 1000 is usual")
    if not is_seed(seed):
        raise ValueError(f"seed must be a whole number of 64 bits, got {seed!r}")


def _size(value: Any) -> bool:
    sides = value if isinstance(value, list | tuple) else (value, value)
    return value is None or (len(sides) == 2 and all(count(plain(side, "a side")) for side in sides))


def _category(value: Any) -> bool:
    names = value if isinstance(value, list | tuple) else [value]
    return value is None or (bool(names) and all(whole(name) or isinstance(name, str) for name in names))


SIZE = "a positive number or a pair (height, width)"
RULES = {
    "seed": (is_seed, "a whole number of 64 bits"),
    "dataset": (lambda value: isinstance(value, str), "the name of a set"),
    "root": (lambda value: value is None or isinstance(value, str | Path), "None or the path of a folder"),
    "category": (_category, "None, a name or a list of names"),
    "image_size": (_size, SIZE),
    "channels": (lambda value: value is None or (whole(value) and value in (1, 3)), "1, 3 or None"),
    "tile": (_size, SIZE),
    "overlap": (lambda value: value is None or (whole(value) and value >= 0), "a whole number of pixels, at least 0"),
    "data_seed": (is_seed, "a whole number of 64 bits"),
}
