"""What happens if the training images were never looked at: a share of them is anomalous, and nobody knows which.

Two things go wrong. The network learns to reconstruct some anomalies, and a threshold that is read off the *training*
errors, as is often done, is pushed about by two forces: training errors are smaller than those of new images, which
pulls it down, and the anomalies among them are larger, which pushes it up.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from adkit.data import AnomalyDataset
from adkit.data.plots.samples import mixed_plots
from adkit.detectors.base import Detector
from adkit.detectors.preprocessing import Preprocessing
from adkit.experiments.screening.classifier import seen_by
from adkit.experiments.screening.fitted import fitted_detector
from adkit.experiments.screening.measures import share_interval
from adkit.metrics import auroc, bootstrap
from adkit.runtime.progress import progress
from adkit.scoring.thresholds import percentile

SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)


def plot_mixes(
    like: AnomalyDataset, shares: Sequence[float] = SHARES, count: int = 400, seed: int = 0
) -> dict[float, AnomalyDataset]:
    """Unlabelled mixes of plots, by the share of anomalous ones; the plots of a small share are among a larger one's.

    Args:
        like: a dataset whose size and channels the plots get.
        shares: shares of anomalous plots, from 0 to 1.
        count: number of plots in each mix.
        seed: integer; another seed draws other plots.

    Example:
        >>> from adkit import load_dataset
        >>> mixes = plot_mixes(load_dataset("plots", image_size=32).validation, shares=(0, 0.1), count=20)
        >>> [(len(mix), sum(sample.shows is not None for sample in mix.samples)) for mix in mixes.values()]
        [(20, 0), (20, 2)]
    """
    view = Preprocessing.of(like)
    return {share: seen_by(view, AnomalyDataset(mixed_plots(count, share, seed))) for share in shares}


def contamination(
    detector: Detector,
    mixes: Mapping[float, AnomalyDataset],
    validation: AnomalyDataset,
    test: AnomalyDataset,
    draws: int = 1000,
) -> list[dict]:
    """Train on each mix, and compare a threshold from its own training errors with one from held-out normals.

    Args:
        detector: what is trained, once for each mix (see :mod:`.fitted`); its class and its settings
            count, and it stays as it is.
        mixes: share of anomalous images → training images that all say that they are normal.
        validation: held-out images that are known to be normal.
        test: labelled images.
        draws: number of bootstrap samples of the test images for the interval of the AUROC, at least 2.

    Returns:
        A row a mix: ``share``; ``auroc`` of the image score, which needs no threshold; and of the decisions with the
        threshold from the ``training`` errors and from the ``held_out`` ones, ``recall_training``,
        ``false_positives_training``, ``recall_held_out`` and ``false_positives_held_out``: intervals all of them; and
        both thresholds. What was promised is a false positive rate of 1 - percentile / 100.

    Raises:
        ValueError: if there is no mix, or the test part does not hold both normal and anomalous images.
    """
    if not mixes:
        raise ValueError("contamination needs at least one mix, as share -> training images, got none")
    truth = test.labels[[group[0] for group in test.groups()]]
    if len(set(truth)) < 2:
        raise ValueError("the test part must hold normal and anomalous images, got one sort only")
    rows, silent = [], detector.fresh(quiet=True)
    for share, mix in progress(list(mixes.items()), "shares of anomalous images", quiet=detector.quiet):
        trained = fitted_detector(silent, mix, validation)
        scores = trained.judge_images(test)[1]
        own = percentile(trained.judge_images(mix)[1], trained.settings.percentile)
        row = {"share": share, "auroc": bootstrap(auroc, truth, scores, n=draws)}
        for name, threshold in {"training": own, "held_out": trained.image_threshold}.items():
            row |= decisions(truth, scores >= threshold.value, name) | {f"threshold_{name}": threshold.value}
        rows.append(row)
    return rows


def decisions(truth: np.ndarray, flagged: np.ndarray, name: str) -> dict:
    """Recall and false positive rate of decisions, with their intervals, under names that end in ``name``.

    Args:
        truth: (N,) labels, 1 for anomalous images.
        flagged: (N,) bool, the decisions.
        name: what the decisions were made by.
    """
    hits, alarms = (flagged[truth == label] for label in (1, 0))
    return {
        f"recall_{name}": share_interval(int(hits.sum()), len(hits)),
        f"false_positives_{name}": share_interval(int(alarms.sum()), len(alarms)),
    }
