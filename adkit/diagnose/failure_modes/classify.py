"""From what was measured at each defect to a verdict for an architecture and a defect type, by rules fixed beforehand.

The rules are asked in this order; the first that holds decides:

1. ``inverted``: the map is lower at the defect than in its surround (AUROC below 0.5);
2. ``found``: it stands out of its surround (AUROC of at least 0.7), and the mask is of use (IoU of at least 0.1);
3. ``segmentation missed``: it stands out of its surround, and the mask is of no use;
4. ``copied``: it does not stand out, and at least half of it was reconstructed;
5. ``below texture noise``: it does not stand out although it was not reconstructed; the cloth's own residual is as
   large.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adkit.diagnose.failure_modes.measurements import DefectMeasurement
from adkit.metrics import Interval
from adkit.metrics.intervals import check_draws

VERDICTS = ("found", "segmentation missed", "copied", "below texture noise", "inverted")
MEASURED = ("surround", "retention", "iou")  # what the rules ask for


@dataclass(frozen=True)
class VerdictLimits:
    """The numbers in the rules: round ones, chosen before anything was measured.

    Attributes:
        inverted: surround AUROC below which the map is lower at the defect.
        visible: surround AUROC from which on a defect stands out.
        copied: retention from which on a defect counts as reconstructed.
        usable: IoU from which on a mask is of use.
    """

    inverted: float = 0.5
    visible: float = 0.7
    copied: float = 0.5
    usable: float = 0.1


@dataclass(frozen=True)
class TypeVerdict:
    """What becomes of one defect type in one architecture.

    Attributes:
        verdict: one of ``VERDICTS``, of the means.
        support: share of the bootstrap samples, of seeds and of frames, with the same verdict.
        numbers: ``surround``, ``retention`` and ``iou``, each with its 95 % interval.
        shares: verdict → share of the single frames, of all seeds, that it is the verdict of; what a mean hides.
    """

    verdict: str
    support: float
    numbers: dict[str, Interval]
    shares: dict[str, float]


def verdict(surround: float, retention: float, iou: float, limits: VerdictLimits | None = None) -> str:
    """The verdict of three numbers, by the rules above.

    Args:
        surround: AUROC of the defect against its surround, in [0, 1].
        retention: share of the defect that was reconstructed; NaN without a clean counterpart: then nothing is called
            copied.
        iou: of predicted and true mask, in [0, 1].
        limits: of the rules; None: those fixed beforehand.
    """
    limits = limits or VerdictLimits()
    if surround < limits.inverted:
        return "inverted"
    if surround >= limits.visible:
        return "found" if iou >= limits.usable else "segmentation missed"
    return "copied" if retention >= limits.copied else "below texture noise"


def type_verdicts(
    measured: Mapping[str, Sequence[Sequence[DefectMeasurement]]],
    limits: VerdictLimits | None = None,
    n: int = 1000,
    seed: int = 0,
) -> dict[str, dict[str, TypeVerdict]]:
    """A verdict for each architecture and each defect type.

    Numbers are means over the frames of a type and over the seeds. The intervals, and the support of a verdict, come
    from a bootstrap of both: other frames *and* other trainings. With few seeds they are rather too narrow.

    Args:
        measured: architecture → for each seed what :func:`.measure_defects` returned, on the same frames.
        limits: of the rules; None: those fixed beforehand.
        n: number of bootstrap samples, at least 2.
        seed: integer; another seed draws other bootstrap samples.

    Returns:
        Architecture → defect type → verdict.

    Raises:
        ValueError: if an architecture has no seed, its seeds saw different frames, or ``n`` is below 2.

    Example:
        >>> from adkit.diagnose.failure_modes import DefectMeasurement
        >>> dots = DefectMeasurement(0, "dots", "dot", 40, 0.2, surround=0.9, retention=0.1, iou=0.02, iou_otsu=0.01)
        >>> verdicts = type_verdicts({"plain": [[dots], [dots]]})["plain"]["dots"]
        >>> verdicts.verdict, verdicts.support, str(verdicts.numbers["surround"])
        ('segmentation missed', 1.0, '0.900 [0.900, 0.900]')
    """
    check_draws(n, level=0.95)
    verdicts = {}
    for architecture, runs in measured.items():
        frames = [[measurement.index for measurement in run] for run in runs]
        if not runs or any(indices != frames[0] for indices in frames):
            raise ValueError(
                f"{architecture!r} needs one or more seeds that saw the same frames, got {[*map(len, frames)]} frames; "
                "measure every seed on one dataset"
            )
        verdicts[architecture] = {
            kind: _type_verdict(_values(runs, kind), limits or VerdictLimits(), n, np.random.default_rng(seed))
            for kind in dict.fromkeys(measurement.kind for measurement in runs[0])
        }
    return verdicts


def type_means(verdicts: Mapping[str, Mapping[str, TypeVerdict]], measured: str) -> dict[str, dict[str, float]]:
    """One of the numbers behind the verdicts.

    Args:
        verdicts: of :func:`type_verdicts`.
        measured: ``surround``, ``retention`` or ``iou``.

    Returns:
        Architecture → defect type → mean over frames and seeds.
    """
    return {
        name: {kind: found.numbers[measured].value for kind, found in row.items()} for name, row in verdicts.items()
    }


def read_verdicts(kept: Mapping[str, Mapping[str, Mapping]]) -> dict[str, dict[str, TypeVerdict]]:
    """Verdicts as a ``results.json`` keeps them, made whole again.

    Args:
        kept: architecture → defect type → verdict, plain dicts in which None stands for what was never measured.

    Example:
        >>> numbers = {name: {"value": None, "low": None, "high": None} for name in MEASURED}
        >>> plain = {"verdict": "inverted", "support": 1.0, "numbers": numbers, "shares": {"inverted": 1.0}}
        >>> read_verdicts({"add": {"dark": plain}})["add"]["dark"].verdict
        'inverted'
    """

    def interval(number: Mapping) -> Interval:
        return Interval(*(np.nan if number[end] is None else number[end] for end in ("value", "low", "high")))

    def whole(found: Mapping) -> TypeVerdict:
        numbers = {name: interval(number) for name, number in found["numbers"].items()}
        return TypeVerdict(found["verdict"], found["support"], numbers, found["shares"])

    return {name: {kind: whole(found) for kind, found in row.items()} for name, row in kept.items()}


def _values(runs: Sequence[Sequence[DefectMeasurement]], kind: str) -> dict[str, np.ndarray]:
    """What was measured at the defects of one type: name → (seeds, frames)."""
    of_type = [[measurement for measurement in run if measurement.kind == kind] for run in runs]
    return {name: np.array([[getattr(m, name) for m in run] for run in of_type]) for name in MEASURED}


def _type_verdict(
    values: dict[str, np.ndarray], limits: VerdictLimits, n: int, rng: np.random.Generator
) -> TypeVerdict:
    seeds, frames = values["surround"].shape
    means = {name: _mean(array) for name, array in values.items()}
    samples = {name: np.empty(n) for name in MEASURED}
    for i in range(n):
        rows, columns = rng.integers(seeds, size=seeds), rng.integers(frames, size=frames)
        for name, array in values.items():
            samples[name][i] = _mean(array[np.ix_(rows, columns)])
    said = verdict(**means, limits=limits)
    verdicts_of_samples = _verdicts(samples, limits)
    verdicts_of_frames = _verdicts({name: array.ravel() for name, array in values.items()}, limits)
    return TypeVerdict(
        verdict=said,
        support=verdicts_of_samples.count(said) / n,
        numbers={name: _interval(means[name], samples[name]) for name in MEASURED},
        shares={name: verdicts_of_frames.count(name) / len(verdicts_of_frames) for name in VERDICTS},
    )


def _verdicts(values: dict[str, np.ndarray], limits: VerdictLimits) -> list[str]:
    """The verdicts of N triples, (N,) each by name."""
    return [verdict(*numbers, limits) for numbers in zip(*(values[name] for name in MEASURED), strict=True)]


def _mean(values: np.ndarray) -> float:
    """Over everything that is known; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _interval(value: float, samples: np.ndarray) -> Interval:
    known = samples[np.isfinite(samples)]
    low, high = np.quantile(known, [0.025, 0.975]) if known.size else (np.nan, np.nan)
    return Interval(value, float(low), float(high))
