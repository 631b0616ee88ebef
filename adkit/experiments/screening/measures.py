"""What each stage is worth alone, what both are worth together, and what they cost."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix as count_confusions

from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.detectors.base import Detector
from adkit.experiments.screening.classifier import TypeClassifier
from adkit.experiments.screening.fitted import fitted_classifier
from adkit.experiments.screening.stages import Screened, Screening
from adkit.metrics import Interval, bootstrap, f1
from adkit.metrics.significance import Difference, difference_of, family
from adkit.runtime.progress import progress


def stage_table(screened: Screened, draws: int = 1000) -> list[dict]:
    """Detector alone, classifier alone, both, and both where stage 2 may dismiss what stage 1 has flagged.

    Args:
        screened: what :meth:`Screening.judge` returns.
        draws: number of bootstrap samples of the images for the interval of F1, at least 2.

    Returns:
        Rows with ``name``; ``precision`` and ``recall`` of flagging, ``f1`` (an interval); ``named``, the share of all
        images, normal ones too, that are called by their name (None for the detector, which knows none); and
        ``milliseconds`` an image. ``precision`` is None where nothing is flagged.

    Raises:
        ValueError: if no image is normal, or none is anomalous.
    """
    if len(set(screened.labels)) < 2:
        raise ValueError("a table of stages needs normal and anomalous images, got one sort only")
    first, second = (1000 * seconds for seconds in screened.seconds)
    both = first + screened.suspicious.mean() * second
    rows = [
        _row("detector alone", screened, screened.suspicious, None, first, draws),
        _row("classifier alone", screened, screened.named != NORMAL, screened.named, second, draws),
    ]
    for name, dismiss in {"both": False, "both, may dismiss": True}.items():
        verdicts = replace(screened, dismiss=dismiss).verdicts
        rows.append(_row(name, screened, verdicts != NORMAL, verdicts, both, draws))
    return rows


def _row(
    name: str, screened: Screened, flagged: np.ndarray, named: np.ndarray | None, milliseconds: float, draws: int
) -> dict:
    labels = screened.labels
    return {
        "name": name,
        "precision": float(labels[flagged].mean()) if flagged.any() else None,
        "recall": float(flagged[labels == 1].mean()),
        "f1": bootstrap(f1, labels, flagged.astype(int), n=draws),
        "named": None if named is None else float((named == screened.kinds).mean()),
        "milliseconds": milliseconds,
    }


def stage_gaps(screened: Screened, draws: int = 1000, seed: int = 0) -> dict[str, Difference]:
    """Differences in F1 of who flags what: all on the same resampled images, with Holm's correction for all of them.

    Args:
        screened: what :meth:`Screening.judge` returns.
        draws: number of bootstrap samples of the images.
        seed: whole number; another one draws other samples.

    Returns:
        ``a - b`` → difference, of detector alone, classifier alone, and both where stage 2 may dismiss.

    Raises:
        ValueError: if no image is normal, or none is anomalous.
    """
    labels = screened.labels
    if len(set(labels)) < 2:
        raise ValueError("stages are compared on normal and anomalous images, got one sort only")
    flags = {
        "both, may dismiss": replace(screened, dismiss=True).verdicts != NORMAL,
        "classifier alone": screened.named != NORMAL,
        "detector alone": screened.suspicious,
    }
    rows = np.random.default_rng(seed).integers(len(labels), size=(draws, len(labels)))
    drawn = {name: _f1_of_rows(labels[rows], flagged[rows]) for name, flagged in flags.items()}
    gaps = {}
    for a, b in combinations(flags, 2):
        value = f1(labels, flags[a].astype(int)) - f1(labels, flags[b].astype(int))
        gaps[f"{a} - {b}"] = difference_of(value, drawn[a] - drawn[b])
    return family(gaps)


def _f1_of_rows(labels: np.ndarray, flagged: np.ndarray) -> np.ndarray:
    """F1 of each row, (draws,): 2 TP / (flagged + anomalous); 0 where nothing is either."""
    hits = (flagged & (labels == 1)).sum(axis=1)
    return 2 * hits / np.maximum(flagged.sum(axis=1) + labels.sum(axis=1), 1)


def confusion_matrix(truth: Sequence[str], named: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """How often each kind is called what: counts (K, K), rows the truth, columns the names, and the K kinds.

    The normal kind comes first where there is one, the others in alphabetical order.

    Args:
        truth: the kind of each image.
        named: what each image was called.

    Raises:
        ValueError: if there are not as many names as truths.

    Example:
        >>> counts, kinds = confusion_matrix(["good", "spike", "spike"], ["good", "spike", "good"])
        >>> kinds, counts.tolist()
        (['good', 'spike'], [[1, 0], [1, 1]])
    """
    if len(truth) != len(named):
        raise ValueError(f"expected a name for each of {len(truth)} images, got {len(named)}")
    kinds = sorted({str(kind) for kind in (*truth, *named)}, key=lambda kind: (kind != NORMAL, kind))
    # scikit-learn warns of a matrix of one entry, and refuses one of none
    if len(kinds) < 2:
        return np.full((len(kinds), len(kinds)), len(truth)), kinds
    return count_confusions(truth, named, labels=kinds), kinds


def left_out(
    detector: Detector,
    classifier: TypeClassifier,
    labelled: AnomalyDataset,
    test: AnomalyDataset,
    kinds: Sequence[str] | None = None,
) -> list[dict]:
    """Is a type that the classifier has never seen still flagged? For each type, a classifier is trained without it.

    Args:
        detector: a fitted detector, which has seen no anomaly at all.
        classifier: what is trained, once (see :mod:`.fitted`); its settings count, and it stays as it is.
        labelled: labelled images, normal ones among them, to train classifiers with.
        test: the images to flag, of these types among others.
        kinds: the types to leave out, one at a time; None: all of the test part.

    Returns:
        A row a type: ``kind``; ``detector``, the share of its images that stage 1 flags; ``classifier``, the share
        that the classifier without it does not call good; ``both``, what is left of the first where the second may
        dismiss, an interval each; and ``called``, the name that it is given most often.
    """
    rows, silent = [], TypeClassifier(**asdict(classifier.settings) | {"quiet": True})
    kinds = list(dict.fromkeys(kind for kind in test.kinds if kind != NORMAL)) if kinds is None else list(kinds)
    for kind in progress(kinds, "types left out", quiet=classifier.quiet):
        others = labelled.subset([i for i, k in enumerate(labelled.kinds) if k != kind])
        blind = fitted_classifier(silent, others)
        screened = Screening(detector, blind).judge(test.subset([i for i, k in enumerate(test.kinds) if k == kind]))
        shares = {
            "detector": screened.suspicious,
            "classifier": screened.named != NORMAL,
            "both": screened.suspicious & (screened.named != NORMAL),
        }
        names, counts = np.unique(screened.named, return_counts=True)
        rows.append(
            {"kind": kind}
            | {name: share_interval(int(share.sum()), len(share)) for name, share in shares.items()}
            | {"called": str(names[counts.argmax()])}
        )
    return rows


def share_interval(hits: int, count: int) -> Interval:
    """A share ``hits / count`` with its 95 % interval, which is honest for few images and for shares of 0 and 1 too.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    Args:
        hits: how many, from 0 to ``count``.
        count: of how many, at least 1.

    Raises:
        ValueError: unless ``0 <= hits <= count`` and ``count`` is positive.

    Example:
        >>> print(share_interval(10, 10))
        1.000 [0.722, 1.000]
    """
    if not 0 <= hits <= count or not count:
        raise ValueError(f"hits must lie between 0 and a positive count, got {hits} of {count}")
    wilson = binomtest(hits, count).proportion_ci(confidence_level=0.95, method="wilson")
    return Interval(hits / count, float(wilson.low), float(wilson.high))
