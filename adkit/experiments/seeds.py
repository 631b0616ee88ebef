"""Numbers of several trainings of one configuration: their mean, and the interval of that mean; and paired differences.

Other test images *and* other trainings are drawn, see :mod:`adkit.metrics.seeds`. What is compared is compared on the
same images; which trainings a mean is of is drawn for each configuration by itself.
"""

import statistics
import zlib
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from adkit.experiments.evaluated import Evaluation
from adkit.experiments.experiment import Result
from adkit.metrics import Interval
from adkit.metrics.intervals import interval_of
from adkit.metrics.seeds import mean_of_drawn_seeds
from adkit.metrics.significance import LEVEL, Difference, difference_of
from adkit.runtime.values import did_you_mean

NAN = float("nan")
KNOWN = [field.name for field in fields(Evaluation) if field.default is None and field.name != "threshold"]


def over_seeds(results: Sequence[Result], name: str, kind: str | None = None) -> Interval:
    """A number of an evaluation, as the mean over seeds, with the 95 % bootstrap interval of that mean.

    Args:
        results: runs of one configuration with several seeds.
        name: name of a number of :class:`adkit.experiments.Evaluation`, or of its ``by_kind`` where ``kind`` is given.
        kind: a defect type; None: all defects.

    Returns:
        Its interval says how much other test images and, with several seeds, other trainings would move the mean. NaN
        where the number could not be computed; (low, high) is NaN where it has no interval.

    Raises:
        TypeError: if the results are none.
        ValueError: if there is none, or the number is unknown.
    """
    check_results(results)
    if kind is None and name not in KNOWN:
        raise ValueError(f"unknown metric {name!r}{did_you_mean(name, KNOWN)}; known: {', '.join(KNOWN)}")
    value, draws = mean(results, name, kind), mean_draws(results, name, kind)
    if draws is not None and value == value and 2 * np.isnan(draws).sum() <= draws.size:
        return interval_of(value, draws, LEVEL)
    # of one training, the interval of its evaluation is that of the mean
    alone = results[0].evaluation.intervals if len(results) == 1 and kind is None else {}
    return Interval(value, *alone.get(name, (NAN, NAN)))


def paired(a: Sequence[Result], b: Sequence[Result], name: str, kind: str | None = None) -> Difference:
    """How much better one configuration is than another: the difference of the means over seeds, on the same images.

    Two intervals that overlap do not make two configurations equal; this one tells.

    Args:
        a: runs of one configuration with one or several seeds.
        b: runs of another one, judged on the same test images.
        name: as of :func:`over_seeds`.
        kind: as of :func:`over_seeds`.

    Raises:
        ValueError: if they were judged on different images, or one of them has no draws of this number.

    Example:
        >>> from adkit import Experiment, run
        >>> tiny = {"settings": {"width": 4, "steps": 4, "crop": 32}, "image_size": (64, 64), "category": "denim"}
        >>> runs = [run(Experiment(seed=seed, **tiny), quiet=True) for seed in (0, 1)]
        >>> paired(runs, runs, "pro").shown
        False
    """
    if [row["path"] for row in a[0].evaluation.images] != [row["path"] for row in b[0].evaluation.images]:
        raise ValueError("a and b must be judged on the same test images: nothing can be paired otherwise")
    drawn = [mean_draws(results, name, kind) for results in (a, b)]
    if any(draws is None for draws in drawn) or len({len(draws) for draws in drawn}) > 1:
        raise ValueError(
            f"a and b must have equally many draws of {name!r}: take results of adkit.run, and a number that has an "
            "interval"
        )
    return difference_of(mean(a, name, kind) - mean(b, name, kind), drawn[0] - drawn[1])


def mean(results: Sequence[Result], name: str, kind: str | None = None) -> float:
    """The mean over seeds; NaN where a seed lacks the number.

    Args:
        results: as of :func:`over_seeds`.
        name: as of :func:`over_seeds`.
        kind: as of :func:`over_seeds`.
    """
    rows = [r.evaluation.by_kind.get(kind, {}) if kind else vars(r.evaluation) for r in results]
    return statistics.fmean(NAN if row.get(name) is None else row[name] for row in rows)


def mean_draws(results: Sequence[Result], name: str, kind: str | None = None) -> np.ndarray | None:
    """The mean over drawn seeds on each draw of test images, (n,); None where a seed lacks draws.

    Args:
        results: as of :func:`over_seeds`.
        name: as of :func:`over_seeds`.
        kind: as of :func:`over_seeds`.
    """
    kept = [getattr(result, "draws", None) for result in results]
    drawn = [None if draws is None else draws.of(name, kind) for draws in kept]
    if any(draws is None for draws in drawn) or len({len(draws) for draws in drawn}) > 1:
        return None
    return mean_of_drawn_seeds(np.stack(drawn), stream(results[0]))


def stream(result: Result) -> int:
    """The seed that the trainings of a configuration are drawn by: the same for all its numbers, another for others.

    Args:
        result: of the configuration, with any seed.
    """
    return zlib.crc32(result.experiment.label.encode())


def check_results(results: Sequence[Result]) -> None:
    """Refuse what is no list of results, or an empty one.

    Args:
        results: what should be a list of what :func:`adkit.run` returned.

    Raises:
        TypeError: if it is something else.
        ValueError: if it is empty.
    """
    if isinstance(results, Result):
        raise TypeError("results must be a list of what adkit.run returned, got one result; write [result]")
    # or whatever holds an evaluation, as a notebook's own scoring does
    if not isinstance(results, Sequence) or not all(hasattr(result, "evaluation") for result in results):
        raise TypeError(f"results must be a list of what adkit.run returned, got {results!r:.80}")
    if not results:
        raise ValueError("give at least one result, got none")
