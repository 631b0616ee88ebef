"""How large one recipe's error is against another's, over several seeds, both measured on the same bootstrap samples.

Two intervals that overlap do not make two recipes equal: both rise and fall with the images. So samples of the test
images are drawn, both recipes are measured on each of them, and the interval is that of the ratio. Which trainings of a
recipe count is drawn, too: the ratio is to hold for its next training.
"""

from collections.abc import Sequence

import numpy as np

from adkit.data import AnomalyDataset
from adkit.experiments.draws import Draws
from adkit.experiments.evaluation import Evaluation, judge
from adkit.experiments.experiment import Result
from adkit.experiments.seeds import stream
from adkit.metrics import Interval
from adkit.metrics.seeds import mean_of_drawn_seeds

ERRORS = {"image AUROC": "image_auroc", "PRO": "pro"}


def bootstrap_errors(
    results: Sequence[Result], dataset: AnomalyDataset, n: int = 1000, seed: int = 0
) -> dict[str, np.ndarray]:
    """The errors ``1 - image AUROC`` and ``1 - PRO``, averaged over seeds: on a test set, and on n bootstrap samples.

    Args:
        results: of one configuration with several seeds.
        dataset: what they are measured on, for example ``splits.test``; it needs normal images, and masks.
        n: number of samples, at least 1; defective and normal images are drawn apart, and the seeds of each recipe.
        seed: integer; another seed draws other samples. Equal datasets and seeds give equal samples, so that two
            recipes can be compared.

    Returns:
        ``1 - image AUROC`` and ``1 - PRO`` → (1 + n,), the dataset itself first.
    """
    judged = [_judged(result, dataset, n, seed) for result in results]
    return {f"1 - {title}": 1 - _with_draws(judged, name, stream(results[0])) for title, name in ERRORS.items()}


def _judged(result: Result, dataset: AnomalyDataset, n: int, seed: int) -> tuple[Evaluation, Draws]:
    """What a result is worth on a dataset, with n draws: those that are kept with it, where they are the same."""
    if seed == 0 and len(result.draws) == n and dataset is result.experiment.splits().test:
        return result.evaluation, result.draws
    return judge(result.detector(), dataset, result.evaluation.fpr_limit, n, seed)


def _with_draws(judged: Sequence[tuple[Evaluation, Draws]], name: str, drawn_by: int) -> np.ndarray:
    """The mean over seeds on the dataset itself, and behind it on each draw, (1 + n,)."""
    itself = np.mean([evaluation[name] for evaluation, _ in judged])
    drawn = mean_of_drawn_seeds(np.stack([draws.of(name) for _, draws in judged]), drawn_by)
    return np.concatenate([[itself], drawn])


def ratio(new: np.ndarray, old: np.ndarray, level: float = 0.95) -> Interval:
    """New error over old error; below 1 the new recipe is better, and shown to be where the interval lies below 1.

    Args:
        new: (1 + n,) one entry of :func:`bootstrap_errors`.
        old: (1 + n,) the same of the other recipe, with the same dataset, n and seed.
        level: share of samples inside the interval, in (0, 1). Samples on which the old recipe makes no error have no
            ratio, and are left out; where that is the whole test set, the ratio is NaN.

    Example:
        >>> print(ratio(np.array([0.1, 0.1, 0.2]), np.array([0.2, 0.2, 0.4])))
        0.500 [0.500, 0.500]
    """
    ratios = np.divide(new, old, out=np.full(len(new), np.nan), where=old > 0)
    resampled = ratios[1:][old[1:] > 0]
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2]) if len(resampled) else (np.nan, np.nan)
    return Interval(float(ratios[0]), float(low), float(high))
