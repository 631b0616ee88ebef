"""The yes-or-no questions of the playbook, each answered by readings: symptoms, root causes and the tree share them.

A question that the readings cannot answer is neither yes nor no. Where a decision has to be made, it counts as no;
only questions about labelled images say in their text that without such images they count as yes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from adkit.diagnose.readings import Evidence, all_of, any_of, negated


@dataclass(frozen=True)
class Condition:
    """A yes-or-no question.

    Attributes:
        text: what to ask, as a person would.
        readings: keys of the evidence that answers it.
        decide: evidence → True, False, or None where that is not known; None: yes, if any of the readings that could
            be taken is on the wrong side of its limit.
    """

    text: str
    readings: tuple[str, ...]
    decide: Callable[[Evidence], bool | None] | None = None

    def answer(self, evidence: Evidence) -> bool | None:
        """What the readings say: True, False, or None where they cannot tell.

        Args:
            evidence: key → reading, with all keys of ``readings``.
        """
        if self.decide is not None:
            return self.decide(evidence)
        signs = [evidence[key].exceeds_limit for key in self.readings]
        known_signs = [sign for sign in signs if sign is not None]
        return any_of(*known_signs) if known_signs else None


# -- the network and its latent code -----------------------------------------------------------------------------------


def _pays_for_nothing(evidence: Evidence) -> bool | None:
    kl_is_left = negated(evidence["kl_per_dimension"].exceeds_limit)
    return all_of(kl_is_left, evidence["gain_over_mean"].exceeds_limit)


SAME_RECONSTRUCTIONS = Condition("Do all reconstructions look the same?", ("variance_ratio",))
UNFINISHED = Condition("Was training very short, or its loss still moving?", ("steps", "plateau"))
SILENT_CODE = Condition("Does the latent code say nothing about its image?", ("active_units", "mutual_information"))
PAYS_FOR_NOTHING = Condition(
    "Does it cost KL all the same, and gain nothing on the mean image?",
    ("kl_per_dimension", "gain_over_mean"),
    _pays_for_nothing,
)
NO_NOISE = Condition("Has σ gone to 0?", ("noise",))

# -- maps of normal images, and the thresholds -------------------------------------------------------------------------

RED_OR_UNIFORM = Condition("Are heat maps red or uniform everywhere?", ("share_above", "same_top", "flagged_normals"))
SAME_TOP = Condition("Do the maps of all normal images end at one value?", ("same_top",))
RED = Condition("Are many normal images flagged, or red?", ("share_above", "flagged_normals"))
MORE_THAN_PROMISED = Condition("Far more than the percentile promises?", ("broken_promise",))
FITS_RAW_MAPS = Condition("Does the threshold fit the maps before smoothing?", ("raw_threshold",))

# -- labelled images ---------------------------------------------------------------------------------------------------


def _nothing_found(evidence: Evidence) -> bool | None:
    auroc = evidence["image_auroc"].value
    return all_of(evidence["f1"].exceeds_limit, None if auroc is None else auroc > 0.5)


NOTHING_FOUND = Condition(
    "Are precision, recall and F1 zero, and the ROC AUC above 0.5?",
    ("f1", "precision", "recall", "image_auroc"),
    _nothing_found,
)
POOR_RANKING = Condition("Is the ROC AUC of images or pixels near chance?", ("image_auroc", "pixel_auroc"))


def _with_symptom(text: str, key: str, symptom: Condition) -> Condition:
    """Whether a reading exceeds its limit, and the symptom that it would explain is there or could not be assessed.

    A network may copy defects, or a threshold lie high, and every defect is found all the same: then nothing is wrong.
    """

    def decide(evidence: Evidence) -> bool | None:
        return all_of(evidence[key].exceeds_limit, symptom.answer(evidence) is not False)

    return Condition(text, (key, *symptom.readings), decide)


COPIES_DEFECTS = _with_symptom(
    "Is a defect reconstructed, and the ROC AUC near chance or unknown?", "retention", POOR_RANKING
)
BETTER_LESS_SMOOTHED = _with_symptom(
    "Is the ROC AUC near chance, and better with less smoothing?", "better_smoothing", POOR_RANKING
)
BETTER_SCORED = _with_symptom(
    "Is the ROC AUC near chance, and better with another score?", "better_score", POOR_RANKING
)
BETTER_MOVED = _with_symptom(
    "Is the ROC AUC near chance, and would moved masks fit better?", "shift_gain", POOR_RANKING
)
THRESHOLD_TOO_HIGH = _with_symptom(
    "Is the threshold far above all normal scores, and F1 zero or unknown?", "threshold_over_normals", NOTHING_FOUND
)
