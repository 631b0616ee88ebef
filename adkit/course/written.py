"""What a learner wrote, as numbers and as one line of text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from adkit.figures.style import number


def numbers_of(values: Any) -> np.ndarray:
    """Numbers of any kind as float64; raises TypeError or ValueError for what is none."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)


def shortened(value: Any, longest: int = 90) -> str:
    """A value in at most one line, arrays by their first entries and shape.

    Args:
        value: anything.
        longest: number of characters after which a text is cut.

    Example:
        >>> shortened(torch.arange(100.0).reshape(10, 10))
        '0, 1, 2, 3, 4, 5, …  (shape 10 × 10)'
    """
    try:
        if isinstance(value, (str, bytes, bool, dict, set, type(None))):
            raise TypeError("not numbers")
        numbers = numbers_of(value)
        start = ", ".join(f"{number:.6g}" for number in numbers.ravel()[:6]) + (", …" if numbers.size > 6 else "")
        return start if numbers.ndim == 0 else f"{start}  (shape {' × '.join(map(str, numbers.shape))})"
    except Exception:
        # Not numbers: show it as it is.
        text = _text(value)
        return text if len(text) <= longest else text[: longest - 1] + "…"


def written_out(value: Any, most: int = 12) -> str:
    """An argument as one would type it: a short array as a list; a long one, and all else, by `shortened`.

    Example:
        >>> written_out(torch.tensor([[1.0, -2.0]])), written_out(np.zeros((8, 8)))
        ('[[1, -2]]', '0, 0, 0, 0, 0, 0, …  (shape 8 × 8)')
    """
    if isinstance(value, (torch.Tensor, np.ndarray)) and 0 < value.ndim and np.prod(value.shape) <= most:
        return repr(np.asarray(value).tolist()).replace(".0,", ",").replace(".0]", "]")
    return shortened(value, 60)


def told(value: Any, form: str = "{:.6g}") -> str:
    """A value as a person says it: texts without quotes, lists and tables in one line, with commas.

    Args:
        value: text, number, list, array or mapping of them.
        form: of numbers that are not whole, such as ``"{:.2f}"``.

    Example:
        >>> told("mse"), told(["dots", "dark"]), told(0.25), told({"dots": 0.123, "dark": 3}, "{:.2f}")
        ('mse', 'dots, dark', '0.25', 'dots 0.12, dark 3')
        >>> told({"coreset": np.array([0.121, 0.117]), "random": [0.106]}, "{:.2f}")
        'coreset 0.12, 0.12; random 0.11'
    """
    if isinstance(value, Mapping):
        rows = [f"{key} {told(one, form)}" for key, one in value.items()]
        several = any(isinstance(one, (list, tuple, np.ndarray)) for one in value.values())
        return ("; " if several else ", ").join(rows)
    if isinstance(value, (list, tuple, set)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return ", ".join(told(one, form) for one in value) or "none"
    if isinstance(value, (float, np.floating)):
        return number(value, form)
    return value if isinstance(value, str) else "none" if value is None else shortened(value)


def setting(name: str, value: float) -> str:
    """A setting in words, the unit that its name ends with behind the number.

    Example:
        >>> setting("false alarms, %", 0.2), setting("width", 8)
        ('false alarms 0.2 %', 'width 8')
    """
    what, comma, unit = name.rpartition(", ")
    return f"{what} {value:.3g} {unit}" if comma else f"{name} {value:.3g}"


def _text(value: Any) -> str:
    try:
        return " ".join(repr(value).split())
    except Exception:
        # Even its repr fails.
        return f"a {type(value).__name__}"
