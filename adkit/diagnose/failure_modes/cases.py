"""One frame for each way of failing, and one of a success, each chosen by a rule and not by hand.

A rule names the frames that come into question, what it looks for among them, and when the effect is there. Where it
is not, the nearest frame is taken all the same, and the case says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.diagnose.failure_modes.classify import VerdictLimits
from adkit.diagnose.failure_modes.measurements import DefectMeasurement
from adkit.scoring import thresholds

LIGHTER = 0.05  # of the range of grey levels: a defect is light where its grey lies so much above that of its surround


@dataclass(frozen=True)
class CaseRule:
    """A rule.

    Attributes:
        effect: what the case shows, in words.
        qualifies: whether a frame comes into question.
        rank: (measurement, limits) → numbers to compare frames by, the first decides; the largest is taken.
        occurs: (measurement, limits) → whether the effect is there.
        otsu: whether the mask is Otsu's, and not that of the detector's own threshold.
    """

    effect: str
    qualifies: Callable[[DefectMeasurement], bool]
    rank: Callable[[DefectMeasurement, VerdictLimits], tuple[float, ...]]
    occurs: Callable[[DefectMeasurement, VerdictLimits], bool]
    otsu: bool = False


@dataclass(frozen=True)
class Case:
    """The frame that a rule has chosen.

    Attributes:
        name: of the rule.
        architecture: the one whose reconstruction is shown.
        measurement: the frame, and what was measured there.
        occurs: whether it shows the effect.
        caption: the effect, the numbers, and whether it is there.
        otsu: whether the mask is Otsu's.
    """

    name: str
    architecture: str
    measurement: DefectMeasurement
    occurs: bool
    caption: str
    otsu: bool


# -- when an effect is there, and which frame shows it best -----------------------------------------------------------


def is_light(m: DefectMeasurement) -> bool:
    """A line or an area that is clearly lighter than its surround."""
    return m.grey > LIGHTER and m.shape != "dot"


def is_found(m: DefectMeasurement, limits: VerdictLimits) -> bool:
    """Less than half of it is reconstructed, it stands out, and the mask is of use."""
    return m.retention < limits.copied and m.surround >= limits.visible and m.iou >= limits.usable


def by_success(m: DefectMeasurement, limits: VerdictLimits) -> tuple[float, ...]:
    """The best mask of those that are found; where none is, the best mask."""
    return (float(is_found(m, limits)), m.iou)


def is_copied(m: DefectMeasurement, limits: VerdictLimits) -> bool:
    """It is reconstructed."""
    return m.retention >= limits.copied


def is_inverted(m: DefectMeasurement, limits: VerdictLimits) -> bool:
    """The map is lower at the defect than around it."""
    return m.surround < limits.inverted


def by_inversion(m: DefectMeasurement, limits: VerdictLimits) -> tuple[float, ...]:
    """Of what is inverted a shade, where there is none a dark defect, else anything; what lies lowest in the map."""
    return (float(is_inverted(m, limits)) * {"brightness": 2, "dark": 1}.get(m.kind, 0), -m.surround)


def is_copied_silently(m: DefectMeasurement, limits: VerdictLimits) -> bool:
    """It is reconstructed, and neither stands out of its surround nor is inverted."""
    return is_copied(m, limits) and limits.inverted <= m.surround < limits.visible


def by_silent_retention(m: DefectMeasurement, limits: VerdictLimits) -> tuple[float, ...]:
    """Of those that neither stand out nor are inverted, what is reconstructed most."""
    return (float(limits.inverted <= m.surround < limits.visible), m.retention)


def is_missed(m: DefectMeasurement, limits: VerdictLimits, iou: str = "iou") -> bool:
    """It stands out, and a mask is of no use: that of the detector's threshold (``iou``), or Otsu's (``iou_otsu``)."""
    return m.surround >= limits.visible and getattr(m, iou) < limits.usable


def by_miss(m: DefectMeasurement, limits: VerdictLimits, iou: str = "iou") -> tuple[float, ...]:
    """What stands out most of those that the mask misses; where it misses none, the poorest mask."""
    missed = is_missed(m, limits, iou)
    return (float(missed), m.surround if missed else -getattr(m, iou))


is_missed_by_otsu, by_miss_of_otsu = partial(is_missed, iou="iou_otsu"), partial(by_miss, iou="iou_otsu")

CASE_RULES = {
    "white_anomaly": CaseRule(
        "a light defect is reconstructed too dark, and found", is_light, by_success, is_found
    ),
    "white_anomaly_copied": CaseRule(
        "a light defect is reconstructed as light as it is, and the map stays silent",
        is_light, by_silent_retention, is_copied_silently,
    ),
    "inversed_anomaly": CaseRule(
        "a darker place is lower in the map than the cloth around it", lambda m: m.grey < 0, by_inversion, is_inverted
    ),
    "brightness_only_anomaly": CaseRule(
        "only the brightness changes; it is reconstructed, and the map stays silent",
        lambda m: m.kind == "brightness", by_silent_retention, is_copied_silently,
    ),
    "line_not_usable": CaseRule(
        "a line in the weave stands out in the map, and the mask is of no use",
        lambda m: m.shape == "line" and m.kind == "texture", by_miss, is_missed,
    ),
    "dot_not_usable": CaseRule(
        "dots stand out in the map, and the mask is of no use", lambda m: m.shape == "dot", by_miss, is_missed
    ),
    "dot_not_usable_2": CaseRule(
        "dots stand out in the map, and Otsu cuts elsewhere",
        lambda m: m.shape == "dot", by_miss_of_otsu, is_missed_by_otsu, otsu=True,
    ),
}  # fmt: skip


def choose_cases(
    measured: Mapping[str, Sequence[DefectMeasurement]], limits: VerdictLimits | None = None
) -> dict[str, Case]:
    """The case of each rule, over all architectures; no frame twice, as long as there are others.

    Args:
        measured: architecture → what :func:`adkit.diagnose.failure_modes.measure_defects` returned for one seed.
        limits: of the rules; None: those fixed beforehand.

    Returns:
        Name → case; a rule that no frame comes into question for has none.

    Example:
        >>> dots = DefectMeasurement(7, "dots", "dot", 40, 0.2, surround=0.9, retention=0.1, iou=0.02, iou_otsu=0.01)
        >>> case = choose_cases({"plain": [dots]})["dot_not_usable_2"]
        >>> print(case.caption)
        plain, dots: dots stand out in the map, and Otsu cuts elsewhere
        10 % let through, surround AUROC 0.90, IoU 0.01
    """
    limits, shown, cases = limits or VerdictLimits(), set(), {}
    pairs = [(architecture, m) for architecture, measurements in measured.items() for m in measurements]
    for name, rule in CASE_RULES.items():
        candidates = [
            (architecture, measurement)
            for architecture, measurement in pairs
            if rule.qualifies(measurement) and np.isfinite(rule.rank(measurement, limits)).all()
        ]
        fresh = [(architecture, m) for architecture, m in candidates if m.index not in shown] or candidates
        if fresh:
            architecture, measurement = max(fresh, key=lambda pair: rule.rank(pair[1], limits))
            shown.add(measurement.index)
            occurs = rule.occurs(measurement, limits)
            caption = _caption(rule, architecture, measurement, occurs)
            cases[name] = Case(name, architecture, measurement, occurs, caption, rule.otsu)
    return cases


def view_cases(
    cases: Mapping[str, Case], detectors: Mapping[str, Detector], dataset: AnomalyDataset
) -> dict[str, dict]:
    """What a picture of each case shows, in arrays.

    Args:
        cases: of :func:`choose_cases`.
        detectors: architecture → the fitted detector that was measured.
        dataset: the one that was measured.

    Returns:
        Name of the case → ``image`` and ``reconstructed`` (C, H, W), ``a_map`` (H, W), ``predicted`` and ``mask``, bool
        (H, W), as :func:`adkit.diagnose.failure_modes.figures.failure` takes them.
    """
    views = {}
    for name, case in cases.items():
        detector, item = detectors[case.architecture], dataset[case.measurement.index]
        image = item["image"][None]
        a_map = detector.anomaly_map(image)[0].numpy()
        threshold = thresholds.otsu(a_map) if case.otsu else detector.pixel_threshold
        views[name] = {
            "image": item["image"], "reconstructed": detector.reconstruct(image)[0], "a_map": a_map,
            "predicted": a_map >= threshold, "mask": item["mask"],
        }  # fmt: skip
    return views


def _caption(rule: CaseRule, architecture: str, measurement: DefectMeasurement, occurs: bool) -> str:
    iou = measurement.iou_otsu if rule.otsu else measurement.iou
    share = "no clean counterpart"
    if np.isfinite(measurement.retention):
        share = f"{100 * measurement.retention:.0f} % let through"
    answer = "" if occurs else "? Not here: nearest case"
    numbers = f"{share}, surround AUROC {measurement.surround:.2f}, IoU {iou:.2f}"
    return f"{architecture}, {measurement.kind}: {rule.effect}{answer}\n{numbers}"
