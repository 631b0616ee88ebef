"""Two tests that know how small a reference is: whether scores have drifted, and whether too many images are flagged.

Forty normal images do not say where 5 % of all normal images begin: the rate above such a threshold is itself
uncertain, by a Beta distribution. A binomial test that takes 5 % for granted alarms in a quarter of all quiet windows
of 200 images; the population stability index, usual elsewhere, in almost all.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def drift_p_value(reference: Sequence[float], window: Sequence[float]) -> float:
    """Two-sample Kolmogorov-Smirnov test: how likely so different scores are if nothing has changed.

    Args:
        reference: scores of normal images, at least one.
        window: scores of a window, at least one.

    Example:
        >>> drift_p_value([1, 2, 3, 4, 5, 6], [1.5, 2.5, 3.5, 4.5]) > 0.5
        True
    """
    # with forty scores beside two hundred the exact p-value takes no time, and rounding may make it leave its bounds
    return float(min(1.0, max(0.0, stats.ks_2samp(reference, window, method="auto").pvalue)))


def alarm_p_value(reference: Sequence[float], threshold: float, flagged: int, of: int) -> float:
    """How likely at least so many images are flagged if nothing has changed: a beta-binomial tail.

    If k of n reference scores lie below the threshold, the share of all normal images above it is Beta(n + 1 - k, k).

    Args:
        reference: scores of normal images, at least one.
        threshold: from which on an image is flagged.
        flagged: number of flagged images.
        of: number of images.

    Source:
        David and Nagaraja, "Order Statistics", 3rd edition, 2003, section 2.3.

    Example:
        >>> scores = range(40)
        >>> alarm_p_value(scores, 38, flagged=20, of=200) > 0.05 > alarm_p_value(scores, 38, flagged=60, of=200)
        True
    """
    below = int(np.sum(np.asarray(reference) < threshold))
    n = len(reference)
    return float(stats.betabinom.sf(flagged - 1, of, n + 1 - below, max(below, 1)))


def least_alarms(reference: Sequence[float], threshold: float, of: int, alpha: float) -> int:
    """The least number of flagged images, of so many, that is significant: what a reference of this size can see."""
    return next(
        (flagged for flagged in range(of + 1) if alarm_p_value(reference, threshold, flagged, of) < alpha), of + 1
    )
