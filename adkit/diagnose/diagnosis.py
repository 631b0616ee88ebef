"""From evidence to findings: which symptoms are there, which root causes explain them, what to do."""

from dataclasses import asdict, dataclass, field, replace

from torch import nn

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.diagnose import render
from adkit.diagnose.adapter import as_detector, check_parts
from adkit.diagnose.evidence import FigureData, gather
from adkit.diagnose.readings import Evidence, Limits, Reading
from adkit.diagnose.root_causes import PRESENT, ROOT_CAUSES, SYMPTOMS, UNEXPLAINED, likely_causes
from adkit.runtime.console import printable

VERDICTS = {True: "its signs are there", False: "its signs are missing", None: "not assessed"}


@dataclass(frozen=True)
class Finding:
    """One root cause with all that it shows as.

    Attributes:
        cause: its name in :data:`adkit.diagnose.root_causes.ROOT_CAUSES`, or ``unexplained``.
        title, why: what it is.
        symptoms: (number, name) of the symptoms that it explains, as they were found.
        evidence: the readings behind it.
        likely: (name, verdict) of root causes in order of likelihood, the one found first.
        actions: what to do, first things first.
        folklore: advice that does not help; may be empty.
    """

    cause: str
    title: str
    why: str
    symptoms: tuple[tuple[int, str], ...]
    evidence: tuple[Reading, ...]
    likely: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    folklore: str = ""


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What is wrong with a detector, most urgent first.

    Attributes:
        findings: one a root cause, in the order in which they should be cured; empty for a healthy detector.
        symptoms: number → ``present``, ``absent``, ``not assessed`` or ``not applicable``.
        evidence: key → reading.
        limits: what the readings were compared with.
        figure_data: arrays behind the readings, for the figure; None in a diagnosis `without_arrays`.
    """

    findings: tuple[Finding, ...]
    symptoms: dict[int, str]
    evidence: Evidence
    limits: Limits
    figure_data: FigureData | None = field(repr=False)

    @property
    def causes(self) -> list[str]:
        """Names of the root causes that were found, in order."""
        return [finding.cause for finding in self.findings]

    @property
    def cause(self) -> str:
        """Name of the root cause to cure first; ``healthy`` where nothing was found."""
        return self.causes[0] if self.findings else "healthy"

    def __getitem__(self, key: str) -> float | None:
        """The value of a reading."""
        return self.evidence[key].value

    @property
    def present(self) -> list[int]:
        """Numbers of the symptoms that are there."""
        return [number for number, state in self.symptoms.items() if state == PRESENT]

    def as_dict(self) -> dict:
        """Plain data, ready for JSON."""
        codes = self.figure_data and self.figure_data.codes
        per_dimension = {} if codes is None else {
            "kl": codes.kl.tolist(), "spread_of_mu": codes.spread.tolist(), "variance": codes.variance.mean(0).tolist()
        }  # fmt: skip
        states = [
            {"number": number, "name": SYMPTOMS[number].name, "state": state} for number, state in self.symptoms.items()
        ]
        return {
            "findings": [_plain(finding) for finding in self.findings],
            "symptoms": states,
            "evidence": {key: reading.as_dict() for key, reading in self.evidence.items()},
            "per_dimension": per_dimension,
            "limits": asdict(self.limits),
        }

    def without_arrays(self) -> "Diagnosis":
        """The same without the arrays behind the readings: a few kilobytes, to keep many of them."""
        return replace(self, figure_data=None)

    def figure(self):
        """All evidence as one figure; see :func:`adkit.figures.diagnosis.evidence_figure`.

        Raises:
            ValueError: if the diagnosis is one without arrays.
        """
        if self.figure_data is None:
            raise ValueError("this diagnosis has no arrays to show; call figure() before without_arrays()")
        from adkit.figures.diagnosis import evidence_figure  # matplotlib is not needed by a diagnosis alone

        return evidence_figure(self)

    def __str__(self) -> str:
        return printable(render.as_text(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return render.as_html(self)


def diagnose(
    model: Detector | nn.Module,
    validation: AnomalyDataset,
    history: list[dict] | None = None,
    test: AnomalyDataset | None = None,
    *,
    limits: Limits | None = None,
) -> Diagnosis:
    """Measure a detector, name the symptoms that it shows, and group them by root cause.

    Args:
        model: a fitted detector; or a network on its own, whose maps are then made and whose thresholds are set as
            a detector would.
        validation: normal images that it was not trained on.
        history: rows of its training; None: those that the detector kept. With ``synthetic_auroc`` in them, from
            :func:`adkit.diagnose.score_watcher`, the plateau test looks at a score instead of the loss.
        test: labelled images. Without them symptoms 1 and 6 are not assessed.
        limits: what numbers are compared with; None: the ones set by experiment.

    Raises:
        TypeError: if an argument is of another kind.
        ValueError: if a dataset is empty, validation holds defects, or test lacks a class.
        RuntimeError: if the detector was not fitted.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=2, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> diagnose(detector, splits.validation).findings[0].cause
        'untrained'
    """
    check_parts(validation, test, history)
    detector, limits = as_detector(model, validation), limits or Limits()
    history = detector.history if history is None else history
    evidence, figure_data = gather(detector, validation, history, test, limits)
    symptoms = {number: symptom.state(evidence, test is not None) for number, symptom in SYMPTOMS.items()}
    return Diagnosis(find(evidence, symptoms), symptoms, evidence, limits, figure_data)


def find(evidence: Evidence, symptoms: dict[int, str]) -> tuple[Finding, ...]:
    """Findings in order: a cause whose signs are there explains all symptoms it can; what is left is unexplained.

    Args:
        evidence: key → reading, as :func:`adkit.diagnose.evidence.gather` takes them.
        symptoms: number → state, as :meth:`adkit.diagnose.root_causes.Symptom.state` says it.
    """
    holds = {name: cause.holds(evidence) for name, cause in ROOT_CAUSES.items()}
    verdicts = {name: VERDICTS[answer] for name, answer in holds.items()}
    findings, explained = [], set()
    for name, cause in ROOT_CAUSES.items():
        if holds[name]:
            shown = [number for number in cause.explains if symptoms[number] == PRESENT]
            findings.append(_finding(name, shown, evidence, verdicts))
            explained |= set(shown)
    for number, state in symptoms.items():
        if state == PRESENT and number not in explained:
            findings.append(_unexplained(number, evidence, verdicts))
    return tuple(findings)


def _finding(name: str, shown: list[int], evidence: Evidence, verdicts: dict[str, str]) -> Finding:
    cause = ROOT_CAUSES[name]
    candidates = [name, *(other for number in shown or cause.explains for other in likely_causes(number))]
    return Finding(
        name, cause.title, cause.why,
        symptoms=_named(shown),
        evidence=_taken(cause.shown_by, evidence),
        likely=tuple((candidate, verdicts[candidate]) for candidate in dict.fromkeys(candidates)),
        actions=cause.actions, folklore=cause.folklore,
    )  # fmt: skip


def _unexplained(number: int, evidence: Evidence, verdicts: dict[str, str]) -> Finding:
    return Finding(
        UNEXPLAINED, "none of the known causes shows its signs",
        "The symptom is there, and the evidence rules every known cause out, or cannot tell.",
        symptoms=_named([number]),
        evidence=_taken(SYMPTOMS[number].condition.readings, evidence),
        likely=tuple((candidate, verdicts[candidate]) for candidate in likely_causes(number)),
        actions=("look at the images with the most surprising scores", "check the causes below in their order",
                 "ask whether patches can be told apart at all, with labels (adkit.diagnose.labelled_bound)",
                 "the method may be at its end: compare another one (python -m adkit.compare)"),
    )  # fmt: skip


def _named(numbers: list[int]) -> tuple[tuple[int, str], ...]:
    return tuple((number, SYMPTOMS[number].name) for number in sorted(numbers))


def _taken(keys: tuple[str, ...], evidence: Evidence) -> tuple[Reading, ...]:
    return tuple(evidence[key] for key in keys if evidence[key].value is not None)


def _plain(finding: Finding) -> dict:
    return asdict(finding) | {
        "symptoms": [{"number": number, "name": name} for number, name in finding.symptoms],
        "evidence": [reading.as_dict() for reading in finding.evidence],
        "likely": [{"cause": name, "verdict": verdict} for name, verdict in finding.likely],
        "actions": list(finding.actions),
    }
