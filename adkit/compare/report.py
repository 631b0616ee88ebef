"""A comparison as tables, and as a page of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from adkit.compare.comparison import BY_KIND, METRICS, PAIRED, Comparison
from adkit.experiments.tables import Table
from adkit.metrics import Interval

NONE = "–"


@dataclass(frozen=True, repr=False)
class FormattedTable(Table):
    """A table whose cells are ready: a text, and whether it stands out.

    Attributes:
        rows: plain dicts: ``name``, ``n`` (seeds), and for each column its text and whether that stands out.
        metrics: the columns.
    """

    def cells(self, mark: str) -> list[list[str]]:
        """The texts of all rows; ``mark`` shows how one that stands out looks."""
        shown = [(row, [row[title] for title in self.metrics]) for row in self.rows]
        return [
            [row["name"], str(row["n"]), *(mark.format(text) if out else text for text, out in cells)]
            for row, cells in shown
        ]


def table(comparison: Comparison, what: str = "metrics", metric: str = "pro") -> FormattedTable:
    """A table to print, to show in a notebook, or to write down.

    Args:
        comparison: of :func:`adkit.compare.compare`.
        what: ``metrics``, ``defect_types`` (one metric by defect type), ``defect_sizes`` (PRO by size of the defects),
            ``cost``, or ``paired`` (the best method against each of the others).
        metric: of ``defect_types``: one of ``recall``, ``image_auroc``, ``pixel_auroc``, ``pixel_ap``, ``pro``.

    Raises:
        ValueError: if there is no such table or metric.
    """
    if what not in TABLES or metric not in BY_KIND:
        raise ValueError(
            f"what must be one of {', '.join(TABLES)} and metric one of {', '.join(BY_KIND)}, "
            f"got {what!r} and {metric!r}"
        )
    return TABLES[what](comparison, metric) if what == "defect_types" else TABLES[what](comparison)


def _metrics(comparison: Comparison) -> FormattedTable:
    """Mean over seeds of every metric, with the 95 % interval where there is one, the best of each in bold."""
    columns = {m: {name: comparison.number(name, m) for name in comparison.results} for m in METRICS}
    measured = {m: column for m, column in columns.items() if not all(math.isnan(i.value) for i in column.values())}
    return _table(comparison, {metric: _ranked(column) for metric, column in measured.items()})


def _defect_types(comparison: Comparison, metric: str = "pro") -> FormattedTable:
    """One metric by defect type, mean over seeds."""
    kinds = dict.fromkeys(kind for runs in comparison.results.values() for kind in runs[0].evaluation.by_kind)
    columns = {k: {name: comparison.number(name, metric, k) for name in comparison.results} for k in kinds}
    return _table(comparison, {kind: _ranked(column) for kind, column in columns.items()})


def _defect_sizes(comparison: Comparison) -> FormattedTable:
    """PRO by size of the defective regions, mean over seeds; the groups are the terciles of their areas."""
    columns: dict[str, dict[str, Interval]] = {}
    for name in comparison.results:
        for group in comparison.by_size(name):
            value = math.nan if group["pro"] is None else group["pro"]
            columns.setdefault(_bounds(group), {})[name] = Interval(value, math.nan, math.nan)
    return _table(comparison, {column: _ranked(values) for column, values in columns.items()})


def _cost(comparison: Comparison) -> FormattedTable:
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
        title: {name: (NONE if cost[key] is None else show(cost[key]), False) for name, cost in costs.items()}
        for title, (key, show) in shown.items()
    }
    return _table(comparison, columns)


def _paired(comparison: Comparison) -> FormattedTable:
    """The best method minus each other one, on the same images; in bold where it is shown after Holm's correction."""
    rows = []
    for name, gaps in comparison.against_best().items():
        cells = {m: (str(gaps[m]), gaps[m].shown) if m in gaps else (NONE, False) for m in PAIRED}
        rows.append({"name": f"{comparison.best} − {name}", "n": len(comparison.results[name]), **cells})
    return FormattedTable(rows, PAIRED)


TABLES = {
    "metrics": _metrics,
    "defect_types": _defect_types,
    "defect_sizes": _defect_sizes,
    "cost": _cost,
    "paired": _paired,
}


def page(comparison: Comparison) -> str:
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
        lines += [f"- {run.method}, seed {run.seed}, {run.status}: {run.reason}" for run in comparison.problems]
    return "\n".join(lines) + "\n"


def _sections(comparison: Comparison) -> list[tuple[str, FormattedTable, str]]:
    return [
        (
            "All defects",
            _metrics(comparison),
            f"{_meant(comparison)} `f1_oracle` uses the test labels; nobody can reach it.{_why_two_pros(comparison)}",
        ),
        ("PRO by defect type", _defect_types(comparison), f"{_meant(comparison)} One image has no interval."),
        ("Image AUROC by defect type", _defect_types(comparison, "image_auroc"), _meant(comparison)),
        (
            "PRO by defect size",
            _defect_sizes(comparison),
            "Mean over seeds; terciles of the regions' areas, with the number of regions.",
        ),
        (
            "Which differences are real",
            _paired(comparison),
            f"The best by {comparison.ranking} minus each other method, with 95 % interval: {_drawn(comparison)}. p: "
            "two-sided, of the bootstrap, after Holm's correction for the number of methods in the column; in bold "
            f"where it is below 0.05. Nothing is corrected for the best being chosen here.{_shown(comparison)}",
        ),
        (
            "Cost",
            _cost(comparison),
            "Fit: mean over seeds, when it was really run, on the machine that ran it. A frame: judged with data and "
            "weights in memory. Saved: the detector's folder, without published weights. Peak: memory that loading the "
            "detector and judging one frame add to a fresh process.",
        ),
    ]


def _meant(comparison: Comparison) -> str:
    return f"Mean over seeds; in brackets the 95 % bootstrap interval of that mean: {_drawn(comparison)}."


def _drawn(comparison: Comparison) -> str:
    protocol = comparison.protocol
    trainings = "seeds, for each method by itself" if len(protocol["seeds"]) > 1 else "with one seed, no trainings"
    return f"{protocol['draws']} draws of the test images, the same for all methods, and {trainings}"


def _why_two_pros(comparison: Comparison) -> str:
    """Why PRO and its macro mean differ: which defect type has how many of the regions."""
    rows = next((runs[0].evaluation.by_kind for runs in comparison.results.values()), {})
    regions = {kind: row["n_regions"] for kind, row in rows.items() if row.get("n_regions")}
    if len(regions) < 2:
        return ""
    most = max(regions, key=regions.get)
    return (
        f" In `pro` every region weighs the same, and {most} has {regions[most]} of the {sum(regions.values())}; in "
        f"`pro_macro` each of the {len(regions)} defect types weighs the same. Where they differ, a method is better "
        f"or worse at {most} than at the rest."
    )


def _shown(comparison: Comparison) -> str:
    """Which differences to the best method are shown, and which are not, metric by metric."""
    gaps, lines = comparison.against_best(), []
    for metric in PAIRED:
        groups: dict[str, list[str]] = {}
        for name, row in gaps.items():
            if metric in row:
                gap = row[metric]
                said = "not shown against" if not gap.shown else "better than" if gap.value > 0 else "worse than"
                groups.setdefault(said, []).append(name)
        if groups:
            said = "; ".join(f"{words} {', '.join(names)}" for words, names in groups.items())
            lines.append(f"- `{metric}` of {comparison.best}: {said}.")
    return "\n\nAfter Holm, at 5 %:\n\n" + "\n".join(lines) if lines else ""


def _set_name(protocol: dict) -> str:
    category = protocol["category"]
    names = category if isinstance(category, (list, tuple)) else [category]
    return ", ".join([protocol["dataset"], *(str(name) for name in names if name is not None)])


def _bounds(group: dict) -> str:
    """A group of sizes in words."""
    low, high = group["low"], group["high"]
    span = f"> {low:.0f}" if high is None else f"{low:.0f} to {high:.0f}" if low else f"≤ {high:.0f}"
    return f"{span} px ({group['n_regions']})"


def _table(comparison: Comparison, columns: dict[str, dict[str, tuple[str, bool]]]) -> FormattedTable:
    """From cells by column and method to rows; a method without a cell has none to show."""
    rows = [
        {"name": name, "n": len(runs)} | {title: column.get(name, (NONE, False)) for title, column in columns.items()}
        for name, runs in comparison.results.items()
    ]
    return FormattedTable(rows, tuple(columns))


def _ranked(column: dict[str, Interval]) -> dict[str, tuple[str, bool]]:
    """Method → text, and whether it is the highest as it is shown."""
    shown = {name: round(interval.value, 3) for name, interval in column.items() if not math.isnan(interval.value)}
    best = max(shown.values()) if len(shown) > 1 else None
    return {name: (_text(interval), best is not None and shown.get(name) == best) for name, interval in column.items()}


def _text(interval: Interval) -> str:
    if math.isnan(interval.value):
        return NONE
    bounds = "" if math.isnan(interval.low) else f" [{interval.low:.3f}, {interval.high:.3f}]"
    return f"{interval.value:.3f}{bounds}"
