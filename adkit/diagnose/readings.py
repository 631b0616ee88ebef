"""Evidence as plain numbers, each with the limit that it is compared with."""

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
    def trips(self) -> bool | None:
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
        return asdict(self) | {"value": self.value if finite else None, "trips": self.trips}


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
