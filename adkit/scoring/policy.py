"""Where to cut, as a file of its own: thresholds and the rules for regions can change, and the model stays as it is.

``policy.json`` lies beside a detector and is the only place that says where to cut; scores and maps stay raw.
"""

import difflib
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Real
from pathlib import Path
from typing import Protocol

from adkit.runtime.serialization import write_json
from adkit.scoring.thresholds import Threshold

POLICY_FILE = "policy.json"
DECISIONS = ("score", "regions", "both")
Box = tuple[int, int, int, int]


class Thresholded(Protocol):
    """The little that a policy asks of a fitted detector.

    Attributes:
        image_threshold: of image scores.
        pixel_threshold: of maps.
        settings: their fields ``score`` and ``border``, where there are any, say how a map becomes a score.
    """

    image_threshold: Threshold | None
    pixel_threshold: float | None
    settings: object


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How a map and a score become a verdict.

    Attributes:
        image_threshold: an image is anomalous where ``score >= image_threshold``.
        pixel_threshold: a pixel belongs to a region where ``map >= pixel_threshold``, in the unit of the map.
        high: a region without a pixel of at least this is suppressed (hysteresis); a region that reaches it and is
            suppressed all the same counts as strong. None: no such rule.
        min_area: smallest area of a region in pixels of the file.
        min_peak: least maximum of a region, in the unit of the map.
        border: pixels at the edge of the frame in which nothing counts.
        max_elongation: longest axis of a region over its shortest, from 1 on; None: no limit.
        ignore: boxes (top, left, height, width) in pixels of the file in which nothing counts.
        decide: ``score``: the score alone decides, and suppression only cleans the mask; ``regions``: an image is
            anomalous if a region is kept; ``both``: if a region is kept and the score without the suppressed ones
            reaches the threshold.
        review: scores from the first to the second go to a person; None: there is no such band.
        score_is_maximum: the score is the maximum of the map; ``decide="both"`` needs that.
        origin: how the numbers were made: method, number of normals, fingerprints, the hash of the policy before.

    Raises:
        ValueError: if a value is out of its range, or ``decide="both"`` meets a score that is no maximum.

    Example:
        >>> policy = Policy(image_threshold=0.5, pixel_threshold=0.2, min_area=12)
        >>> policy.changed(min_area=20).min_area
        20
    """

    image_threshold: float
    pixel_threshold: float
    high: float | None = None
    min_area: int = 0
    min_peak: float = 0.0
    border: int = 0
    max_elongation: float | None = None
    ignore: tuple[Box, ...] = ()
    decide: str = "score"
    review: tuple[float, float] | None = None
    score_is_maximum: bool = False
    origin: dict = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "ignore", tuple(_box(box) for box in self.ignore))
        for name in ("image_threshold", "pixel_threshold", "min_peak"):
            object.__setattr__(self, name, _number(name, getattr(self, name)))
        for name, least in (("high", -math.inf), ("max_elongation", 1.0)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _number(name, getattr(self, name), least))
        for name in ("min_area", "border"):
            object.__setattr__(self, name, _count(name, getattr(self, name)))
        if self.review is not None:
            object.__setattr__(self, "review", _band(self.review))
        self._check_decision()

    def _check_decision(self) -> None:
        if self.decide not in DECISIONS:
            raise ValueError(f"decide must be one of {', '.join(DECISIONS)}, got {self.decide!r}")
        if not isinstance(self.score_is_maximum, bool):
            raise ValueError(f"score_is_maximum must be true or false, got {self.score_is_maximum!r}")
        if self.decide == "both" and not self.score_is_maximum:
            raise ValueError(
                "decide='both' needs a score that is the maximum of the map, and this method's is none; "
                "use decide='score' or decide='regions'"
            )
        if not isinstance(self.origin, Mapping):
            raise ValueError(f"origin must be an object that says how the policy was made, got {self.origin!r}")

    # -- making --------------------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, detector: Thresholded) -> "Policy":
        """The policy that a detector follows by itself: its two thresholds, and no rule for regions.

        Scores in the bootstrap interval of the image threshold are marked for review; which images are called
        anomalous stays the same.

        Args:
            detector: fitted.

        Raises:
            RuntimeError: before ``fit``.
        """
        threshold = detector.image_threshold
        if threshold is None:
            raise RuntimeError(f"this {type(detector).__name__} has no thresholds; call fit(train, validation) first")
        return cls(
            image_threshold=threshold.value,
            pixel_threshold=detector.pixel_threshold,
            review=(threshold.low, threshold.high) if threshold.low <= threshold.high else None,
            score_is_maximum=_by_maximum(detector.settings),
            origin={"how": "the detector's own thresholds", "image_threshold": asdict(threshold)},
        )

    def changed(self, **changes) -> "Policy":
        """The same policy with some fields changed; its origin keeps the hash of this one.

        Args:
            changes: fields by name; raises a TypeError if one is unknown, a ValueError if a value will not do.
        """
        _refuse_unknown(changes)
        changes.setdefault("origin", {**self.origin, "changed": sorted(changes)})
        return replace(self, **changes | {"origin": {**changes["origin"], "previous": self.sha256}})

    # -- on disk -------------------------------------------------------------------------------------------------------

    @property
    def sha256(self) -> str:
        """Hash of all that the policy says, its origin included."""
        text = json.dumps(self.as_dict(), sort_keys=True, allow_nan=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def as_dict(self) -> dict:
        """The policy as plain data, lists for tuples."""
        return json.loads(json.dumps(asdict(self), allow_nan=False))

    def save(self, path: str | Path) -> Path:
        """Write the policy, whole or not at all.

        Args:
            path: of the file, or a folder (a detector's), which gets a ``policy.json``.
        """
        path = Path(path)
        path = path / POLICY_FILE if path.is_dir() else path
        write_json(path, self.as_dict())
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Policy":
        """Read a policy.

        Args:
            path: of the file, or a folder with a ``policy.json``.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it is damaged, a field is unknown or missing, or a value is out of its range.
        """
        path = Path(path)
        path = path / POLICY_FILE if path.is_dir() else path
        if not path.is_file():
            raise FileNotFoundError(f"no policy at {path}; Policy.of(detector).save(path) writes one")
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant))
        except (TypeError, ValueError) as error:
            raise ValueError(f"the policy {path} cannot be used: {error}") from error

    @classmethod
    def from_dict(cls, stored: Mapping) -> "Policy":
        """The inverse of :meth:`as_dict`; raises a TypeError or a ValueError that says what is wrong."""
        if not isinstance(stored, Mapping):
            raise ValueError(f"expected an object with the fields of a policy, got {type(stored).__name__}")
        _refuse_unknown(stored)
        if missing := {"image_threshold", "pixel_threshold"} - stored.keys():
            raise ValueError(f"{' and '.join(sorted(missing))} missing")
        return cls(**stored)


def _by_maximum(settings: object) -> bool:
    return getattr(settings, "score", "max") == "max" and not getattr(settings, "border", 0)


def _refuse_unknown(names: Mapping) -> None:
    known = [field.name for field in fields(Policy)]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise TypeError(f"a policy has no field {name!r}; {hint}")


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number that a policy can cut at")


def _number(name: str, value: object, least: float = -math.inf) -> float:
    valid = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) and value >= least
    if not valid:
        raise ValueError(
            f"{name} must be a finite number{f' of at least {least:g}' * (least > -math.inf)}, got {value!r}"
        )
    return float(value)


def _count(name: str, value: object) -> int:
    if not isinstance(value, Real) or isinstance(value, bool) or value != int(value) or value < 0:
        raise ValueError(f"{name} must be a whole number of pixels, at least 0, got {value!r}")
    return int(value)


def _box(box: object) -> Box:
    numbers = tuple(box) if isinstance(box, (list, tuple)) else ()
    if len(numbers) != 4:
        raise ValueError(f"an ignore box is (top, left, height, width) in pixels, got {box!r}")
    return tuple(_count("each number of an ignore box", number) for number in numbers)


def _band(band: object) -> tuple[float, float]:
    numbers = tuple(band) if isinstance(band, (list, tuple)) else ()
    if len(numbers) != 2:
        raise ValueError(f"review must be two scores, from and to, or nothing, got {band!r}")
    low, high = (_number("review", number) for number in numbers)
    if low > high:
        raise ValueError(f"review must rise from its first score to its second, got {list(band)}")
    return low, high
