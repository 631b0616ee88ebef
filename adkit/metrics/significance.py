"""Which of several differences are shown: bootstrap p-values, and Holm's correction for having looked at several.

One comparison in twenty of equal methods "is shown" at 5 %. Of twelve methods against the best one, one would be so by
luck more often than not; Holm's procedure keeps the chance of *any* such error in the family at 5 %.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 15 (p-values from resampled values);
Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from adkit.metrics.intervals import Interval, interval_of

LEVEL = 0.95


@dataclass(frozen=True)
class Difference(Interval):
    """How much better one thing is than another on the same images, and whether that is shown.

    Attributes:
        p: two-sided bootstrap p-value, of this comparison alone.
        p_holm: the same in the family of comparisons that it belongs to; None: it stands alone.

    Example:
        >>> print(Difference(0.1, 0.05, 0.16, p=0.004))
        +0.100 [+0.050, +0.160], p 0.004
    """

    p: float
    p_holm: float | None = None

    @property
    def shown(self) -> bool:
        """Whether it is there at 5 %, after the correction for its family where it has one."""
        return (self.p if self.p_holm is None else self.p_holm) < 1 - LEVEL

    def __str__(self) -> str:
        p = self.p if self.p_holm is None else self.p_holm
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}], p {p:.3f}"


def difference_of(value: float, draws: np.ndarray) -> Difference:
    """A difference with interval and p-value from one distribution.

    Args:
        value: of the test set itself.
        draws: (n,) the difference on each draw, NaN where it is unknown.

    Raises:
        ValueError: if more than half of the draws are NaN.
    """
    interval = interval_of(value, draws, LEVEL)
    return Difference(interval.value, interval.low, interval.high, bootstrap_p(draws))


def family(differences: Mapping[Hashable, Difference]) -> dict[Hashable, Difference]:
    """The same differences, corrected for there being several of them.

    Args:
        differences: all that were looked at, by name.
    """
    adjusted = holm({name: each.p for name, each in differences.items()})
    return {name: replace(each, p_holm=adjusted[name]) for name, each in differences.items()}


def bootstrap_p(differences: np.ndarray) -> float:
    """Two-sided p-value of a difference: how far into its bootstrap distribution 0 lies.

    Twice the share of draws on the rarer side of 0, so that p is below 5 % where the 95 % percentile interval excludes
    0. A draw is added to either side: no p-value from n draws can be below 2 / (n + 1).

    Args:
        differences: (n,) of each draw; NaN is left out.

    Returns:
        In (0, 1].

    Example:
        >>> bootstrap_p(np.linspace(0.01, 0.05, 999)), bootstrap_p(np.zeros(999))
        (0.002, 1.0)
    """
    known = differences[~np.isnan(differences)]
    sides = np.count_nonzero(known <= 0), np.count_nonzero(known >= 0)
    return float(min(1.0, 2 * (1 + min(sides)) / (1 + known.size)))


def holm(p_values: Mapping[Hashable, float]) -> dict[Hashable, float]:
    """Holm's adjusted p-values of a family of comparisons; those below 5 % are shown, all of them together.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none may fall below the one before.

    Args:
        p_values: comparison → its own p-value, in [0, 1].

    Returns:
        Comparison → adjusted p-value, at most 1, in the order given.

    Example:
        >>> holm({"a": 0.04, "b": 0.01, "c": 0.03})
        {'a': 0.06, 'b': 0.03, 'c': 0.06}
    """
    adjusted, highest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = min(1.0, max(highest, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}
