"""The six symptoms of the playbook, each decided from evidence."""

from collections.abc import Callable
from dataclasses import dataclass

from adkit.diagnose.readings import Evidence, all_of, any_of

PRESENT, ABSENT = "present", "absent"
NOT_ASSESSED, NOT_APPLICABLE = "not assessed", "not applicable"


@dataclass(frozen=True)
class Symptom:
    """What somebody sees, and the numbers that decide whether it is there.

    Attributes:
        number, name: as in the playbook.
        shown_by: keys of the evidence that decides.
        decide: evidence → bool; None where it is not known.
        needs_test: it cannot be assessed without labelled images.
    """

    number: int
    name: str
    shown_by: tuple[str, ...]
    decide: Callable[[Evidence], bool | None]
    needs_test: bool = False

    def state(self, evidence: Evidence, with_test: bool) -> str:
        """``present``, ``absent``, ``not assessed`` (a part is missing) or ``not applicable`` (to this method)."""
        found = self.decide(evidence)
        if found is None:
            return NOT_ASSESSED if self.needs_test and not with_test else NOT_APPLICABLE
        return PRESENT if found else ABSENT


def _trips(*keys: str) -> Callable[[Evidence], bool | None]:
    """Any of these readings is on the wrong side of its limit; those that could not be taken do not count."""

    def decide(evidence: Evidence) -> bool | None:
        known = [evidence[key].trips for key in keys if evidence[key].trips is not None]
        return any_of(*known) if known else None

    return decide


def _nothing_flagged(evidence: Evidence) -> bool | None:
    better_than_chance = evidence["image_auroc"].value
    return all_of(evidence["f1"].trips, None if better_than_chance is None else better_than_chance > 0.5)


SYMPTOMS = {
    symptom.number: symptom
    for symptom in (
        Symptom(1, "precision, recall and F1 are zero while ROC AUC is above 0.5",
                ("f1", "precision", "recall", "image_auroc"), _nothing_flagged, needs_test=True),
        Symptom(2, "all reconstructions look the same", ("variance_ratio",), _trips("variance_ratio")),
        Symptom(3, "heat maps are red or uniform everywhere",
                ("share_above", "same_top", "flagged_normals"), _trips("share_above", "same_top", "flagged_normals")),
        Symptom(4, "latent μ is flat or squeezed around 0",
                ("active_units", "mutual_information"), _trips("active_units", "mutual_information")),
        Symptom(5, "σ goes to 0", ("noise",), _trips("noise")),
        Symptom(6, "ROC AUC is stuck at 0.55 to 0.60", ("image_auroc", "pixel_auroc"),
                _trips("image_auroc", "pixel_auroc"), needs_test=True),
    )
}  # fmt: skip
