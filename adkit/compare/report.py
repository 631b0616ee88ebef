"""A comparison as tables, and as a page of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adkit.experiments.tables import Table
from adkit.metrics import Interval

if TYPE_CHECKING:
    from adkit.compare.comparison import Comparison

NONE = "–"
METRICS = ("image_auroc", "tile_auroc", "pixel_auroc", "pixel_ap", "pro", "f1_at_threshold", "f1_oracle")


@dataclass(frozen=True, repr=False)
class Texts(Table):
    """A table whose cells are ready: a text, and whether it stands out."""

    def cells(self, mark: str) -> list[list[str]]:
        """The texts of all rows; ``mark`` shows how one that stands out looks."""
        shown = [(row, [row[title] for title in self.metrics]) for row in self.rows]
        return [
            [row["name"], str(row["n"]), *(mark.format(text) if out else text for text, out in cells)]
            for row, cells in shown
        ]


def metrics(comparison: "Comparison") -> Texts:
    """Mean over seeds of every metric, with the 95 % interval where there is one, the best of each in bold."""
    columns = {m: {name: comparison.number(name, m) for name in comparison.results} for m in METRICS}
    kept = {m: column for m, column in columns.items() if not all(math.isnan(each.value) for each in column.values())}
    return _table(comparison, {metric: _ranked(column) for metric, column in kept.items()})


def kinds(comparison: "Comparison", metric: str = "pro") -> Texts:
    """One metric by defect type, mean over seeds."""
    names = dict.fromkeys(kind for runs in comparison.results.values() for kind in runs[0].evaluation.by_kind)
    columns = {k: {name: comparison.number(name, metric, k) for name in comparison.results} for k in names}
    return _table(comparison, {kind: _ranked(column) for kind, column in columns.items()})


def sizes(comparison: "Comparison") -> Texts:
    """PRO by size of the defective regions, mean over seeds; the groups are the terciles of their areas."""
    columns: dict[str, dict[str, Interval]] = {}
    for name in comparison.results:
        for group in comparison.by_size(name):
            value = math.nan if group["pro"] is None else group["pro"]
            columns.setdefault(_bounds(group), {})[name] = Interval(value, math.nan, math.nan)
    return _table(comparison, {column: _ranked(values) for column, values in columns.items()})


def cost(comparison: "Comparison") -> Texts:
    """Time, parameters, size on disk and peak memory."""
    shown: dict[str, tuple[str, Callable[[float], str]]] = {
        "fit, s": ("fit_seconds", lambda value: f"{value:.1f}"),
        "ms a frame": ("seconds_per_frame", lambda value: f"{1000 * value:.1f}"),
        "parameters": ("parameters", lambda value: f"{value:,}"),
        "saved, MB": ("saved_bytes", lambda value: f"{value / 1e6:.2f}"),
        "peak, MB": ("peak_bytes", lambda value: f"{value / 1e6:.0f}"),
    }
    costs = {name: comparison.cost(name) for name in comparison.results}
    columns = {
        title: {name: (NONE if each[key] is None else show(each[key]), False) for name, each in costs.items()}
        for title, (key, show) in shown.items()
    }
    return _table(comparison, columns)


def paired(comparison: "Comparison") -> Texts:
    """The best method minus each other one, on the same images; in bold where the interval excludes 0."""
    best, rows, columns = comparison.best, [], ("image_auroc", "pixel_ap", "pro")
    for name in comparison.results:
        if name != best:
            found = comparison.paired(best, name)
            cells = {metric: _difference(found[metric]) if metric in found else (NONE, False) for metric in columns}
            rows.append({"name": f"{best} − {name}", "n": 1, **cells})
    return Texts(rows, columns)


VIEWS = {"metrics": metrics, "kinds": kinds, "sizes": sizes, "cost": cost, "paired": paired}


def page(comparison: "Comparison") -> str:
    """All tables with a line on how each is meant, and what is missing."""
    protocol, seeds = comparison.protocol, len(comparison.protocol["seeds"])
    frames = ", ".join(f"{count} {part}" for part, count in protocol["frames"].items())
    lines = [f"# {_set_name(protocol)}: {len(comparison.results)} methods, {seeds} seed{'s' * (seeds > 1)}", ""]
    if protocol["fast"]:
        lines += ["**Fast mode: proves that everything runs; the numbers mean nothing.**", ""]
    lines += [f"Frames: {frames}. Thresholds and checkpoints come from validation normals. One setting for all sets."]
    for title, shown, note in _sections(comparison):
        if shown.rows and shown.metrics:
            lines += ["", f"## {title}", "", shown.markdown(), "", note]
    if comparison.problems:
        lines += ["", "## Not run", ""]
        lines += [f"- {each.method}, seed {each.seed}, {each.status}: {each.reason}" for each in comparison.problems]
    return "\n".join(lines) + "\n"


def _sections(comparison: "Comparison") -> list[tuple[str, Texts, str]]:
    shown = "Mean over seeds; in brackets the 95 % bootstrap interval over test images, of the middle seed."
    drawn = f"{comparison.protocol['draws']} draws of the test images, the same for both; the middle seed of each"
    return [
        ("All defects", metrics(comparison), f"{shown} `f1_oracle` uses the test labels; nobody can reach it."),
        ("PRO by defect type", kinds(comparison), "Mean over seeds."),
        ("Image AUROC by defect type", kinds(comparison, "image_auroc"), "Mean over seeds."),
        (
            "PRO by defect size",
            sizes(comparison),
            "Mean over seeds; terciles of the regions' areas, with the number of regions.",
        ),
        (
            "Which differences are real",
            paired(comparison),
            f"The best by {comparison.ranking} minus each other method: {drawn}. In bold where the 95 % interval "
            "excludes 0. Nothing is corrected for the number of comparisons, nor for the best being chosen here.",
        ),
        (
            "Cost",
            cost(comparison),
            "Fit: mean over seeds, when it was really run, on the machine that ran it. A frame: judged with data and "
            "weights in memory. Saved: the detector's folder, without published weights. Peak: memory that loading the "
            "detector and judging one frame add to a fresh process.",
        ),
    ]


def _set_name(protocol: dict) -> str:
    category = protocol["category"]
    names = category if isinstance(category, (list, tuple)) else [category]
    return ", ".join([protocol["dataset"], *(str(name) for name in names if name is not None)])


def _bounds(group: dict) -> str:
    """A group of sizes in words."""
    low, high = group["low"], group["high"]
    span = f"> {low:.0f}" if high is None else f"{low:.0f} to {high:.0f}" if low else f"≤ {high:.0f}"
    return f"{span} px ({group['n_regions']})"


def _table(comparison: "Comparison", columns: dict[str, dict[str, tuple[str, bool]]]) -> Texts:
    """From cells by column and method to rows; a method without a cell has none to show."""
    rows = [
        {"name": name, "n": len(runs)} | {title: column.get(name, (NONE, False)) for title, column in columns.items()}
        for name, runs in comparison.results.items()
    ]
    return Texts(rows, tuple(columns))


def _ranked(column: dict[str, Interval]) -> dict[str, tuple[str, bool]]:
    """Method → text, and whether it is the highest as it is shown."""
    shown = {name: round(each.value, 3) for name, each in column.items() if not math.isnan(each.value)}
    best = max(shown.values()) if len(shown) > 1 else None
    return {name: (_text(each), best is not None and shown.get(name) == best) for name, each in column.items()}


def _text(interval: Interval) -> str:
    if math.isnan(interval.value):
        return NONE
    bounds = "" if math.isnan(interval.low) else f" [{interval.low:.2f}, {interval.high:.2f}]"
    return f"{interval.value:.3f}{bounds}"


def _difference(interval: Interval) -> tuple[str, bool]:
    text = f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
    return text, interval.low > 0 or interval.high < 0
