"""Evidence as plain numbers, each with the limit that it is compared with.

The limits that evidence is compared with: one table, and how each was set.
"""

import math
from dataclasses import asdict, dataclass

BELOW, ABOVE, NOTED = "below", "above", "noted"


@dataclass(frozen=True)
class Reading:
    """One number.

    Attributes:
        name: what was measured, in words, with its unit.
        value: the number; None where it could not be measured.
        limit: what it is compared with; None for a number that is only noted.
        alarm: ``below`` or ``above`` the limit it speaks of trouble; ``noted``: it does not by itself.
        note: a detail, or why there is no value.
    """

    name: str
    value: float | None
    limit: float | None = None
    alarm: str = NOTED
    note: str = ""

    @property
    def exceeds_limit(self) -> bool | None:
        """Whether the number lies on the wrong side of its limit; None where it is not known, or has no limit."""
        if self.value is None or self.limit is None:
            return None
        return self.value < self.limit if self.alarm == BELOW else self.value > self.limit

    def __str__(self) -> str:
        """The number beside its limit.

        Example:
            >>> print(Reading("active dimensions", 0.0, 0.05, BELOW, note="0 of 32"))
            active dimensions 0 (0 of 32; trouble below 0.05)
        """
        if self.value is None:
            return f"{self.name} – ({self.note})"
        limit = "" if self.limit is None else f"trouble {self.alarm} {self.limit:.3g}"
        notes = "; ".join(filter(None, [self.note, limit]))
        return f"{self.name} {self.value:.3g}" + (f" ({notes})" if notes else "")

    def as_dict(self) -> dict:
        """Plain data, ready for JSON: a number that is not finite becomes None."""
        finite = self.value is None or math.isfinite(self.value)
        return asdict(self) | {"value": self.value if finite else None, "exceeds_limit": self.exceeds_limit}


Evidence = dict[str, Reading]


def any_of(*signs: bool | None) -> bool | None:
    """True if any sign is; None if none is, but one is not known.

    Example:
        >>> any_of(False, True, None), any_of(False, None), any_of(False, False)
        (True, None, False)
    """
    return True if True in signs else None if None in signs else False


def all_of(*signs: bool | None) -> bool | None:
    """False if any sign is; None if none is, but one is not known.

    Example:
        >>> all_of(True, False, None), all_of(True, None), all_of(True, True)
        (False, None, True)
    """
    return False if False in signs else None if None in signs else True


def negated(sign: bool | None) -> bool | None:
    """The opposite; what is not known stays so."""
    return None if sign is None else not sign


@dataclass(frozen=True)
class Limits:
    """Where a number becomes a sign of trouble.

    Set on gabardine, with the recipes and knobs of :mod:`.fault_injection` and seeds 0 to 2: about half-way
    between the worst run without the fault and the mildest run with it, as a difference or as a ratio, whichever suits
    the number. Where other fabrics are known to be harder, the limit lies nearer to the fault. Behind each limit stand
    these two numbers, ``sound | faulty``. Tests use other seeds and other fabrics.
    """

    steps: int = 50  # optimiser steps, below; 400 | 8
    drift: float = 0.1  # of the loss over the last half of training, relative to its end, above; a choice
    score_drift: float = 0.03  # of a score over the last half of training, above; a choice
    active_units: float = 0.05  # share of latent dimensions, below; 1 | 0
    kl_per_dimension: float = 0.001  # nats, below; 0.4 | 0.000003
    mutual_information: float = 0.5  # nats, below; 6.2 (of 6.24) | 0.0004
    noise: float = 0.05  # median σ², below: a few dimensions may keep theirs; 0.53 | 0.0064
    variance_ratio: float = 0.06  # of reconstructions by inputs, below; 0.68 | 0.005
    gain_over_mean: float = 0.2  # below; 0.73 | 0.01, and coarse cloth gains less
    retention: float = 0.75  # share of a synthetic defect that is reconstructed, above; 0.56 | 0.93
    share_above: float = 0.05  # of the pixels of normal maps, above; 0.005, as promised | 0.5
    same_top: float = 0.5  # share of normal images whose maps end at one and the same value, above; 0.025 | 1
    flagged_normals: float = 0.3  # share of the normal images, above; 0.05, as promised | 0.5
    broken_promise: float = 4.0  # share above a threshold by the share that its percentile promises, above; 1 | 18
    threshold_over_normals: float = 1.5  # image threshold by the highest score of a normal image, above; 0.97 | 4.5
    raw_match: float = 1.3  # factor between the thresholds and those of unsmoothed maps, below; 3.2 | 1
    f1: float = 0.02  # below; 0.11 | 0
    auroc: float = 0.64  # of images or pixels, below; 0.69 | 0.62, and other cloth is harder
    better_score: float = 0.13  # image AUROC that another score of the same maps gains, above; 0.10 | 0.18
    better_smoothing: float = 0.06  # image AUROC that less smoothing gains, above; 0.003 | 0.125
    shift_gain: float = 1.5  # fit at the best shift minus fit at none, in deviations over shifts, above; 0.18 | 6.5
