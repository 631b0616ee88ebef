"""Wall time that is given, and trainings that are cut to fit into it."""

import re
import time
from collections.abc import Sequence

from adkit.data import Splits
from adkit.defects.stand_in import StandIn
from adkit.detectors.base import Detector
from adkit.detectors.network import TrainingSettings

UNITS = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0}
# a training of fewer steps is none
FEWEST = 50
# steps that are timed
TIMED = 5


def as_seconds(budget: str | float) -> float:
    """A time in seconds.

    Args:
        budget: seconds, or a text such as ``"30 s"``, ``"10 min"`` or ``"1 h"``.

    Raises:
        ValueError: if it is neither, or not above 0.

    Example:
        >>> as_seconds("10 min"), as_seconds(90)
        (600.0, 90.0)
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*(s|sec|min|h)\s*", budget) if isinstance(budget, str) else None
    try:
        seconds = float(found[1]) * UNITS[found[2]] if found else float(budget)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"budget must be seconds, or a text such as '1 min', '10 min' or '1 h', got {budget!r}")
    return seconds


class Clock:
    """How much of a budget is left.

    Args:
        seconds: the budget.
    """

    def __init__(self, seconds: float):
        self.seconds, self.start = seconds, time.perf_counter()

    @property
    def passed(self) -> float:
        """Seconds since it was made."""
        return time.perf_counter() - self.start

    @property
    def left(self) -> float:
        """Seconds that are left; below 0 when the time is over."""
        return self.seconds - self.passed

    def share(self, candidates: int) -> float:
        """Seconds for the next of some candidates, the fusion at the end counted as one."""
        return self.left / (candidates + 1)


def seconds_of_fusion(images: int, seconds_per_frame: float) -> float:
    """Seconds that a fusion takes: all members look at all stand-ins twice, and at the validation images.

    Args:
        images: number of stand-ins.
        seconds_per_frame: of all members together.
    """
    return 2.5 * images * seconds_per_frame


def shortened(
    detector: Detector, splits: Splits, images: Sequence[StandIn], seconds: float
) -> tuple[Detector | None, str]:
    """The detector with as many training steps as fit into some seconds, judging the stand-ins included.

    A few steps are timed. What does not train step by step is taken as it is where a fit to a tenth of the images says
    that it fits.

    Args:
        detector: not fitted.
        splits: what it would learn from.
        images: what it would be judged on.
        seconds: the time for it.

    Returns:
        The detector, fewer steps in its settings where needed, or None; and a note that says so.
    """
    settings = detector.settings
    start = time.perf_counter()
    if not isinstance(settings, TrainingSettings):
        few = splits.train.subset(range(min(len(splits.train), max(3, len(splits.train) // 10))))
        trial = _trial(detector).fit(few, splits.validation)
        fit = (time.perf_counter() - start) * len(splits.train) / len(few)
        needed = fit + _judging(trial, images)
        if needed > seconds:
            return None, f"left out: it would take about {needed:.0f} s, and {seconds:.0f} s are left for it"
        return detector, ""
    trial = detector.fresh(steps=TIMED, validate_every=TIMED).fit(splits.train, splits.validation)
    rows = [row["seconds"] for row in trial.history if "seconds" in row]
    passed = time.perf_counter() - start
    step = (rows[-1] if rows else passed) / TIMED
    left = seconds - 2 * passed - _judging(trial, images)
    steps = min(settings.steps, int(left / step))
    if steps < min(FEWEST, settings.steps):
        return None, f"left out: {max(steps, 0)} steps of training fit into {seconds:.0f} s, {FEWEST} are the least"
    if steps == settings.steps:
        return detector, ""
    return detector.fresh(steps=steps), f"{steps} of {settings.steps} steps"


def _trial(detector: Detector) -> Detector:
    """The detector with a training inside, if it has one, of a few steps."""
    own = getattr(detector.settings, "own", None)
    return detector.fresh(own={**own, "steps": TIMED}) if isinstance(own, dict) else detector.fresh()


def _judging(detector: Detector, images: Sequence[StandIn]) -> float:
    """Seconds that judging all stand-ins will take, by the first of them."""
    start = time.perf_counter()
    detector.anomaly_map(images[0].image, images[0].foreground)
    return (time.perf_counter() - start) * len(images)
