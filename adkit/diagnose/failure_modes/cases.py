"""One frame for each way of failing, chosen by a rule that was written down before anything was measured.

A rule names the frames that come into question, what it looks for among them, and when the effect is there. Where it
is not, the nearest frame is taken all the same, and the case says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adkit.diagnose.failure_modes.classify import Limits
from adkit.diagnose.failure_modes.measurements import Look

Test = Callable[[Look, Limits], bool]


@dataclass(frozen=True)
class Spec:
    """A rule.

    Attributes:
        effect: what the case shows, in words.
        asked: whether a frame comes into question.
        sought: the number of which the largest is taken.
        occurs: whether the effect is there.
        otsu: whether the mask is Otsu's, and not that of the detector's own threshold.
    """

    effect: str
    asked: Callable[[Look], bool]
    sought: Callable[[Look, Limits], tuple[float, ...]]
    occurs: Test
    otsu: bool = False


@dataclass(frozen=True)
class Case:
    """The frame that a rule has chosen.

    Attributes:
        name: of the rule.
        architecture: the one whose reconstruction is shown.
        look: the frame, and what was measured there.
        occurs: whether it shows the effect.
        caption: the effect, the numbers, and whether it is there.
        otsu: whether the mask is Otsu's.
    """

    name: str
    architecture: str
    look: Look
    occurs: bool
    caption: str
    otsu: bool


def _lost(cut: str) -> tuple[Callable[[Look, Limits], tuple[float, ...]], Test]:
    """What is sought, and when it is there: the defect that stands out most of those whose mask is of no use."""

    def occurs(look: Look, limits: Limits) -> bool:
        return look.ring >= limits.visible and getattr(look, cut) < limits.usable

    def sought(look: Look, limits: Limits) -> tuple[float, ...]:
        lost = occurs(look, limits)
        return (float(lost), look.ring if lost else -getattr(look, cut))

    return sought, occurs


def _silent(look: Look, limits: Limits) -> bool:
    return limits.inverted <= look.ring < limits.visible


SPECS = {
    "white_anomaly": Spec(
        "a light defect is reconstructed as light as it is",
        lambda look: look.grey > 0.05,
        lambda look, limits: (look.let_through,),
        lambda look, limits: look.let_through >= limits.copied,
    ),
    "inversed_anomaly": Spec(
        "the map is lower at the defect than around it",
        lambda look: True,
        lambda look, limits: (-look.ring,),
        lambda look, limits: look.ring < limits.inverted,
    ),
    "brightness_only_anomaly": Spec(
        "only the brightness changes; it is reconstructed, and the map stays silent",
        lambda look: look.kind == "brightness",
        lambda look, limits: (float(_silent(look, limits)), look.let_through),
        lambda look, limits: look.let_through >= limits.copied and _silent(look, limits),
    ),
    "line_not_usable": Spec(
        "a line stands out in the map, and the mask is of no use", lambda look: look.shape == "line", *_lost("iou")
    ),
    "dot_not_usable": Spec(
        "dots stand out in the map, and the mask is of no use", lambda look: look.shape == "dot", *_lost("iou")
    ),
    "dot_not_usable_2": Spec(
        "dots stand out in the map, and Otsu cuts elsewhere",
        lambda look: look.shape == "dot",
        *_lost("iou_otsu"),
        otsu=True,
    ),
}  # fmt: skip


def choose_cases(examined: Mapping[str, Sequence[Look]], limits: Limits | None = None) -> dict[str, Case]:
    """The case of each rule, over all architectures; no frame twice, as long as there are others.

    Args:
        examined: architecture → what :func:`adkit.diagnose.failure_modes.examine` returned for one of its seeds.
        limits: of the rules.

    Returns:
        Name → case; a rule that no frame comes into question for has none.

    Example:
        >>> look = Look(7, "dots", "dot", 40, 0.2, ring=0.9, let_through=0.1, iou=0.02, iou_otsu=0.01)
        >>> case = choose_cases({"plain": [look]})["white_anomaly"]
        >>> print(case.caption)
        plain, dots: a light defect is reconstructed as light as it is? Not here: nearest case
        10 % let through, ring AUROC 0.90, IoU 0.02
    """
    limits, taken, cases = limits or Limits(), set(), {}
    seen = [(name, look) for name, looks in examined.items() for look in looks]
    for name, spec in SPECS.items():
        asked = [(who, look) for who, look in seen if spec.asked(look) and _known(spec.sought(look, limits))]
        fresh = [(who, look) for who, look in asked if look.index not in taken] or asked
        if fresh:
            who, look = max(fresh, key=lambda one: spec.sought(one[1], limits))
            taken.add(look.index)
            occurs = spec.occurs(look, limits)
            cases[name] = Case(name, who, look, occurs, _caption(spec, who, look, occurs), spec.otsu)
    return cases


def _known(numbers: tuple[float, ...]) -> bool:
    return bool(np.isfinite(numbers).all())


def _caption(spec: Spec, who: str, look: Look, occurs: bool) -> str:
    cut = look.iou_otsu if spec.otsu else look.iou
    share = f"{look.let_through:.0%} let through".replace("%", " %") if np.isfinite(look.let_through) else "no twin"
    answer = "" if occurs else "? Not here: nearest case"
    return f"{who}, {look.kind}: {spec.effect}{answer}\n{share}, ring AUROC {look.ring:.2f}, IoU {cut:.2f}"
