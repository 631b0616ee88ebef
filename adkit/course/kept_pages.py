"""What ``python -m adkit.compare`` found on sets that are not ours to ship: read from the pages that are kept.

``notebooks/results/compare/NAME.json`` holds the numbers of one set, ``notebooks/results/recommend/regret.json`` what
``python -m tests.regret`` found. A lesson shows when and on what each was measured, and goes on where one is missing.
"""

import json
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adkit.compare.protocol import FORMAT
from adkit.course.cards import Card, markup, show
from adkit.metrics import Interval
from adkit.metrics.significance import Difference
from adkit.runtime.provenance import source_fingerprint

# from a notebook's own folder, and from above it
FOLDERS = (Path("results/compare"), Path("notebooks/results/compare"))
REGRETS = (Path("results/recommend/regret.json"), Path("notebooks/results/recommend/regret.json"))
SETS = {
    "textile": "textile",
    "aitex00": "AITEX 00",
    "aitex02": "AITEX 02",
    "aitex04": "AITEX 04",
    "tiles": "tiles",
    "leather": "leather",
}
# with fewer validation images, no threshold can be promised and no choice trusted
FEW = 5
NAN = float("nan")


@dataclass(frozen=True, repr=False)
class KeptPage:
    """The numbers of one set, all methods.

    Attributes:
        title: of the set, as people call it.
        kept: content of the file.
    """

    title: str
    kept: dict = field(repr=False)

    @property
    def methods(self) -> list[str]:
        """The methods that have numbers."""
        return list(self.kept["methods"])

    @property
    def best(self) -> str:
        """The method with the highest mean of the number that the page ranks by."""
        return self.kept["best"]

    @property
    def types(self) -> list[str]:
        """The defect types."""
        return list(self._by_kind)

    @property
    def regions(self) -> int:
        """How many defective regions the test part has."""
        return sum(row.get("n_regions") or 0 for row in self._rows)

    @property
    def defective(self) -> int:
        """How many defective test images."""
        return sum(row["n"] for row in self._rows)

    @property
    def normal(self) -> int:
        """How many normal test images."""
        return self.kept["protocol"]["frames"]["test"] - self.defective

    @property
    def few(self) -> bool:
        """Whether so few validation images set the thresholds that they promise nothing."""
        return self.kept["protocol"]["frames"]["validation"] < FEW

    def number(self, method: str, metric: str, kind: str | None = None) -> Interval:
        """Mean over seeds with the interval of that mean; NaN where it was not measured.

        Args:
            method: one of ``methods``.
            metric: such as ``pro_macro``.
            kind: a defect type; None: all defects.
        """
        row = self.kept["methods"][method]
        found = row["by_kind"][kind] if kind else row["metrics"]
        one = found.get(metric) or {}
        return Interval(*(NAN if one.get(name) is None else one[name] for name in ("mean", "low", "high")))

    def means(self, metric: str) -> dict[str, float]:
        """Method → mean over seeds."""
        return {name: self.number(name, metric).value for name in self.methods}

    def rows(self, methods: Mapping[str, str], measures: Mapping[str, str]) -> list[dict]:
        """Rows for :func:`adkit.figures.comparison`.

        Args:
            methods: name of a method → its name in the figure; one that the page lacks is left out.
            measures: title → name of a number.
        """
        shown = {name: told for name, told in methods.items() if name in self.methods}
        numbers = {name: {title: self.number(name, metric) for title, metric in measures.items()} for name in shown}
        return [{"": told} | numbers[name] for name, told in shown.items()]

    def gap(self, method: str, metric: str) -> Difference | None:
        """The page's best method minus another one, on the same images, after Holm's correction; None: not compared."""
        one = self.kept["paired"].get(method, {}).get(metric)
        return Difference(*(one[name] for name in ("value", "low", "high", "p", "p_holm"))) if one else None

    def place(self, method: str, metric: str) -> int:
        """The place of a method among all of the page by one number, 1 for the highest."""
        order = sorted(self.methods, key=lambda name: -self.means(metric)[name])
        return order.index(method) + 1

    def shown_behind(self, metric: str = "pro") -> list[str]:
        """The methods that are shown to stay behind the page's best one, after Holm's correction."""
        gaps = {name: self.gap(name, metric) for name in self.methods}
        return [name for name, gap in gaps.items() if gap and gap.shown and gap.value > 0]

    def cost(self, method: str) -> dict[str, float | None]:
        """Seconds of a fit and of a frame, parameters, and bytes, as they were measured."""
        return self.kept["methods"][method]["cost"]

    @property
    def described(self) -> str:
        """When, on what and by which sources it was measured."""
        protocol = self.kept["protocol"]
        device = re.sub(r"\b1 threads", "1 thread", protocol["machine"]["device"])
        frames = ", ".join(f"{count} {part}" for part, count in protocol["frames"].items())
        told = [
            f"{self.title}: {len(self.methods)} methods, {len(protocol['seeds'])} seeds; {frames} images",
            f"measured {self.kept.get('date', 'on a day that is not noted')} on {device}",
            f"images {protocol['fingerprint'][:8]}, sources {self.kept.get('fingerprint', 'not noted')[:9]}",
        ]
        told += ["other sources than today's"] if self._aged else []
        told += [f"only {protocol['frames']['validation']} validation images"] if self.few else []
        return "; ".join(told)

    @property
    def _by_kind(self) -> dict[str, dict]:
        return next(iter(self.kept["methods"].values()))["by_kind"]

    @property
    def _rows(self) -> list[dict]:
        return list(self._by_kind.values())

    @property
    def _aged(self) -> bool:
        if "sources" not in self.kept:
            return False
        try:
            return source_fingerprint(self.kept["sources"]) != self.kept["fingerprint"]
        except ValueError:  # a module of that time is gone
            return True

    def __repr__(self) -> str:
        return self.described


def kept_pages(wanted: Sequence[str] = tuple(SETS), folder: Path | None = None) -> dict[str, KeptPage]:
    """The pages that are kept, in order; says of each when and on what it was measured, or why it is left out.

    Args:
        wanted: names of files without their ending.
        folder: where they lie; None: beside the notebooks.

    Returns:
        Name → page; without those that are missing, of fast mode, or of an older format.

    Example:
        >>> kept_pages(["cork"])
        Left out: cork (no page is kept).
        {}
    """
    places, found, missing = [folder] if folder else FOLDERS, {}, []
    for name in wanted:
        path = next((place / f"{name}.json" for place in places if (place / f"{name}.json").is_file()), None)
        kept = json.loads(path.read_text(encoding="utf-8")) if path else {}
        if why := _problem(kept):
            missing.append(f"{SETS.get(name, name)} ({why})")
        else:
            found[name] = KeptPage(SETS.get(name, name), kept)
    lines = [page.described for page in found.values()]
    lines += [f"Left out: {', '.join(missing)}."] if missing else []
    show(Card("\n".join(lines), "<br>".join(f"<i>{markup(line)}</i>" for line in lines)))
    return found


def _problem(kept: Mapping) -> str:
    if not kept:
        return "no page is kept"
    if kept["protocol"].get("format") != FORMAT:
        return "the page is of an older format"
    return "the page is of fast mode" if kept["protocol"]["fast"] else ""


def mean_over(pages: Iterable[KeptPage], method: str, metric: str) -> float:
    """The mean of a method's number over several pages.

    Args:
        pages: at least one.
        method: one that all of them have.
        metric: such as ``pixel_ap``.
    """
    return statistics.fmean(page.number(method, metric).value for page in pages)


def leaders(pages: Iterable[KeptPage], metric: str) -> dict[str, float]:
    """Methods that all pages have, by the mean of a number over the pages, the highest first.

    Args:
        pages: at least one.
        metric: such as ``image_auroc``.
    """
    several = list(pages)
    shared = [name for name in several[0].methods if all(name in page.methods for page in several)]
    means = {name: mean_over(several, name, metric) for name in shared}
    return dict(sorted(means.items(), key=lambda item: item[1], reverse=True))


def regrets(pages: Mapping[str, KeptPage], metric: str = "pro") -> dict[str, dict[str, float]]:
    """What is lost by always taking one method: the best number of each page minus that of the method.

    Args:
        pages: name → page.
        metric: such as ``pro``.

    Returns:
        Method → title of the page → regret, at least 0; methods that all pages have, the smallest mean first.
    """
    means = {page.title: page.means(metric) for page in pages.values()}
    shared = [name for name in next(iter(means.values()), {}) if all(name in row for row in means.values())]
    best = {title: max(row.values()) for title, row in means.items()}
    rows = {name: {title: best[title] - row[name] for title, row in means.items()} for name in shared}
    return dict(sorted(rows.items(), key=lambda item: sum(item[1].values())))


def kept_regret(path: Path | None = None) -> dict[str, dict]:
    """What was lost by taking what ``adkit.recommend`` would choose by; says when it was measured, or that it was not.

    Args:
        path: the file; None: beside the notebooks.

    Returns:
        Set → ``pro`` (method → PRO), ``quality`` (method → quality on stand-ins) and ``recommended``; empty where
        nothing is kept.

    Example:
        >>> kept_regret(Path("nowhere.json"))
        The regret of a recommendation has not been measured yet: python -m tests.regret.
        {}
    """
    found = next((place for place in ([path] if path else REGRETS) if place.is_file()), None)
    if found is None:
        told, rows = "The regret of a recommendation has not been measured yet: python -m tests.regret.", {}
    else:
        kept = json.loads(found.read_text(encoding="utf-8"))
        told, rows = f"Not of this run: measured {kept['date']} by python -m tests.regret, one seed.", kept["sets"]
    show(Card(told, f"<i>{markup(told)}</i>"))
    return rows
