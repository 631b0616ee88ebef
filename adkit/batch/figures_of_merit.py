"""The numbers of a run that an index tells: found in its ``results.json``, wherever they stand in it."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

FIGURES = ("image_auroc", "pixel_auroc", "pixel_ap", "pro", "pro_macro", "f1_at_threshold")


def figures_of(folder: Path) -> dict[str, float]:
    """The best value of each figure that a run reports, and how many of its claims hold; empty where it wrote nothing.

    Args:
        folder: with ``results.json``.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "results.json").write_text('{"results": {"losses": [{"pro": {"value": 0.7}}, {"pro": 0.8}]}}')
        >>> figures_of(folder)
        {'pro': 0.8}
    """
    try:
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found: dict[str, float] = {}
    for name, number in _numbers(results):
        found[name] = max(number, found.get(name, -math.inf))
    if claims := [claim for claim in results.get("claims", []) if isinstance(claim, dict) and "holds" in claim]:
        found |= {"claims": len(claims), "claims_that_hold": sum(bool(claim["holds"]) for claim in claims)}
    return found


def _numbers(content: object) -> Iterator[tuple[str, float]]:
    """(name, number) of every figure in plain data; a number may stand in a dict with its interval."""
    if isinstance(content, list):
        for each in content:
            yield from _numbers(each)
    elif isinstance(content, dict):
        for name, value in content.items():
            number = value.get("value", value.get("mean")) if isinstance(value, dict) else value
            if name in FIGURES and isinstance(number, (int, float)) and not isinstance(number, bool):
                yield name, float(number)
            elif name not in ("by_kind", "intervals"):
                yield from _numbers(value)
