"""Comparisons that were run once with ``python -m adkit.compare`` and lie beside the notebooks."""

import json
from collections.abc import Sequence
from pathlib import Path

FOLDERS = (Path("results/compare"), Path("notebooks/results/compare"))  # from a notebook's own folder, and from above


def kept_comparisons(
    methods: Sequence[str], metric: str, folder: Path | None = None
) -> dict[str, dict[str, float | None]]:
    """A number of some methods, of every kept comparison that has all of them.

    Args:
        methods: names of :data:`adkit.compare.methods.METHODS`.
        metric: such as ``pro``.
        folder: where comparisons are kept; None: beside the notebooks.

    Returns:
        Name of the set → method → mean over the seeds, None where it could not be measured; empty where none is kept.

    Example:
        >>> kept_comparisons(["nothing"], "pro")
        {}
    """
    places = [folder] if folder else FOLDERS
    kept = {}
    for path in sorted(path for place in places for path in place.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))["methods"]
        if set(methods) <= set(found):
            kept[path.stem] = {name: found[name]["metrics"][metric]["mean"] for name in methods}
    return kept
