"""What a comparison found: numbers of each method, differences of any two, plain data; tables are in ``report``."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from adkit.compare.measure import Measured
from adkit.experiments.experiment import Result
from adkit.experiments.fitted import UNCOUNTED
from adkit.experiments.seeds import mean_draws, over_seeds, paired
from adkit.metrics import Interval
from adkit.metrics.significance import Difference, family

METRICS = ("image_auroc", "tile_auroc", "pixel_auroc", "pixel_ap", "pro", "pro_macro", "f1_at_threshold", "f1_oracle")
BY_KIND = ("recall", "image_auroc", "pixel_auroc", "pixel_ap", "pro")
PAIRED = ("image_auroc", "pixel_ap", "pro", "pro_macro")


@dataclass(frozen=True)
class Problem:
    """Why a run, or what was to be measured of it, is missing: ``skipped`` for want of a package or of weights, or
    ``failed`` with an error.
    """

    method: str
    seed: int
    status: str
    reason: str


@dataclass(frozen=True, repr=False)
class Comparison:
    """Several methods on one data set.

    Attributes:
        protocol: what is the same for all: the data, the seeds, the number of draws, the versions.
        results: method → its results, one a seed, all with draws of the same test images.
        measured: method → what its middle run costs.
        problems: runs that are missing.
    """

    protocol: dict
    results: dict[str, list[Result]]
    measured: dict[str, Measured]
    problems: list[Problem]

    @property
    def ranking(self) -> str:
        """The number that methods are ranked by: PRO, or image AUROC where no mask is known."""
        return _ranking([run for runs in self.results.values() for run in runs])

    @property
    def best(self) -> str | None:
        """The method with the highest mean of the ranking number; None if there is no result."""
        means = {name: self.number(name, self.ranking).value for name in self.results}
        return max(means, key=lambda name: -math.inf if math.isnan(means[name]) else means[name], default=None)

    def number(self, method: str, metric: str, kind: str | None = None) -> Interval:
        """A number of a method: its mean over seeds, and the interval of that mean, as of :func:`adkit.over_seeds`.

        Args:
            method: one of those in ``results``.
            metric: name of a number of :class:`adkit.experiments.Evaluation`, or of its ``by_kind``.
            kind: a defect type, for one of ``BY_KIND``; None: all defects.
        """
        return over_seeds(self.results[method], metric, kind)

    def paired(self, a: str, b: str) -> dict[str, Difference]:
        """How much better a is than b: differences of their means over seeds, with 95 % intervals and p-values.

        Test images are drawn, the same for both (defective and normal ones apart), and seeds, for each by itself. With
        one seed the interval does not say what another training would change.

        Args:
            a: name of a method, one of those in ``results``.
            b: name of the method that it is compared with.

        Returns:
            ``image_auroc``, ``pixel_ap``, ``pro`` and ``pro_macro``, without those that could not be computed. Their
            p-values stand alone; those of :meth:`against_best` are corrected.

        Raises:
            ValueError: if a method has no result.
        """
        if missing := [name for name in (a, b) if name not in self.results]:
            raise ValueError(f"no result of {', '.join(missing)}; there are results of {', '.join(self.results)}")
        both = [self.results[name] for name in (a, b)]
        known = [metric for metric in PAIRED if all(mean_draws(runs, metric) is not None for runs in both)]
        return {metric: paired(*both, metric) for metric in known}

    def against_best(self) -> dict[str, dict[str, Difference]]:
        """The best method minus each other one, corrected by Holm for their number, metric by metric.

        Returns:
            Name of the other method → metric → difference; ``shown`` says whether it is there at 5 % in its family.
        """
        gaps = {name: self.paired(self.best, name) for name in self.results if name != self.best}
        families = {m: family({name: row[m] for name, row in gaps.items() if m in row}) for m in PAIRED}
        return {name: {metric: families[metric][name] for metric in row} for name, row in gaps.items()}

    def as_dict(self) -> dict:
        """Plain data, ready for JSON; what could not be computed is None."""
        gaps = self.against_best()
        return {
            "protocol": self.protocol,
            "methods": {name: self._described(name) for name in self.results},
            "best": self.best,
            "ranking": self.ranking,
            "paired": {
                name: {metric: asdict(gap) | {"shown": gap.shown} for metric, gap in row.items()}
                for name, row in gaps.items()
            },
            "problems": [asdict(problem) for problem in self.problems],
        }

    def _described(self, name: str) -> dict:
        runs = self.results[name]
        evaluations, chosen = [run.evaluation for run in runs], runs[0].experiment.settings
        return {
            "method": runs[0].experiment.method,
            "settings": {key: value for key, value in chosen.items() if key not in UNCOUNTED},
            "seeds": [run.experiment.seed for run in runs],
            "metrics": {
                metric: _plain(self.number(name, metric)) | {"values": [run[metric] for run in evaluations]}
                for metric in METRICS
            },
            "by_kind": {
                kind: {metric: _plain(self.number(name, metric, kind)) for metric in BY_KIND}
                | {count: row.get(count) for count in ("n", "n_regions")}
                for kind, row in evaluations[0].by_kind.items()
            },
            "by_size": self.by_size(name),
            "cost": self.cost(name),
        }

    def by_size(self, name: str) -> list[dict]:
        """PRO of small, medium and large regions, mean over seeds; empty where no mask is known."""
        groups = zip(*(run.evaluation.by_size for run in self.results[name]), strict=True)
        return [
            rows[0] | {"pro": None if rows[0]["pro"] is None else statistics.fmean(row["pro"] for row in rows)}
            for rows in groups
        ]

    def cost(self, name: str) -> dict:
        """Mean seconds of training, and what was measured of the middle run, None where that failed."""
        measured = self.measured.get(name)
        names = ("seconds_per_frame", "parameters", "saved_bytes", "peak_bytes")
        return {
            "fit_seconds": statistics.fmean(run.seconds["fit"] for run in self.results[name]),
            **{number: getattr(measured, number, None) for number in names},
        }

    def __str__(self) -> str:
        means = [f"{name} {self.number(name, self.ranking).value:.3f}" for name in self.results]
        return f"Comparison by {self.ranking}: {', '.join(means) or 'no result'}"

    __repr__ = __str__


def middle(runs: Sequence[Result]) -> Result:
    """The run in the middle of its seeds, by the ranking number; of an even number, the upper of the two."""
    name = _ranking(runs)
    return sorted(runs, key=lambda run: run.evaluation[name] or 0.0)[len(runs) // 2]


def _ranking(runs: Sequence[Result]) -> str:
    return "image_auroc" if any(run.evaluation.pro is None for run in runs) else "pro"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _plain(interval: Interval) -> dict[str, float | None]:
    return {"mean": _number(interval.value), "low": _number(interval.low), "high": _number(interval.high)}
