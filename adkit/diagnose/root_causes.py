"""Root causes: the rules by which each is known, the symptoms it explains, what to do about it, and what not.

They stand in the order of the pipeline, training, network, map, score, threshold, and findings are ranked so: what is
broken upstream makes every number downstream meaningless, and is cured first. This table is the one rule book:
:func:`adkit.diagnose.diagnose` asks all of its rules, and :mod:`adkit.diagnose.decision_tree` unfolds them.

The six symptoms of the playbook, each decided from evidence.
"""

from dataclasses import dataclass

from adkit.diagnose import conditions as asked
from adkit.diagnose.conditions import Condition
from adkit.diagnose.readings import Evidence, all_of, any_of


@dataclass(frozen=True)
class Rule:
    """A rule holds where all its conditions are answered as it says; what is not known counts as no.

    Attributes:
        yes: conditions to which the answer must be yes.
        no: conditions to which it must not.
    """

    yes: tuple[Condition, ...]
    no: tuple[Condition, ...] = ()

    def holds(self, evidence: Evidence) -> bool | None:
        """True, False, or None where only something unknown keeps the rule from holding.

        Args:
            evidence: key → reading, with all keys that the conditions ask for.
        """
        refuting = [condition.answer(evidence) is True for condition in self.no]
        return all_of(*(condition.answer(evidence) for condition in self.yes), *(not yes for yes in refuting))


@dataclass(frozen=True)
class RootCause:
    """One root cause.

    Attributes:
        name: how code calls it, as in :data:`adkit.diagnose.fault_injection.FAULTS`.
        title: how people call it.
        why: what happens, in a sentence or two.
        rules: its signs are there where any of them holds.
        shown_by: keys of the evidence behind the rules.
        explains: number of a symptom that it can cause → its place among the causes to think of, 1 the most likely.
        actions: what to do, first things first.
        folklore: advice that is often given and does not help; may be empty.
    """

    name: str
    title: str
    why: str
    rules: tuple[Rule, ...]
    shown_by: tuple[str, ...]
    explains: dict[int, int]
    actions: tuple[str, ...]
    folklore: str = ""

    def holds(self, evidence: Evidence) -> bool | None:
        """Whether its signs are there: True, False, or None where that is not known.

        Args:
            evidence: key → reading, as of a diagnosis.
        """
        return any_of(*(rule.holds(evidence) for rule in self.rules))


ROOT_CAUSES = {
    cause.name: cause
    for cause in (
        RootCause("untrained", "the network has hardly been trained",
             "It answers every input with nearly the same grey, and the map is the image itself.",
             (Rule(yes=(asked.SAME_RECONSTRUCTIONS, asked.UNFINISHED)),
              Rule(yes=(asked.SAME_RECONSTRUCTIONS,), no=(asked.SILENT_CODE,)),
              Rule(yes=(asked.SILENT_CODE, asked.UNFINISHED)),
              Rule(yes=(asked.SILENT_CODE, asked.PAYS_FOR_NOTHING))),
             ("variance_ratio", "gain_over_mean", "steps", "plateau"), {2: 2, 3: 4, 4: 2, 6: 5},
             ("train until the validation loss is at rest: more steps, or a larger learning rate",
              "plot the loss over the steps before anything else")),
        RootCause("collapse", "posterior collapse: the KL term silences the latent code",
             "Every input gets the prior as its posterior, so z says nothing and the decoder returns the mean image.",
             (Rule(yes=(asked.SILENT_CODE,), no=(asked.UNFINISHED, asked.PAYS_FOR_NOTHING)),),
             ("active_units", "kl_per_dimension", "mutual_information", "variance_ratio", "gain_over_mean"),
             {2: 1, 4: 1, 3: 5, 6: 6},
             ("lower β, by factors of ten, until dimensions become active",
              "leave each dimension some free nats (free_bits)",
              "check the units: the reconstruction must be summed over the image as the KL is over the dimensions"),
             "a wider latent space: the new dimensions collapse as well"),
        RootCause("no_kl", "nothing keeps σ up: the KL term is missing or far too small, or dimensions are few",
             "Noise only costs reconstruction, so σ shrinks to 0 and the VAE becomes a plain autoencoder.",
             (Rule(yes=(asked.NO_NOISE,)),), ("noise", "mean_variance", "kl_per_dimension"), {5: 1, 6: 7},
             ("raise β: the KL term is what pulls σ up to 1",
              "check that the KL reaches the loss: its part of the history should fall",
              "with a handful of latent dimensions: give it more before you touch β"),
             "lowering the KL weight: it removes the only force that pulls σ up"),
        RootCause("copies", "the network copies its input, defects too",
             "A way past the bottleneck makes the identity easy, and a defect leaves as little residual as cloth.",
             (Rule(yes=(asked.COPIES_DEFECTS,)),), ("retention", "gain_over_mean", "gain_over_blur"), {6: 1},
             ("train it to take synthetic defects away (defects='recommended', repair=1)",
              "or narrow it: skip='none', fewer latent channels"),
             "training longer: a lower error copies better"),
        RootCause("stretched_maps", "each map is stretched to its own range",
             "Per-image min–max gives every image, however clean, a hottest pixel of 1.",
             (Rule(yes=(asked.SAME_TOP,)),), ("same_top", "flagged_normals", "score_width"), {3: 1, 6: 8, 1: 3},
             ("take the scaling out: one scale for all maps, from validation normals (figures.colour_scale)",
              "set the thresholds again afterwards"),
             "another percentile: all scores are the same number, and no threshold parts them"),
        RootCause("oversmoothed", "the smoothing is wider than the defects",
             "A defect's residual is spread over so many pixels that the noise of normal cloth is as high.",
             (Rule(yes=(asked.BETTER_LESS_SMOOTHED,)),), ("better_smoothing", "image_auroc"), {6: 3},
             ("smooth by about half the width of the smallest defect that matters; 2 to 4 pixels here",
              "choose it on validation normals with synthetic defects"),
             ),
        RootCause("mean_score", "the mean score hides small defects",
             "A defect of 10 × 10 pixels is 0.06 % of a frame: it hardly moves the frame's mean.",
             (Rule(yes=(asked.BETTER_SCORED,), no=(asked.SAME_TOP, asked.BETTER_LESS_SMOOTHED)),),
             ("better_score", "image_auroc"), {6: 2, 1: 4},
             ("score by the maximum of the smoothed map, or by its highest thousandth (score='topk')",)),
        RootCause("misaligned", "maps and masks do not lie on one another",
             "The map finds the defect, and the mask is elsewhere: pixel metrics fall, image metrics do not.",
             (Rule(yes=(asked.BETTER_MOVED,)),), ("shift", "shift_gain", "pixel_auroc", "image_auroc"), {6: 4},
             ("look at one map with its mask's outline; undo the crop, padding or resize that moved one of them",
              "bring the map to the mask's size, never the mask to the map's"),
             "retraining: the network is not what is wrong"),
        RootCause("other_unit", "the threshold was measured in another unit than the scores",
             "Training and serving differ: here the threshold fits maps before smoothing, and scores come after it.",
             (Rule(yes=(asked.THRESHOLD_TOO_HIGH, asked.FITS_RAW_MAPS)),),
             ("threshold_over_normals", "raw_threshold", "f1", "image_auroc"), {1: 1},
             ("measure the threshold again, with the very function that serves (detector.judge_images)",
              "save preprocessing, smoothing and threshold together (detector.save)"),
             "training again: ROC AUC says that the scores are fine"),
        RootCause("contaminated", "the threshold is no percentile of clean normals",
             "The maximum of images that were taken for normal is the score of the worst defect among them.",
             (Rule(yes=(asked.THRESHOLD_TOO_HIGH,), no=(asked.FITS_RAW_MAPS,)),),
             ("threshold_over_normals", "raw_threshold", "f1", "image_auroc"), {1: 2},
             ("look at the images with the highest scores, and take defects out",
              "take a percentile (95) of held-out normals, not their maximum"),
             "training again: ROC AUC says that the scores are fine"),
        RootCause("foreign_threshold", "the thresholds come from other images, or another network",
             "They were measured where errors are smaller: on softer or training images, or with a better network.",
             (Rule(yes=(asked.RED, asked.MORE_THAN_PROMISED), no=(asked.SAME_TOP,)),),
             ("share_above", "broken_promise", "flagged_normals"), {3: 2},
             ("set the thresholds on held-out normals, taken as those that are served, with the network that serves",
              "compare the sharpness and brightness of both sets of images"),
             "lowering the percentile: a lower threshold flags more, not less"),
        RootCause("low_percentile", "the percentile of the threshold is too low",
             "The threshold keeps its promise: so many of the normals lie above it.",
             (Rule(yes=(asked.RED,), no=(asked.SAME_TOP, asked.MORE_THAN_PROMISED)),),
             ("share_above", "broken_promise", "flagged_normals"), {3: 3},
             ("raise the percentile: 95 of images, 99.5 of pixels",),
             "lowering the percentile: a lower threshold flags more, not less"),
    )
}  # fmt: skip

UNEXPLAINED = "unexplained"  # what a symptom is that no root cause explains


def likely_causes(symptom: int) -> list[str]:
    """Names of the root causes to think of, the most likely first.

    Args:
        symptom: its number, 1 to 6.

    Example:
        >>> likely_causes(2)
        ['collapse', 'untrained']
    """
    causes = [cause for cause in ROOT_CAUSES.values() if symptom in cause.explains]
    return [cause.name for cause in sorted(causes, key=lambda cause: cause.explains[symptom])]


PRESENT, ABSENT = "present", "absent"
NOT_ASSESSED, NOT_APPLICABLE = "not assessed", "not applicable"


@dataclass(frozen=True)
class Symptom:
    """What somebody sees, and the condition that decides whether it is there.

    Attributes:
        number, name: as in the playbook.
        condition: the question that the evidence answers.
        needs_test: it cannot be assessed without labelled images.
        short: its name in two or three words, for tables.
    """

    number: int
    name: str
    condition: Condition
    needs_test: bool = False
    short: str = ""

    def state(self, evidence: Evidence, with_test: bool) -> str:
        """``present``, ``absent``, ``not assessed`` (a part is missing) or ``not applicable`` (to this method).

        Args:
            evidence: key → reading, as of a diagnosis.
            with_test: whether labelled images were at hand.
        """
        answer = self.condition.answer(evidence)
        if answer is None:
            return NOT_ASSESSED if self.needs_test and not with_test else NOT_APPLICABLE
        return PRESENT if answer else ABSENT


SYMPTOMS = {
    symptom.number: symptom
    for symptom in (
        Symptom(
            1, "precision, recall and F1 are zero while ROC AUC is above 0.5", asked.NOTHING_FOUND, needs_test=True,
            short="nothing found",
        ),
        Symptom(2, "all reconstructions look the same", asked.SAME_RECONSTRUCTIONS, short="all alike"),
        Symptom(3, "heat maps are red or uniform everywhere", asked.RED_OR_UNIFORM, short="red maps"),
        Symptom(4, "latent μ is flat or squeezed around 0", asked.SILENT_CODE, short="μ flat"),
        Symptom(5, "σ goes to 0", asked.NO_NOISE, short="σ at 0"),
        Symptom(6, "ROC AUC is stuck at 0.55 to 0.60", asked.POOR_RANKING, needs_test=True, short="ROC stuck"),
    )
}  # fmt: skip
