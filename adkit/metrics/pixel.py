"""Exact pixel metrics: AUROC, AP, PRO and F1-max from one sort of the scores."""

from dataclasses import dataclass

from adkit.metrics import operating_points as formulas
from adkit.metrics.components import collect_pixels
from adkit.metrics.inputs import Images, check_limit
from adkit.metrics.operating_points import Steps, exact_steps


@dataclass(frozen=True)
class PixelMetrics:
    """Localisation of defects. ``f1_max`` is an oracle: its threshold was chosen with the truth in hand."""

    auroc: float
    ap: float
    pro: float
    f1_max: float
    f1_threshold: float
    fpr_limit: float
    n_images: int
    n_pixels: int
    n_defective: int  # pixels
    n_regions: int


def pixel_metrics(masks: Images, maps: Images, fpr_limit: float = 0.3) -> PixelMetrics:
    """Measure how well anomaly maps find the defective pixels.

    All values are exact, ties included: normal scores are sorted once as values, and the few defective scores are
    looked up among them. Memory is that of one more copy of the maps.

    Args:
        masks: (N, H, W) bool or 0 and 1, True where defective; or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes, higher = more anomalous.
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Raises:
        ValueError: if sizes differ, masks are not binary, a score is NaN or infinite, there is no normal pixel or no
            region, or ``fpr_limit`` lies outside (0, 1].

    Example:
        >>> import numpy as np
        >>> masks = np.array([[[0, 0, 1, 1]]])
        >>> pixel_metrics(masks, np.array([[[0.1, 0.4, 0.35, 0.8]]])).auroc
        0.75
    """
    check_limit(fpr_limit)
    pixels = collect_pixels(masks, maps)
    steps = exact_steps(pixels.normal, pixels.defective, pixels.weights)
    return summarise(steps, fpr_limit, n_images=pixels.n_images, n_regions=pixels.areas.size)


def pro_score(masks: Images, maps: Images, fpr_limit: float = 0.3) -> float:
    """Per-region overlap: the mean share of each region that is found, averaged over false positive rates.

    A region is a connected component of one mask (8-connectivity) and weighs the same whatever its size; the FPR is
    over all defect-free pixels of all images; the curve runs from (0, 0) with ties merged, is interpolated at the
    limit and its area divided by the limit.

    Source: Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021, section 5.

    Args and Raises are those of ``pixel_metrics``.

    Example:
        >>> import numpy as np
        >>> masks = np.array([[[0, 0, 0, 1]]])
        >>> pro_score(masks, np.array([[[0.1, 0.2, 0.3, 0.9]]]))
        1.0
    """
    check_limit(fpr_limit)
    pixels = collect_pixels(masks, maps)
    return float(formulas.pro(exact_steps(pixels.normal, pixels.defective, pixels.weights), fpr_limit))


def summarise(steps: Steps, fpr_limit: float, n_images: int, n_regions: int) -> PixelMetrics:
    """All metrics of one set of steps, as plain numbers."""
    f1_values = formulas.f1_scores(steps)
    best = int(f1_values.argmax())
    return PixelMetrics(
        auroc=float(formulas.auroc(steps)),
        ap=float(formulas.average_precision(steps)),
        pro=float(formulas.pro(steps, fpr_limit)),
        f1_max=float(f1_values[best]),
        f1_threshold=float(steps.threshold[best]),
        fpr_limit=float(fpr_limit),
        n_images=int(n_images),
        n_pixels=int(steps.normals + steps.tp[-1]),
        n_defective=int(steps.tp[-1]),
        n_regions=int(n_regions),
    )
