"""What an architecture finds at each *size* of a defect, its type and severity held fixed.

In a usual test set small defects are of other types than large ones, so a table by size is a table by type. The textile
crosses both, see :func:`adkit.data.textile.samples.textile_parts`; here is the number for each of its frames, and the
paired difference of two architectures in each combination.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.experiments.evaluation import judge
from adkit.experiments.experiment import Result
from adkit.metrics.seeds import mean_of_drawn_seeds
from adkit.metrics.significance import Difference, difference_of
from adkit.runtime.cores import in_threads


def found_shares(anomaly_map: Callable[[Tensor], Tensor], dataset: AnomalyDataset, fpr: float = 0.05) -> np.ndarray:
    """Of each defective frame, the share of its defect that is found where so many normal pixels are flagged.

    Args:
        anomaly_map: images (B, C, H, W) to maps (B, H, W), as ``detector.anomaly_map``.
        dataset: normal and defective frames with masks.
        fpr: share of the pixels of the *normal* frames that the threshold flags, in (0, 1).

    Returns:
        (N,) shares in [0, 1]; NaN for normal frames.

    Raises:
        ValueError: if there is no normal frame, or ``fpr`` lies outside (0, 1).

    Example:
        >>> from adkit import load_dataset
        >>> test = load_dataset("textile", image_size=(64, 64)).test.subset([0, 1, 50, 51])
        >>> shares = found_shares(lambda images: images[:, 0], test)
        >>> shares.shape, int(np.isnan(shares).sum())
        ((4,), 2)
    """
    if not 0 < fpr < 1:
        raise ValueError(f"fpr must lie in (0, 1), got {fpr!r}; 0.05 is usual")
    normal = [kind == NORMAL for kind in dataset.kinds]
    if not any(normal):
        raise ValueError("the threshold comes from normal frames, and the dataset has none")
    maps = [np.asarray(anomaly_map(dataset[i]["image"][None])[0]) for i in range(len(dataset))]
    limit = np.quantile(np.concatenate([maps[i].ravel() for i in np.flatnonzero(normal)]), 1 - fpr)
    shares = np.full(len(dataset), np.nan)
    for i in np.flatnonzero(~np.array(normal)):
        shares[i] = np.mean(maps[i][np.asarray(dataset[i]["mask"], dtype=bool)] > limit)
    return shares


def frames_of(dataset: AnomalyDataset, kind: str | None = None, size: float | None = None) -> np.ndarray:
    """Which frames of a crossed test part belong to a type and a size.

    Args:
        dataset: of the textile with ``types``, ``sizes`` and ``severities``.
        kind: defect type; None: any.
        size: in pixels; None: any.

    Returns:
        Indices of defective frames.

    Example:
        >>> from adkit import load_dataset
        >>> test = load_dataset("textile", image_size=(64, 64), types=["dark"], sizes=[24, 40], repeats=2).test
        >>> frames_of(test, "dark", 40).tolist()
        [51, 53]
    """
    chosen = [
        i
        for i, (one, details) in enumerate(zip(dataset.kinds, dataset.details, strict=True))
        if one != NORMAL and kind in (None, one) and size in (None, details.get("size"))
    ]
    return np.array(chosen, dtype=int)


def mean_share(shares: np.ndarray, frames: np.ndarray) -> float:
    """Mean over seeds and frames.

    Args:
        shares: (seeds, N) of :func:`found_shares`.
        frames: indices.
    """
    return float(np.mean(shares[:, frames]))


def share_table(
    shares: np.ndarray, dataset: AnomalyDataset, kinds: Sequence[str], sizes: Sequence[float]
) -> list[list[float]]:
    """Mean over seeds and frames of each combination: a row a type, a column a size.

    Args:
        shares: (seeds, N) of :func:`found_shares`.
        dataset: the N frames.
        kinds: defect types.
        sizes: in pixels.
    """
    return [[mean_share(shares, frames_of(dataset, kind, size)) for size in sizes] for kind in kinds]


def share_difference(a: np.ndarray, b: np.ndarray, frames: np.ndarray, n: int = 1000, seed: int = 0) -> Difference:
    """How much more of the defects one architecture finds than another: the same frames drawn for both, seeds drawn.

    Args:
        a: (seeds, N) of :func:`found_shares`.
        b: the same of another architecture; it may have another number of seeds.
        frames: indices of the frames that count.
        n: bootstrap samples.
        seed: whole number; another one draws other samples.

    Raises:
        ValueError: if there is no frame.

    Example:
        >>> a, b = np.full((3, 8), 0.75), np.full((3, 8), 0.5)
        >>> print(share_difference(a, b, np.arange(8)))
        +0.250 [+0.250, +0.250], p 0.002
    """
    if not len(frames):
        raise ValueError("no frame to compare on")
    chosen = np.random.default_rng(seed).choice(frames, (n, len(frames)))
    drawn = [mean_of_drawn_seeds(part[:, chosen].mean(axis=2), seed + k) for k, part in enumerate((a, b))]
    return difference_of(mean_share(a, frames) - mean_share(b, frames), drawn[0] - drawn[1])


def rejudged(results: Sequence[Result], dataset: AnomalyDataset) -> list[Result]:
    """The same trainings, judged on other test images: for a choice that was made after looking at the first ones.

    Args:
        results: of :func:`adkit.run`.
        dataset: other images with the same kind of truth, such as the test part of another ``data_seed``.

    Returns:
        As the results, with the evaluation and the draws of these images; nothing is trained, nothing is kept.

    Example:
        >>> from adkit import Experiment, load_dataset, run
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64), category="denim")
        >>> fresh = load_dataset("textile", category="denim", image_size=(64, 64), seed=1).test
        >>> (other,) = rejudged([run(tiny, quiet=True)], fresh)
        >>> other.evaluation.images[0]["path"]
        'textile/denim/1/2000000'
    """

    def judged(result: Result) -> Result:
        evaluation, draws = judge(result.detector(), dataset, result.evaluation.fpr_limit)
        return replace(result, evaluation=evaluation, draws=draws)

    return in_threads(judged, results)
