"""The committed comparisons of all methods, ``notebooks/results/compare/NAME.json``, read for a lesson."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDERS = (Path("results/compare"), Path("notebooks/results/compare"))  # from a notebook's folder, and from above it


def compared(name: str, folder: Path | None = None) -> dict[str, Any]:
    """A comparison as :func:`adkit.compare.compare` wrote it.

    Args:
        name: of the set, such as ``textile`` or ``aitex02``.
        folder: where comparisons are kept; None: beside the notebooks.

    Returns:
        What its JSON says; empty where there is none.

    Example:
        >>> compared("nothing")
        {}
    """
    paths = [place / f"{name}.json" for place in ([folder] if folder else FOLDERS)]
    path = next((path for path in paths if path.is_file()), None)
    return json.loads(path.read_text(encoding="utf-8")) if path else {}


def committed_rows(kept: Mapping, methods: Mapping[str, str], measures: Mapping[str, str]) -> list[dict]:
    """Rows for :func:`adkit.figures.comparison`: each method with its means and their intervals.

    Args:
        kept: of :func:`compared`.
        methods: its name there → its name in the figure; one that is not there is left out.
        measures: title → name of a number; ``pro_macro`` is computed of the types where it was not written.

    Returns:
        One dict a method: ``""`` → name, title → ``(mean, low, high)``, None where it is not known.
    """
    rows = []
    for method, shown in methods.items():
        if method in kept.get("methods", {}):
            described = kept["methods"][method]
            rows.append({"": shown} | {title: _number(described, measure) for title, measure in measures.items()})
    return rows


def firsts(rows: Sequence[Mapping]) -> dict[str, str]:
    """Which method has the highest mean of each measure, by title.

    Args:
        rows: of :func:`committed_rows`.

    Example:
        >>> firsts([{"": "a", "AP": (0.2, 0.1, 0.3)}, {"": "b", "AP": (0.4, 0.3, 0.5)}])
        {'AP': 'b'}
    """
    titles = [title for title in (rows[0] if rows else {}) if title]
    known = {title: [row for row in rows if row[title] is not None] for title in titles}
    return {title: max(of, key=lambda row: row[title][0])[""] for title, of in known.items() if of}


def _number(described: Mapping, measure: str) -> tuple[float, float, float] | None:
    row = described["metrics"].get(measure)
    if row is None and measure == "pro_macro":
        # an older comparison wrote plain numbers by type, and no mean of them
        pros = [_mean(kind.get("pro")) for kind in described["by_kind"].values()]
        row = {"mean": statistics.fmean(pros)} if pros and None not in pros else None
    if row is None or row["mean"] is None:
        return None
    return row["mean"], *(row["mean"] if row.get(end) is None else row[end] for end in ("low", "high"))


def _mean(number: Any) -> float | None:
    return number.get("mean") if isinstance(number, Mapping) else number
