"""Root causes: the signs by which each is known, the symptoms it explains, what to do about it, and what not.

They stand in the order of the pipeline, training, network, map, score, threshold, and findings are ranked so: what is
broken upstream makes every number downstream meaningless, and is cured first.

The six symptoms of the playbook, each decided from evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from adkit.diagnose.readings import Evidence, Limits, all_of, any_of, negated


@dataclass(frozen=True)
class Root:
    """One root cause.

    Attributes:
        name: how code calls it, as in :data:`adkit.diagnose.fault_injection.CAUSES`.
        title: how people call it.
        why: what happens, in a sentence or two.
        sign: evidence and limits → whether the signs are there; None where that is not known.
        shown_by: keys of the evidence behind the sign.
        explains: numbers of the symptoms that it can cause.
        actions: what to do, first things first.
        folklore: advice that is often given and does not help; may be empty.
    """

    name: str
    title: str
    why: str
    sign: Callable[[Evidence, Limits], bool | None]
    shown_by: tuple[str, ...]
    explains: tuple[int, ...]
    actions: tuple[str, ...]
    folklore: str = ""


def _unfinished(e: Evidence) -> bool:
    """By its history the training was very short, or had not come to rest."""
    return e["steps"].trips is True or e["plateau"].trips is True


def _silent(e: Evidence) -> bool | None:
    """No latent dimension is active, and every posterior was pressed onto the prior."""
    return all_of(e["active_units"].trips, e["kl_per_dimension"].trips)


def _untrained(e: Evidence, limits: Limits) -> bool | None:
    blank = all_of(e["variance_ratio"].trips, e["gain_over_mean"].trips)
    return all_of(blank, _unfinished(e) or not _silent(e))


def _collapsed(e: Evidence, limits: Limits) -> bool | None:
    return all_of(_silent(e), not _unfinished(e))


def _threshold_far_off(e: Evidence, limits: Limits, skewed: bool) -> bool | None:
    """Above every normal score; by as much as the smoothing takes away (skewed), or by something else."""
    fits_raw_maps = e["raw_threshold"].trips is True
    return all_of(e["threshold_over_normals"].trips, fits_raw_maps == skewed)


def _too_much_above(e: Evidence, limits: Limits, promised: bool) -> bool | None:
    """Too much of the normals lies above their threshold: as much as its percentile promises, or far more."""
    far_more = e["broken_promise"].trips
    red = any_of(e["share_above"].trips, e["flagged_normals"].trips)
    return all_of(red, negated(e["same_top"].trips), negated(far_more) if promised else far_more)


ROOTS = {
    root.name: root
    for root in (
        Root("untrained", "the network has hardly been trained",
             "It draws nearly the same grey for every input, and the map is the image itself.",
             _untrained, ("variance_ratio", "gain_over_mean", "steps", "plateau"), (2, 3, 4, 6),
             ("train until the validation loss is at rest: more steps, or a larger learning rate",
              "draw the loss over the steps before anything else")),
        Root("collapse", "posterior collapse: the KL term silences the latent code",
             "Every input gets the prior as its posterior, so z says nothing and the decoder draws the mean image.",
             _collapsed,
             ("active_units", "kl_per_dimension", "mutual_information", "variance_ratio", "gain_over_mean"),
             (2, 4, 3, 6),
             ("lower β, by factors of ten, until dimensions become active",
              "let β grow slowly (annealing='linear'), or leave nats free (free_bits)",
              "check the units: the reconstruction must be summed over the image as the KL is over the dimensions"),
             "a wider latent space: the new dimensions collapse as well"),
        Root("no_kl", "nothing keeps σ up: the KL term is missing or far too small",
             "Noise only costs reconstruction, so σ shrinks to 0 and the VAE becomes a plain autoencoder.",
             lambda e, limits: e["noise"].trips, ("noise", "mean_variance", "kl_per_dimension"), (5, 6),
             ("raise β: the KL term is what pulls σ up to 1",
              "check that the KL reaches the loss: its part of the history should fall"),
             "lowering the KL weight: it removes the only force that pulls σ up"),
        Root("copies", "the network copies its input, defects too",
             "A way past the bottleneck makes the identity easy, and a defect leaves as little residual as cloth.",
             lambda e, limits: e["kept"].trips, ("kept", "gain_over_mean", "gain_over_blur"), (6,),
             ("train it to take synthetic defects away (defects='recommended', repair=1)",
              "or narrow it: skip='none', fewer latent channels"),
             "training longer: a lower error copies better"),
        Root("stretched_maps", "each map is stretched to its own range",
             "Per-image min–max gives every image, however clean, a hottest pixel of 1.",
             lambda e, limits: e["same_top"].trips, ("same_top", "flagged_normals", "score_width"), (3, 6, 1),
             ("take the scaling out: one scale for all maps, from validation normals (figures.colour_scale)",
              "set the thresholds again afterwards"),
             "another percentile: all scores are the same number, and no threshold parts them"),
        Root("oversmoothed", "the smoothing is wider than the defects",
             "A defect's residual is spread over so many pixels that the noise of normal cloth is as high.",
             lambda e, limits: e["better_smoothing"].trips, ("better_smoothing", "image_auroc"), (6,),
             ("smooth by about half the width of the smallest defect that matters; 2 to 4 pixels here",
              "choose it on validation normals with synthetic defects"),
             ),
        Root("mean_score", "the mean score hides small defects",
             "A defect of 10 × 10 pixels is 0.06 % of a frame: it hardly moves the frame's mean.",
             lambda e, limits: all_of(e["better_score"].trips, negated(e["better_smoothing"].trips is True),
                                      negated(e["same_top"].trips)),
             ("better_score", "image_auroc"), (6, 1),
             ("score by the maximum of the smoothed map, or by its highest thousandth (score='topk')",)),
        Root("misaligned", "maps and masks do not lie on one another",
             "The map finds the defect, and the mask is elsewhere: pixel metrics fall, image metrics do not.",
             lambda e, limits: all_of(e["shift"].trips, e["shift_gain"].trips),
             ("shift", "shift_gain", "pixel_auroc", "image_auroc"), (6,),
             ("look at one map with its mask's outline; undo the crop, padding or resize that moved one of them",
              "bring the map to the mask's size, never the mask to the map's"),
             "retraining: the network is not what is wrong"),
        Root("other_unit", "the threshold was measured in another unit than the scores",
             "Training and serving differ: here the threshold fits maps before smoothing, and scores come after it.",
             lambda e, limits: _threshold_far_off(e, limits, skewed=True),
             ("threshold_over_normals", "raw_threshold", "f1", "image_auroc"), (1,),
             ("measure the threshold again, with the very function that serves (detector.judge_images)",
              "save preprocessing, smoothing and threshold together (detector.save)"),
             "training again: ROC AUC says that the scores are fine"),
        Root("contaminated", "the threshold is no percentile of clean normals",
             "The maximum of images that were taken for normal is the score of the worst defect among them.",
             lambda e, limits: _threshold_far_off(e, limits, skewed=False),
             ("threshold_over_normals", "raw_threshold", "f1", "image_auroc"), (1,),
             ("look at the images with the highest scores, and take defects out",
              "take a percentile (95) of held-out normals, not their maximum"),
             "training again: ROC AUC says that the scores are fine"),
        Root("foreign_threshold", "the thresholds come from other images, or another network",
             "They were measured where errors are smaller: on softer or training images, or with a better network.",
             lambda e, limits: _too_much_above(e, limits, promised=False),
             ("share_above", "broken_promise", "flagged_normals"), (3,),
             ("set the thresholds on held-out normals, taken as those that are served, with the network that serves",
              "compare the sharpness and brightness of both sets of images"),
             "lowering the percentile: a lower threshold flags more, not less"),
        Root("low_percentile", "the percentile of the threshold is too low",
             "The threshold keeps its promise: so many of the normals lie above it.",
             lambda e, limits: _too_much_above(e, limits, promised=True),
             ("share_above", "broken_promise", "flagged_normals"), (3,),
             ("raise the percentile: 95 of images, 99.5 of pixels",),
             "lowering the percentile: a lower threshold flags more, not less"),
    )
}  # fmt: skip

LIKELY = {  # for each symptom, the root causes to think of, the most likely first
    1: ("other_unit", "contaminated", "stretched_maps", "mean_score"),
    2: ("collapse", "untrained"),
    3: ("stretched_maps", "foreign_threshold", "low_percentile", "untrained", "collapse"),
    4: ("collapse", "untrained"),
    5: ("no_kl",),
    6: ("copies", "mean_score", "oversmoothed", "misaligned", "untrained", "collapse", "no_kl", "stretched_maps"),
}


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
