"""Regions of a map, kept or suppressed, and never without a word: which rule, which value, which limit.

The rules go in a fixed order, and the first that hits is the one that is logged: ``ignore`` (boxes), ``foreground``,
``border``, ``min_area``, ``elongation``, ``hysteresis``, ``min_peak``. The first three look at places: what lies in
them is cut off and becomes a suppressed region of its own, so that a defect which reaches out of such a place is still
judged by the rest of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from adkit.metrics.components import regions
from adkit.metrics.inputs import check_finite
from adkit.scoring.policy import Policy
from adkit.scoring.regions import Region, find_regions

RULES = ("ignore", "foreground", "border", "min_area", "elongation", "hysteresis", "min_peak")


class Judged(Protocol):
    """What :func:`suppress` takes, such as an :class:`adkit.detectors.Prediction`.

    Attributes:
        score: of the image.
        anomaly_map: (H, W) at the image's own size.
    """

    score: float
    anomaly_map: np.ndarray


@dataclass(frozen=True)
class Suppressed:
    """A region that does not count, and why.

    Attributes:
        region: which.
        rule: one of ``RULES``.
        value: what was measured: an area, an elongation, a peak; in a place, the share of the region in it, always 1.
        limit: what the rule asks for.
        strong: its peak reaches the policy's ``high``, or, where there is none and the score is the map's maximum, the
            image threshold: the failure that hurts if the rule was wrong.
        verdict_changed: without suppression the image would have been called anomalous.
    """

    region: Region
    rule: str
    value: float
    limit: float
    strong: bool
    verdict_changed: bool


@dataclass(frozen=True)
class Verdict:
    """What a policy says of one image.

    Attributes:
        verdict: ``normal``, ``anomalous`` or ``review``.
        is_anomalous: the decision without the band for review.
        score: of the image.
        score_after: what is left of the score without the suppressed regions; None where the score is no maximum.
        mask: (H, W) bool, the kept regions.
        kept: regions that count, the highest peak first.
        suppressed: regions that do not.
        policy_sha256: hash of the policy.
        reason: the decision in words.
    """

    verdict: str
    is_anomalous: bool
    score: float
    score_after: float | None
    mask: np.ndarray
    kept: list[Region]
    suppressed: list[Suppressed]
    policy_sha256: str
    reason: str

    @property
    def strong(self) -> list[Suppressed]:
        """The suppressed regions that are strong."""
        return [one for one in self.suppressed if one.strong]


def suppress(prediction: Judged, policy: Policy, foreground: np.ndarray | None = None) -> Verdict:
    """Apply a policy to a prediction.

    Two things always hold: with ``decide="score"`` suppression cleans the mask and never changes the verdict; and the
    areas of what is kept and of what is suppressed add up to that of all pixels at or above the pixel threshold.

    Args:
        prediction: anything with a ``score`` and an ``anomaly_map`` (H, W).
        policy: where to cut.
        foreground: bool (H, W), where the object is; None: everywhere.

    Raises:
        ValueError: if the map is not (H, W) and finite, or the foreground has another shape.

    Example:
        >>> from types import SimpleNamespace
        >>> a_map = np.zeros((20, 30))
        >>> a_map[2:8, 3:9], a_map[15, 20] = 0.9, 0.4
        >>> policy = Policy(image_threshold=0.5, pixel_threshold=0.3, min_area=4)
        >>> verdict = suppress(SimpleNamespace(score=0.9, anomaly_map=a_map), policy)
        >>> verdict.verdict, [region.area for region in verdict.kept]
        ('anomalous', [36])
        >>> [(one.rule, one.value, one.limit) for one in verdict.suppressed]
        [('min_area', 1.0, 4.0)]
    """
    a_map = np.asarray(prediction.anomaly_map)
    if a_map.ndim != 2:
        raise ValueError(f"an anomaly map must be (H, W), got shape {a_map.shape}; judge one image at a time")
    check_finite(a_map, np.asarray(float(prediction.score)))
    raw = a_map >= policy.pixel_threshold
    mask, dropped = raw.copy(), []
    for rule, limit, place in _places(a_map.shape, policy, foreground):
        dropped += [(region, rule, 1.0, limit) for region in find_regions(mask & place, a_map)]
        mask &= ~place
    labels, _ = regions(mask)
    kept = []
    for region in find_regions(mask, a_map, labels):
        hit = next(_hits(region, policy), None)
        if hit is None:
            kept.append(region)
        else:
            dropped.append((region, *hit))
    mask = np.isin(labels, [region.id for region in kept]) & mask
    _check_sum(raw, kept, dropped)
    return _decided(float(prediction.score), a_map, mask, kept, dropped, policy)


def log_rows(verdict: Verdict, name: str) -> list[dict]:
    """One flat row for each suppressed region, for a table: image, rule, value, limit, and where it lies.

    Args:
        verdict: of :func:`suppress`.
        name: of the image.
    """
    return [
        {"image": name, "rule": one.rule, "value": one.value, "limit": one.limit, "strong": one.strong}
        | {"verdict_changed": one.verdict_changed, "area": one.region.area, "peak": one.region.peak}
        | dict(zip(("top", "left", "height", "width"), one.region.box, strict=True))
        for one in verdict.suppressed
    ]


def _places(shape: tuple[int, int], policy: Policy, foreground: np.ndarray | None) -> Iterator[tuple]:
    """The places in which nothing counts, each with its rule and its limit: bool (H, W)."""
    if policy.ignore:
        place = np.zeros(shape, bool)
        for top, left, height, width in policy.ignore:
            place[top : top + height, left : left + width] = True
        yield "ignore", 0.0, place
    if foreground is not None:
        if foreground.shape != shape:
            raise ValueError(f"the foreground must have the map's shape {shape}, got {foreground.shape}")
        yield "foreground", 0.0, ~foreground.astype(bool)
    if policy.border:
        place = np.ones(shape, bool)
        place[policy.border : shape[0] - policy.border, policy.border : shape[1] - policy.border] = False
        yield "border", float(policy.border), place


def _hits(region: Region, policy: Policy) -> Iterator[tuple[str, float, float]]:
    """Each rule that a region breaks, in order: its name, what was measured, and the limit."""
    if region.area < policy.min_area:
        yield "min_area", float(region.area), float(policy.min_area)
    if policy.max_elongation is not None and region.elongation > policy.max_elongation:
        yield "elongation", region.elongation, policy.max_elongation
    if policy.high is not None and region.peak < policy.high:
        yield "hysteresis", region.peak, policy.high
    if region.peak < policy.min_peak:
        yield "min_peak", region.peak, policy.min_peak


def _check_sum(raw: np.ndarray, kept: list[Region], dropped: list[tuple]) -> None:
    """Nothing disappears; a violation would be a fault of this module."""
    total = sum(region.area for region in kept) + sum(region.area for region, *_ in dropped)
    if total != int(raw.sum()):
        raise AssertionError(f"{total} pixels are kept or suppressed, but {int(raw.sum())} are above the threshold")


def _decided(
    score: float, a_map: np.ndarray, mask: np.ndarray, kept: list[Region], dropped: list[tuple], policy: Policy
) -> Verdict:
    by_score = score >= policy.image_threshold
    after = _score_after(score, a_map, mask, bool(dropped)) if policy.score_is_maximum else None
    if policy.decide == "score":
        anomalous, deciding = by_score, score
        reason = f"score {score:.4g} {'reaches' if anomalous else 'stays below'} {policy.image_threshold:.4g}"
    elif policy.decide == "regions":
        anomalous, deciding = bool(kept), None
        reason = f"{len(kept)} region(s) kept, {len(dropped)} suppressed"
    else:
        anomalous, deciding = bool(kept or not dropped) and after >= policy.image_threshold, after
        reason = (
            f"score without suppressed regions {after:.4g} {'reaches' if anomalous else 'stays below'} "
            f"{policy.image_threshold:.4g}, {len(kept)} region(s) kept"
        )
    verdict = "anomalous" if anomalous else "normal"
    if policy.review and deciding is not None and policy.review[0] <= deciding <= policy.review[1]:
        verdict, reason = (
            "review",
            f"{reason}; within the band for review {policy.review[0]:.4g} to {policy.review[1]:.4g}",
        )
    before = by_score if policy.decide != "regions" else bool(kept or dropped)
    turned = before and not anomalous
    numbered = enumerate(sorted(dropped, key=lambda one: -one[0].peak), start=len(kept) + 1)
    return Verdict(
        verdict=verdict,
        is_anomalous=anomalous,
        score=score,
        score_after=after,
        mask=mask,
        kept=[replace(region, id=i) for i, region in enumerate(sorted(kept, key=lambda one: -one.peak), start=1)],
        suppressed=[
            Suppressed(replace(region, id=i), rule, value, limit, _is_strong(region, policy), turned)
            for i, (region, rule, value, limit) in numbered
        ],
        policy_sha256=policy.sha256,
        reason=reason,
    )


def _score_after(score: float, a_map: np.ndarray, mask: np.ndarray, any_dropped: bool) -> float:
    """The score where its place is kept, else the maximum of what is; 0 where nothing is."""
    if not any_dropped or mask.flat[int(a_map.argmax())]:
        return score
    return min(score, float(a_map[mask].max(initial=0.0)))


def _is_strong(region: Region, policy: Policy) -> bool:
    limit = policy.high if policy.high is not None else policy.image_threshold if policy.score_is_maximum else None
    return limit is not None and region.peak >= limit
