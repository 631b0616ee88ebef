"""What the settings of every defect share: checks that name the setting, what came and what may come."""

from collections.abc import Iterable, Sequence


def check_range(name: str, value: Sequence[float], low: float, high: float) -> tuple[float, float]:
    """Return ``value`` as (smallest, largest) where ``low <= smallest <= largest <= high``.

    Raises:
        ValueError: if it is not two numbers in that order within the limits.
    """
    pair = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(pair) != 2 or not low <= pair[0] <= pair[1] <= high:
        raise ValueError(f"{name} must be (smallest, largest) within [{low:g}, {high:g}], got {value!r}")
    return pair


def check_option(name: str, value: object, options: Iterable[str]) -> None:
    """Raise a ValueError that lists the options where ``value`` is none of them."""
    if value not in tuple(options):
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}")


def check_fraction(name: str, value: float) -> None:
    """Raise a ValueError where ``value`` lies outside [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}")
