"""What a value may be: checks of settings and arguments, and plain data as JSON gives it back."""

import difflib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from numbers import Real
from pathlib import Path

import numpy as np


def did_you_mean(name: object, known: Collection[str]) -> str:
    """A question that names the closest of the known names; empty where none is close.

    Args:
        name: what was asked for, of any type.
        known: all names that would do.

    Example:
        >>> did_you_mean("conact", ["add", "concat"])
        "; did you mean 'concat'?"
    """
    closest = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
    return f"; did you mean {closest[0]!r}?" if closest else ""


def number(value: object) -> bool:
    """True of a finite number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def at_least_zero(value: object) -> bool:
    """True of 0 and of a finite positive number."""
    return number(value) and value >= 0


def above_zero(value: object) -> bool:
    """True of a finite positive number."""
    return number(value) and value > 0


def between(low: float, high: float) -> Callable[[object], bool]:
    """True of a number between two others, neither of them included."""
    return lambda value: number(value) and low < value < high


def seed(value: object) -> bool:
    """Whether a value can start random numbers: a whole number of 64 bits.

    Args:
        value: anything.

    Example:
        >>> seed(-1), seed(2**63), seed("0")
        (True, False, False)
    """
    return whole(value) and -(2**63) <= value < 2**63


def whole(value: object) -> bool:
    """True of a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def count(value: object) -> bool:
    """True of a whole number of at least 1."""
    return whole(value) and value > 0


def flag(value: object) -> bool:
    """True of True and False."""
    return isinstance(value, bool)


def check_values(settings: object, rules: Iterable[tuple[Collection[str], Callable[[object], bool], str]]) -> None:
    """Check the fields of some settings by rules.

    Args:
        settings: an object whose attributes are checked.
        rules: names, what tells whether a value will do, and what it must be in words; what follows a semicolon there
            is what to give.

    Raises:
        ValueError: naming the first that will not do.
    """
    for names, valid, expected in rules:
        for name in names:
            if not valid(value := getattr(settings, name)):
                must, _, advice = expected.partition("; ")
                raise ValueError(f"{name} must be {must}, got {value!r}{advice and '; give '}{advice}")


def plain(value: object, name: str) -> object:
    """A copy of a literal as JSON gives it back: tuples as lists, keys as text, numbers of Python's own types.

    Args:
        value: number, text, list or dict; numbers of NumPy, torch devices and paths will do.
        name: of the setting; the error says it.

    Raises:
        ValueError: if it holds anything else.

    Example:
        >>> plain({"size": (np.int64(3), 0.5)}, "defects")
        {'size': [3, 0.5]}
    """
    if value is None:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Path) or (type(value).__module__ == "torch" and type(value).__name__ == "device"):
        return str(value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry, name) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry, name) for entry in value]
    raise ValueError(
        f"settings are saved as JSON and must be plain numbers, texts or lists, and {name} holds a "
        f"{type(value).__name__}, {value!r}"
    )
