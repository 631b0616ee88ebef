"""Bootstrap intervals of pixel metrics, by drawing whole images: pixels of one image are not independent.

The value is exact; the ends of the interval carry the error of ``adkit.metrics.pixel_draws``, about 1e-4.
"""

from adkit.metrics.inputs import Images, as_images
from adkit.metrics.intervals import Interval, check_draws, interval_of
from adkit.metrics.pixel import PixelMetrics, pixel_metrics
from adkit.metrics.pixel_draws import METRICS, draw_images, drawn_metrics


def pixel_bootstrap(
    masks: Images, maps: Images, n: int = 1000, seed: int = 0, level: float = 0.95, fpr_limit: float = 0.3
) -> dict[str, Interval]:
    """Percentile intervals of pixel AUROC, AP, PRO and F1-max.

    Images are drawn with replacement, defective and normal ones apart, so that every drawn set has as many of each as
    the test set: their proportion is the designer's choice, not chance, and no draw is without a region.

    Args:
        masks: (N, H, W) bool, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes.
        n: number of draws.
        seed: of the draws.
        level: share of draws inside the interval, in (0, 1).
        fpr_limit: in (0, 1].

    Returns:
        ``auroc``, ``ap``, ``pro`` and ``f1_max`` → interval. With one defective image it only shows the spread that
        the normal images add.

    Raises:
        ValueError: as ``pixel_metrics``, or if ``n`` or ``level`` is out of range.

    Example:
        >>> import numpy as np
        >>> masks = np.zeros((4, 8, 8), dtype=bool)
        >>> masks[:2, 2:4, 2:4] = True
        >>> maps = masks + np.random.default_rng(0).normal(size=masks.shape)
        >>> pro = pixel_bootstrap(masks, maps, n=50)["pro"]
        >>> pro.low <= pro.value <= pro.high
        True
    """
    check_draws(n, level)
    masks, maps = as_images(masks, maps)
    exact = pixel_metrics(masks, maps, fpr_limit)
    drawn = drawn_metrics(masks, maps, draw_images(masks, n, seed), fpr_limit)
    return {name: interval_of(getattr(exact, name), drawn[name], level) for name in METRICS}


def paired_pixel_bootstrap(
    masks: Images,
    maps_a: Images,
    maps_b: Images,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    fpr_limit: float = 0.3,
) -> dict[str, Interval]:
    """Intervals of the differences a - b, both measured on the same drawn images.

    A difference counts as shown where its interval excludes 0. Args and Raises are those of ``pixel_bootstrap``.

    Example:
        >>> import numpy as np
        >>> masks = np.zeros((4, 8, 8), dtype=bool)
        >>> masks[:2, 2:4, 2:4] = True
        >>> noise = np.random.default_rng(0).normal(size=masks.shape)
        >>> paired_pixel_bootstrap(masks, 4 * masks + noise, noise, n=50)["auroc"].low > 0
        True
    """
    check_draws(n, level)
    draws, exact, drawn = None, [], []
    for maps in (maps_a, maps_b):
        checked, maps = as_images(masks, maps)
        draws = draw_images(checked, n, seed) if draws is None else draws
        exact.append(pixel_metrics(checked, maps, fpr_limit))
        drawn.append(drawn_metrics(checked, maps, draws, fpr_limit))
    return {name: interval_of(_difference(*exact, name), drawn[0][name] - drawn[1][name], level) for name in METRICS}


def _difference(a: PixelMetrics, b: PixelMetrics, name: str) -> float:
    return getattr(a, name) - getattr(b, name)
