"""What the settings of every defect share: checks that name the setting, what came and what may come."""

from collections.abc import Iterable, Sequence
from numbers import Real


def check_between(name: str, value: float, low: float, high: float) -> None:
    """Raise a ValueError where ``value`` is no number in [low, high]."""
    if not (isinstance(value, Real) and low <= value <= high):
        raise ValueError(f"{name} must be a number in [{low:g}, {high:g}], got {value!r}")


def check_range(name: str, value: Sequence[float], low: float, high: float) -> None:
    """Raise a ValueError where ``value`` is not two numbers, low <= smallest <= largest <= high."""
    numbers = isinstance(value, Sequence) and len(value) == 2 and all(isinstance(number, Real) for number in value)
    if not (numbers and low <= value[0] <= value[1] <= high):
        raise ValueError(f"{name} must be (smallest, largest) within [{low:g}, {high:g}], got {value!r}")


def check_option(name: str, value: object, options: Iterable[str]) -> None:
    """Raise a ValueError that lists the options where ``value`` is none of them."""
    if value not in tuple(options):
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}")
