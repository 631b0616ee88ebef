"""One evaluation on bootstrap samples of its test images: what every interval comes from, of one training or several.

The samples depend on the test images and a seed alone, so they are the same for every detector, every training and
every metric: whatever is to be compared is compared on the same images, by subtraction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from adkit.data.samples import NORMAL
from adkit.detectors.prediction import Predictions
from adkit.experiments.evaluated import Evaluation
from adkit.metrics.intervals import Interval, interval_of
from adkit.metrics.resampling import ScoreTable, centred, counts_of_groups

LEVEL = 0.95
IMAGE = {
    "image_auroc": "auroc",
    "image_ap": "ap",
    "f1_oracle": "f1_max",
}  # name in an Evaluation → in a table's metrics
PIXEL = {"pixel_auroc": "auroc", "pixel_ap": "ap", "pro": "pro", "pixel_f1_oracle": "f1_max"}
BY_KIND = ("recall", "image_auroc", "pro")
GROUPS = ("marked", "normal", "unmarked", "empty")  # drawn apart: their numbers are the designer's choice, not chance
FEWEST = 2  # images of a defect type from which on its numbers get an interval


@dataclass(frozen=True)
class Draws:
    """Numbers of an evaluation on n samples of its test images, NaN where a sample lacks what a number needs.

    Attributes:
        overall: name → (n,).
        by_kind: defect type → name → (n,).
    """

    overall: Mapping[str, np.ndarray] = field(default_factory=dict)
    by_kind: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)

    def of(self, name: str, kind: str | None = None) -> np.ndarray | None:
        """The draws of one number; None where there are none.

        Args:
            name: of a number of an evaluation.
            kind: a defect type; None: all defects.
        """
        return (self.overall if kind is None else self.by_kind.get(kind, {})).get(name)

    def interval(self, value: float | None, name: str, kind: str | None = None) -> Interval | None:
        """The interval of one number; None where most draws lack it.

        Args:
            value: on the test images themselves.
            name: of the number.
            kind: a defect type; None: all defects.
        """
        draws = self.of(name, kind)
        if value is None or draws is None or 2 * np.isnan(draws).sum() > draws.size:
            return None
        return interval_of(value, draws, LEVEL)

    def __len__(self) -> int:
        """How many samples there are."""
        return next((len(draws) for draws in self.overall.values()), 0)

    def first(self, n: int) -> "Draws":
        """The first n samples, which are n samples as good as any.

        Args:
            n: how many.
        """
        kinds = {kind: {name: values[:n] for name, values in row.items()} for kind, row in self.by_kind.items()}
        return Draws({name: values[:n] for name, values in self.overall.items()}, kinds)

    def as_dict(self) -> dict:
        """Plain data, ready for JSON."""
        kinds = {kind: {name: _listed(values) for name, values in row.items()} for kind, row in self.by_kind.items()}
        return {"overall": {name: _listed(values) for name, values in self.overall.items()}, "by_kind": kinds}

    @classmethod
    def from_dict(cls, stored: Mapping | None) -> "Draws":
        """The inverse of :meth:`as_dict`; without draws where none were stored."""
        stored = stored or {"overall": {}, "by_kind": {}}
        kinds = {kind: {name: _array(row[name]) for name in row} for kind, row in stored["by_kind"].items()}
        return cls({name: _array(values) for name, values in stored["overall"].items()}, kinds)


def draw(judged: Predictions, found: Evaluation, n: int, seed: int, table: ScoreTable | None = None) -> Draws:
    """Every number of an evaluation that can be counted image by image, on n samples of the images.

    Args:
        judged: maps, scores and truth of every image.
        found: what the evaluation says of the images themselves.
        n: how many samples, at least 1.
        seed: whole number; another one draws other samples.
        table: the pixels of the images whose masks are known, counted; None: they are counted here.
    """
    counts = counts_of_groups(
        [_group(*each) for each in zip(judged.labels, judged.masks, strict=True)], GROUPS, n, seed
    )
    overall, by_kind = _image_draws(judged, found, counts)
    pixels, pixels_by_kind = _pixel_draws(judged, found, counts, table)
    kinds = {kind: by_kind.get(kind, {}) | pixels_by_kind.get(kind, {}) for kind in found.by_kind}
    return Draws(overall | pixels, kinds)


def kind_intervals(draws: Draws, kind: str, row: Mapping) -> dict[str, list[float]]:
    """Name → [low, high] of the numbers of one defect type, where it has enough images to be drawn from.

    Args:
        draws: of the evaluation.
        kind: the defect type.
        row: its row in ``by_kind``.
    """
    found = {name: draws.interval(row[name], name, kind) for name in BY_KIND if row["n"] >= FEWEST}
    return {name: [interval.low, interval.high] for name, interval in found.items() if interval}


def _group(label: int, mask: np.ndarray | None) -> str:
    if mask is None:
        return "unmarked"
    return "marked" if mask.any() else "empty" if label else "normal"


def _image_draws(judged: Predictions, found: Evaluation, counts: np.ndarray) -> tuple[dict, dict]:
    """Of image scores and decisions: overall, and by defect type."""
    labels, kinds = judged.labels.astype(bool), np.array(judged.kinds)
    flagged = np.array([row["flagged"] for row in found.images], dtype=bool)
    decided = {
        "recall": _share(counts, flagged, labels),
        "false_positive_rate": _share(counts, flagged, ~labels),
        # 2 TP / (flagged + defective)
        "f1_at_threshold": 2 * (counts @ (flagged & labels)) / np.maximum(counts @ flagged + counts @ labels, 1),
    }
    overall = {name: values for name, values in decided.items() if found[name] is not None}
    by_kind = {kind: {"recall": _share(counts, flagged, kinds == kind)} for kind in found.by_kind}
    if found.image_auroc is None:
        return overall, by_kind
    table = ScoreTable.of_labels(labels, judged.scores)
    drawn = table.measure(counts, names=tuple(IMAGE.values()))
    overall |= {name: drawn[short] for name, short in IMAGE.items()}
    for kind, row in by_kind.items():
        row["image_auroc"] = table.measure(counts, rows=_rows(kinds, kind), names=("auroc",))["auroc"]
    return overall, by_kind


def _pixel_draws(
    judged: Predictions, found: Evaluation, counts: np.ndarray, table: ScoreTable | None
) -> tuple[dict, dict]:
    """Of maps: overall, and by defect type; ``pro_macro`` is the mean over the types that a sample holds."""
    if found.pro is None:
        return {}, {}
    known = [i for i, mask in enumerate(judged.masks) if mask is not None]
    kinds, counts = np.array(judged.kinds)[known], counts[:, known]
    table = table or ScoreTable.of_maps([judged.masks[i] for i in known], [judged.maps[i] for i in known])
    drawn = _centred(table, counts, {short: found[name] for name, short in PIXEL.items()}, found.fpr_limit)
    by_kind = {}
    for kind, row in found.by_kind.items():
        if row["pro"] is not None:
            exact = {"pro": row["pro"], "ap": row["pixel_ap"]}
            own = _centred(table, counts, exact, found.fpr_limit, _rows(kinds, kind))
            by_kind[kind] = {"pro": own["pro"], "pixel_ap": own["ap"]}
    overall = {name: drawn[short] for name, short in PIXEL.items()}
    return overall | {"pro_macro": np.nanmean([row["pro"] for row in by_kind.values()], axis=0)}, by_kind


def _centred(
    table: ScoreTable, counts: np.ndarray, exact: dict[str, float], fpr_limit: float, rows: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Draws of pixel metrics, without the error that counting in bins makes on the images themselves."""
    itself = table.measure(np.ones((1, counts.shape[1])), fpr_limit, rows, tuple(exact))
    drawn = table.measure(counts, fpr_limit, rows, tuple(exact))
    return {name: centred(drawn[name], itself[name][0], value) for name, value in exact.items()}


def _rows(kinds: np.ndarray, kind: str) -> np.ndarray:
    """Numbers of the images of a defect type and of the normal ones."""
    return np.flatnonzero((kinds == kind) | (kinds == NORMAL))


def _share(counts: np.ndarray, flagged: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Share of some images that is flagged, on each sample; NaN where it holds none of them."""
    whole = counts @ among
    return np.divide(counts @ (flagged & among), whole, out=np.full(len(counts), np.nan), where=whole > 0)


def _listed(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _array(values: list[float | None]) -> np.ndarray:
    return np.array(values, dtype=float)
