"""How large one recipe's error is against another's, over several seeds, both measured on the same bootstrap samples.

Two intervals that overlap do not make two recipes equal: both rise and fall with the images. So samples of the test
images are drawn, both recipes are measured on each of them, and the interval is that of the ratio.
"""

from collections.abc import Sequence

import numpy as np

from adkit.data import AnomalyDataset
from adkit.experiments.experiment import Result
from adkit.metrics import Interval, auroc
from adkit.metrics.resampling import bootstrap_counts, resampled_metrics


def bootstrap_errors(
    results: Sequence[Result], dataset: AnomalyDataset, n: int = 1000, seed: int = 0
) -> dict[str, np.ndarray]:
    """The errors ``1 - image AUROC`` and ``1 - PRO``, averaged over seeds: on a test set, and on n bootstrap samples.

    Args:
        results: of one configuration with several seeds.
        dataset: what they are measured on, for example ``splits.test``; it needs normal images, and masks.
        n: number of samples, at least 1; defective and normal images are drawn apart.
        seed: integer; another seed draws other samples. Equal datasets and seeds give equal samples, so that two
            recipes can be compared.

    Returns:
        ``1 - image AUROC`` and ``1 - PRO`` → (1 + n,), the dataset itself first.
    """
    errors = {"1 - image AUROC": np.zeros(1 + n), "1 - PRO": np.zeros(1 + n)}
    for result in results:
        judged = result.detector().predict_dataset(dataset)
        image_aurocs = _image_aurocs(judged.labels, judged.scores, n, seed)
        known = [i for i, mask in enumerate(judged.masks) if mask is not None]
        masks, maps = ([part[i] for i in known] for part in (judged.masks, judged.maps))
        counts = bootstrap_counts(masks, n, seed)
        pros = resampled_metrics(masks, maps, counts, result.evaluation.fpr_limit)["pro"]
        errors["1 - image AUROC"] += 1 - np.array([result.evaluation.image_auroc, *image_aurocs])
        errors["1 - PRO"] += 1 - np.array([result.evaluation.pro, *pros])
    return {name: total / len(results) for name, total in errors.items()}


def _image_aurocs(labels: np.ndarray, scores: np.ndarray, n: int, seed: int) -> list[float]:
    """Image AUROC on n bootstrap samples, of labels (N,) and scores (N,)."""
    # a label is handed in as an image of one pixel: the images are drawn as for the pixel metrics
    counts = bootstrap_counts([np.atleast_1d(label) for label in labels], n, seed).astype(int)
    return [auroc(np.repeat(labels, times), np.repeat(scores, times)) for times in counts]


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
