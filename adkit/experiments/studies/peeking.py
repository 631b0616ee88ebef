"""What it costs to choose by the test part: on half of it somebody chooses and reports, the other half tells the truth.

The best of several noisy numbers is partly the luckiest, so it is reported too high, and the luck does not carry over.
"""

from collections.abc import Sequence

import numpy as np

from adkit.metrics import Interval, auroc

CASES = ("the cheat, as reported", "the cheat, on unseen images", "the honest choice, on unseen images")


def peek(
    scores: Sequence[Sequence[float]], labels: Sequence[int], honest: int, n: int = 200, seed: int = 0
) -> dict[str, Interval]:
    """Image AUROC of who chooses by the test part, as reported and in truth, beside a choice that was made without it.

    Args:
        scores: (K, N) image scores of K candidates on N test images.
        labels: (N,) 1 = defective.
        honest: which candidate was chosen without the test part, from 0.
        n: how often the images are parted in two halves.
        seed: whole number; another one parts otherwise.

    Returns:
        Each of :data:`CASES` → mean, and the middle 95 % over the partings.

    Raises:
        ValueError: if a half would lack a normal or a defective image, or there is no such candidate.

    Example:
        >>> scores = np.random.default_rng(0).random((9, 40))
        >>> found = peek(scores, [0, 1] * 20, honest=0)
        >>> found["the cheat, as reported"].value > found["the cheat, on unseen images"].value
        True
    """
    scores, labels = np.asarray(scores, dtype=float), np.asarray(labels)
    groups = [np.flatnonzero(labels == label) for label in (0, 1)]
    if min(map(len, groups)) < 2 or not 0 <= honest < len(scores):
        raise ValueError(
            f"needs two normal and two defective images at least, and one of {len(scores)} candidates; got "
            f"{len(groups[0])}, {len(groups[1])} and honest={honest}"
        )
    chance, rows = np.random.default_rng(seed), []
    for _ in range(n):
        shuffled = [chance.permutation(group) for group in groups]
        halves = [np.concatenate([group[start::2] for group in shuffled]) for start in (0, 1)]
        seen, unseen = ([auroc(labels[half], row[half]) for row in scores] for half in halves)
        taken = int(np.argmax(seen))
        rows.append([seen[taken], unseen[taken], unseen[honest]])
    means, (low, high) = np.mean(rows, axis=0), np.quantile(rows, [0.025, 0.975], axis=0)
    found = zip(means.tolist(), low.tolist(), high.tolist(), strict=True)
    return dict(zip(CASES, (Interval(*each) for each in found), strict=True))
