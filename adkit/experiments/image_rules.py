"""Rules that make one score of a map, compared on the same images; and where the peaks of normal maps lie."""

from collections.abc import Mapping, Sequence

import numpy as np

from adkit.metrics import auroc
from adkit.metrics.significance import Difference, difference_of, family


def score_gaps(
    labels: Sequence[int], scores: Mapping[str, Sequence[float]], base: str, draws: int = 1000, seed: int = 0
) -> dict[str, Difference]:
    """How much better other scores rank images than one of them: image AUROC, on the same resampled images.

    Normal and anomalous images are resampled apart, and the p-values are corrected for all comparisons (Holm).

    Args:
        labels: (N,) 1 for anomalous images.
        scores: name → (N,) scores of the same images.
        base: name of the score that the others are compared with.
        draws: number of bootstrap samples.
        seed: whole number; another one draws other samples.

    Returns:
        Name of each other score → difference.

    Raises:
        ValueError: if ``base`` is none of the scores, or images of one sort are missing.

    Example:
        >>> gaps = score_gaps([0, 0, 1, 1], {"a": [0, 1, 2, 3], "b": [3, 2, 1, 0]}, base="b")
        >>> print(gaps["a"])
        +1.000 [+1.000, +1.000], p 0.002
    """
    if base not in scores:
        raise ValueError(f"base must be one of the scores {', '.join(scores)}, got {base!r}")
    labels = np.asarray(labels)
    if len(set(labels.tolist())) < 2:
        raise ValueError("scores are compared on normal and anomalous images, got one sort only")
    groups = [np.flatnonzero(labels == label) for label in (0, 1)]
    rng = np.random.default_rng(seed)
    rows = [np.concatenate([rng.choice(group, len(group)) for group in groups]) for _ in range(draws)]
    values = {name: np.asarray(each, dtype=float) for name, each in scores.items()}
    drawn = {name: np.array([auroc(labels[row], each[row]) for row in rows]) for name, each in values.items()}
    whole = {name: auroc(labels, each) for name, each in values.items()}
    others = [name for name in scores if name != base]
    return family({name: difference_of(whole[name] - whole[base], drawn[name] - drawn[base]) for name in others})


def peaks_at_border(maps: Sequence[np.ndarray], border: int) -> tuple[int, float]:
    """How many maps have their highest value at the border of the image, and how large a share of the image that is.

    Args:
        maps: (H, W) each.
        border: width of the border in pixels, at least 1.

    Returns:
        The number of maps, and the share of the area, in [0, 1].

    Example:
        >>> middle, corner = np.zeros((2, 10, 10))
        >>> middle[5, 5] = corner[0, 0] = 1.0
        >>> count, share = peaks_at_border([middle, corner], 1)
        >>> count, round(share, 2)
        (1, 0.36)
    """
    count, areas = 0, []
    for one in maps:
        inside = np.zeros(one.shape, dtype=bool)
        inside[border:-border, border:-border] = True
        count += bool(not inside.ravel()[np.argmax(one)])
        areas.append(1 - inside.mean())
    return count, float(np.mean(areas))
