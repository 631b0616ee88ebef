"""Text to a stream that may not know all its characters: finished work never fails for want of a plus-minus sign."""

import sys
from typing import TextIO

# what stands for characters that a Windows console or a C locale cannot print
PLAIN = str.maketrans(
    {
        "±": "+/-", "≤": "<=", "≥": ">=", "−": "-", "–": "-", "—": "-", "·": "-", "×": "x", "…": "...", "→": "->",
        "✓": "[yes]", "✗": "[no]", "β": "beta", "μ": "mu", "σ": "sigma", "²": "^2", "°": " deg", "“": '"', "”": '"',
        "’": "'",
    }
)  # fmt: skip


def printable(text: str, stream: TextIO | None = None) -> str:
    """A text as a stream can print it: as it is where that is possible, else with plain characters.

    Args:
        text: any.
        stream: where it will be printed; None: standard output.

    Example:
        >>> import io
        >>> printable("0.83 ± 0.02, ≤ 5", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
        '0.83 +/- 0.02, <= 5'
    """
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text.translate(PLAIN).encode("ascii", "replace").decode("ascii")
    return text


def say(text: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Print a text at once, on a stream of any encoding.

    Args:
        text: any.
        stream: where to; None: standard output.
        end: what follows the text.
    """
    stream = stream or sys.stdout
    print(printable(text, stream), end=end, file=stream, flush=True)
