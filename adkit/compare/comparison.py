"""What a comparison found: numbers of each method, differences of any two, plain data; tables are in ``report``."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from adkit.compare.measure import Measured, differences
from adkit.experiments.experiment import Result
from adkit.experiments.fitted import UNCOUNTED
from adkit.experiments.tables import over_seeds
from adkit.metrics import Interval

METRICS = ("image_auroc", "tile_auroc", "pixel_auroc", "pixel_ap", "pro", "f1_at_threshold", "f1_oracle")
BY_KIND = ("recall", "image_auroc", "pixel_auroc", "pixel_ap", "pro")


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
        results: method → its results, one a seed.
        measured: method → what its middle run costs and how it does on bootstrap samples of the test images.
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
        """A number of a method: its mean over seeds, and an interval, as of :func:`adkit.over_seeds`.

        Args:
            method: one of those in ``results``.
            metric: name of a number of :class:`adkit.experiments.Evaluation`, or of its ``by_kind``.
            kind: a defect type, for one of ``BY_KIND``; None: all defects.
        """
        return over_seeds(self.results[method], metric, kind)

    def paired(self, a: str, b: str) -> dict[str, Interval]:
        """How much better a is than b on the same images: 95 % bootstrap intervals of the differences a - b.

        Of the middle run of each method, by the ranking number. A difference counts as shown where its interval
        excludes 0. The images are drawn (for pixel metrics defective and normal ones apart), not the training: what
        another seed would change, the interval does not say.

        Args:
            a: name of a method, one of those in ``results``.
            b: name of the method that it is compared with.

        Returns:
            ``image_auroc``, ``pixel_ap`` and ``pro``, without those that could not be computed.

        Raises:
            ValueError: if a method has no result.
        """
        if missing := [name for name in (a, b) if name not in self.results]:
            raise ValueError(f"no result of {', '.join(missing)}; there are results of {', '.join(self.results)}")
        resampled = [self.measured[name].resampled if name in self.measured else {} for name in (a, b)]
        return differences(*(middle(self.results[name]) for name in (a, b)), *resampled, n=self.protocol["draws"])

    def as_dict(self) -> dict:
        """Plain data, ready for JSON; what could not be computed is None."""
        best = self.best
        return {
            "protocol": self.protocol,
            "methods": {name: self._described(name) for name in self.results},
            "best": best,
            "ranking": self.ranking,
            "paired": {
                name: {metric: asdict(interval) for metric, interval in self.paired(best, name).items()}
                for name in self.results
                if name != best
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
                kind: {metric: _number(self.number(name, metric, kind).value) for metric in BY_KIND}
                for kind in evaluations[0].by_kind
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
