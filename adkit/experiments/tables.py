"""Results side by side: one row an experiment, mean ± standard deviation over its seeds."""

import html
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from adkit.experiments.evaluation import Evaluation
from adkit.experiments.experiment import Experiment, Result
from adkit.experiments.seeds import KNOWN, check_results
from adkit.experiments.seeds import over_seeds as over_seeds
from adkit.runtime.console import printable

LOWER_IS_BETTER = ("false_positive_rate",)
DATA = ("dataset", "category", "image_size", "channels", "tile", "overlap", "data_seed")  # named where they differ


@dataclass(frozen=True, repr=False)
class Table:
    """Rows to print, to show in a notebook, or to write into a README.

    Attributes:
        rows: plain dicts: ``name``, ``n`` (seeds), and for each metric its ``mean``, its ``std`` (of the sample; None
            for one seed) and its ``values``. All are None, or empty, where the metric could not be computed.
        metrics: the columns.
    """

    rows: list[dict]
    metrics: tuple[str, ...]

    def best(self, metric: str) -> float | None:
        """The best mean of a column, as it is shown; None for a single row.

        Args:
            metric: one of ``metrics``.
        """
        means = [round(row[metric]["mean"], 3) for row in self.rows if row[metric]["mean"] is not None]
        choose = min if metric in LOWER_IS_BETTER else max
        return choose(means) if len(self.rows) > 1 and means else None

    def cells(self, mark: str) -> list[list[str]]:
        """The texts of all rows.

        Args:
            mark: how the best value of a column looks, such as ``**{}**``.
        """
        best = {metric: self.best(metric) for metric in self.metrics}
        return [
            [row["name"], str(row["n"]), *(_cell(row[metric], best[metric], mark) for metric in self.metrics)]
            for row in self.rows
        ]

    def markdown(self) -> str:
        """A Markdown table, the best value of each column in bold."""
        lines = [["experiment", "seeds", *self.metrics], ["---", *["---:"] * (1 + len(self.metrics))]]
        escaped = [[name.replace("|", "\\|"), *rest] for name, *rest in self.cells("**{}**")]
        return "\n".join(f"| {' | '.join(line)} |" for line in [*lines, *escaped])

    def __str__(self) -> str:
        """Aligned text, the best value of each column with a star."""
        lines = [["experiment", "seeds", *self.metrics], *self.cells("{} *")]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = [[text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in lines]
        return printable("\n".join("  ".join(line).rstrip() for line in padded))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ("experiment", "seeds", *self.metrics))
        escaped = [[html.escape(name), *rest] for name, *rest in self.cells("<b>{}</b>")]
        body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in line)}</tr>" for line in escaped)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table(
    results: Sequence[Result],
    metrics: Sequence[str] = ("image_auroc", "pixel_auroc", "pixel_ap", "pro", "f1_at_threshold", "f1_oracle"),
) -> Table:
    """Put results side by side; those that differ by nothing but their seed share a row.

    Args:
        results: what :func:`adkit.run` returned; one that comes twice counts once.
        metrics: names of numbers of :class:`adkit.experiments.Evaluation`.

    Raises:
        ValueError: if there is no result, or a metric is unknown.

    Example:
        >>> from pathlib import Path
        >>> scores = {("mse", 0): 0.71, ("mse", 1): 0.75, ("ssim", 0): 0.9}
        >>> results = []
        >>> for (loss, seed), score in scores.items():
        ...     experiment = Experiment(settings={"loss": loss}, seed=seed)
        ...     results.append(Result(experiment, Evaluation(image_auroc=score), {}, [], {}, Path()))
        >>> table(results, metrics=["image_auroc"])
        experiment  seeds  image_auroc
        loss=mse    2      0.730 ± 0.028
        loss=ssim   1      0.900 *
    """
    check_results(results)
    if unknown := [name for name in metrics if name not in KNOWN]:
        raise ValueError(f"unknown metric {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    groups: dict[str, dict[int, Evaluation]] = {}
    for name, result in zip(_names([result.experiment for result in results]), results, strict=True):
        groups.setdefault(name, {})[result.experiment.seed] = result.evaluation
    rows = [
        {"name": name, "n": len(seeds), **{metric: _summary(list(seeds.values()), metric) for metric in metrics}}
        for name, seeds in groups.items()
    ]
    return Table(rows, tuple(metrics))


def _names(experiments: Sequence[Experiment]) -> list[str]:
    """What tells the experiments apart: the settings and the data that differ; several methods keep their labels."""
    data = _differing([{name: getattr(experiment, name) for name in DATA} for experiment in experiments])
    if len({experiment.method for experiment in experiments}) > 1:
        settings = [{} for _ in experiments]
    else:
        settings = _differing([experiment.describe()["settings"] | {"seed": None} for experiment in experiments])
    names = []
    for experiment, own, images in zip(experiments, settings, data, strict=True):
        differing = [f"{name}={value}" for name, value in (own | images).items()]
        names.append(", ".join(differing if own else [experiment.label, *differing]))
    return names


def _differing(rows: Sequence[dict]) -> list[dict]:
    """The entries whose values are not the same in all rows."""
    differing = [name for name in rows[0] if len({str(row[name]) for row in rows}) > 1]
    return [{name: row[name] for name in differing} for row in rows]


def _summary(evaluations: list[Evaluation], metric: str) -> dict:
    values = [evaluation[metric] for evaluation in evaluations if evaluation[metric] is not None]
    return {
        "mean": statistics.fmean(values) if values else None,
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "values": values,
    }


def _cell(summary: dict, best: float | None, mark: str) -> str:
    if summary["mean"] is None:
        return "–"
    spread = "" if summary["std"] is None else f" ± {summary['std']:.3f}"
    text = f"{summary['mean']:.3f}{spread}"
    return mark.format(text) if round(summary["mean"], 3) == best else text
