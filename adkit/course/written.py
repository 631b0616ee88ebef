"""What a learner wrote, as numbers and as one line of text."""

from typing import Any

import numpy as np
import torch


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


def _text(value: Any) -> str:
    try:
        return " ".join(repr(value).split())
    except Exception:
        # Even its repr fails.
        return f"a {type(value).__name__}"
