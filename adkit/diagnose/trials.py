"""Advice on trial: the same recipe with and without a change, over seeds, compared on the same test images."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.diagnose.reconstruction_readings import read_reconstructions
from adkit.experiments.draws import Draws
from adkit.experiments.evaluated import Evaluation
from adkit.experiments.evaluation import judge
from adkit.experiments.seeds import paired
from adkit.experiments.studies.latent_codes import code_numbers
from adkit.experiments.synthetic_validation import synthetic_validation_metrics
from adkit.metrics.significance import Difference, family

HELPS, HARMS, NOT_SHOWN, BOTH_WAYS = "helps", "harms", "no difference shown", "helps one, harms another"


@dataclass(frozen=True)
class Trial:
    """One training of one recipe, judged.

    Attributes:
        name: of the recipe.
        detector: what was trained.
        evaluation: on the test images.
        draws: of the test images; :func:`adkit.over_seeds` and :func:`adkit.experiments.paired` take trials as results.
        synthetic_ap: pixel AP on validation normals with synthetic defects: what a choice may look at.
    """

    name: str
    detector: Detector
    evaluation: Evaluation
    draws: Draws
    synthetic_ap: float

    @property
    def experiment(self) -> SimpleNamespace:
        """What stands for a description of the run: its ``label`` alone."""
        return SimpleNamespace(label=self.name)


def judged_trial(name: str, detector: Detector, few: AnomalyDataset, test: AnomalyDataset, draws: int = 1000) -> Trial:
    """A fitted detector with all that a trial says of it.

    Args:
        name: of the recipe.
        detector: fitted.
        few: validation normals, which get synthetic defects.
        test: labelled images with masks.
        draws: bootstrap samples of the test images, at least 1.
    """
    evaluation, drawn = judge(detector, test, bootstrap=draws)
    return Trial(name, detector, evaluation, drawn, synthetic_validation_metrics(detector, few).ap)


def over_trials(
    name: str, make: Callable[[int], Detector], seeds: Sequence[int], few: AnomalyDataset, test: AnomalyDataset,
    draws: int = 1000,
) -> list[Trial]:  # fmt: skip
    """A recipe with several seeds.

    Args:
        name: of the recipe.
        make: seed → fitted detector.
        seeds: whole numbers.
        few: as of :func:`judged_trial`.
        test: as of :func:`judged_trial`.
        draws: as of :func:`judged_trial`.
    """
    return [judged_trial(name, make(seed), few, test, draws) for seed in seeds]


def gaps(
    trials: Mapping[str, Sequence[Trial]], base: str, measures: Sequence[str]
) -> dict[tuple[str, str], Difference]:
    """How much better each recipe is than the base, paired on the same test images, corrected for there being several.

    Args:
        trials: recipe → its trainings.
        base: name of the recipe that the others are compared with.
        measures: numbers of an evaluation, such as ``pixel_ap``.

    Returns:
        (recipe, measure) → difference of the means over seeds, with Holm's correction over all of them.

    Raises:
        ValueError: if there is no such base.
    """
    if base not in trials:
        raise ValueError(f"base must be one of {', '.join(trials)}, got {base!r}")
    others = [name for name in trials if name != base]
    found = {(name, one): paired(trials[name], trials[base], one) for name in others for one in measures}
    return family(found)


def verdict(differences: Sequence[Difference]) -> str:
    """What several differences of one change say together.

    Args:
        differences: of the measures that count.

    Returns:
        ``helps``, ``harms``, ``helps one, harms another`` or ``no difference shown``.

    Example:
        >>> verdict([Difference(0.1, 0.05, 0.2, p=0.01), Difference(0.01, -0.1, 0.1, p=0.9)])
        'helps'
        >>> verdict([Difference(0.01, -0.1, 0.1, p=0.9)])
        'no difference shown'
    """
    signs = {each.value > 0 for each in differences if each.shown}
    return BOTH_WAYS if len(signs) == 2 else HELPS if True in signs else HARMS if signs else NOT_SHOWN


def recipe_row(trials: Sequence[Trial], few: AnomalyDataset) -> dict[str, float]:
    """What the trainings of one recipe make of normal images, of synthetic defects and of the test images, on average.

    Args:
        trials: of a VAE.
        few: normal images that it was not trained on.

    Returns:
        ``gain on mean``, ``variance kept`` and ``defect kept`` as of
        :class:`adkit.diagnose.reconstruction_readings.NormalReconstructions`; ``KL, nats`` of a window and its
        ``mean σ``; ``AP, synthetic`` on validation normals; and on the test images ``pixel AP``.
    """
    rows = []
    for trial in trials:
        seen, code = read_reconstructions(trial.detector, few), code_numbers(trial.detector, few)
        rows.append({
            "gain on mean": seen.gain_over_mean, "variance kept": seen.variance_ratio, "defect kept": seen.retention,
            "KL, nats": code["KL, nats"], "mean σ": code["mean σ"], "AP, synthetic": trial.synthetic_ap,
            "pixel AP": trial.evaluation.pixel_ap,
        })  # fmt: skip
    known = {name: [row[name] for row in rows if row[name] is not None] for name in rows[0]}
    return {name: statistics.fmean(values) if values else float("nan") for name, values in known.items()}
