"""Exact pixel metrics: AUROC, AP, PRO and F1-max from one sort of the scores."""

from dataclasses import dataclass

from adkit.metrics import operating_points as formulas
from adkit.metrics.components import collect_pixels
from adkit.metrics.inputs import Images, check_limit
from adkit.metrics.operating_points import OperatingPoints, exact_points


@dataclass(frozen=True)
class PixelMetrics:
    """Localisation of defects. ``f1_max`` is an oracle: its threshold was chosen with the truth in hand.

    Attributes:
        auroc: area under the ROC curve of all pixels, in [0, 1].
        ap: average precision of all pixels, in [0, 1].
        pro: per-region overlap up to ``fpr_limit``, in [0, 1]; see ``pro_score``.
        f1_max: best F1 over all thresholds, in [0, 1].
        f1_threshold: the score that reaches it, ``score >= f1_threshold``.
        fpr_limit: the false positive rate up to which ``pro`` is integrated.
        n_images: number of images.
        n_pixels: number of pixels.
        n_defective: number of defective pixels.
        n_regions: number of regions.
    """

    auroc: float
    ap: float
    pro: float
    f1_max: float
    f1_threshold: float
    fpr_limit: float
    n_images: int
    n_pixels: int
    n_defective: int
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
    points = exact_points(pixels.normal, pixels.defective, pixels.weights)
    return summarise(points, fpr_limit, n_images=pixels.n_images, n_regions=pixels.areas.size)


def pro_score(masks: Images, maps: Images, fpr_limit: float = 0.3) -> float:
    """Per-region overlap: the mean share of each region that is found, averaged over false positive rates.

    A region is a connected component of one mask (8-connectivity) and weighs the same whatever its size; the FPR is
    over all defect-free pixels of all images; the curve runs from (0, 0) with ties merged, is interpolated at the
    limit and its area divided by the limit.

    Source: Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021, section 5.

    Args:
        masks: (N, H, W) bool or 0 and 1, True where defective; or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes, higher = more anomalous.
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: as ``pixel_metrics``.

    Example:
        >>> import numpy as np
        >>> masks = np.array([[[0, 0, 0, 1]]])
        >>> pro_score(masks, np.array([[[0.1, 0.2, 0.3, 0.9]]]))
        1.0
    """
    check_limit(fpr_limit)
    pixels = collect_pixels(masks, maps)
    return float(formulas.pro_area(exact_points(pixels.normal, pixels.defective, pixels.weights), fpr_limit))


def summarise(points: OperatingPoints, fpr_limit: float, n_images: int, n_regions: int) -> PixelMetrics:
    """All metrics of one set of operating points, as plain numbers.

    Args:
        points: of one test set, arrays (K,).
        fpr_limit: of PRO, in (0, 1].
        n_images: number of images.
        n_regions: number of regions.
    """
    f1_values = formulas.f1_scores(points)
    best = int(f1_values.argmax())
    return PixelMetrics(
        auroc=float(formulas.roc_area(points)),
        ap=float(formulas.mean_precision(points)),
        pro=float(formulas.pro_area(points, fpr_limit)),
        f1_max=float(f1_values[best]),
        f1_threshold=float(points.threshold[best]),
        fpr_limit=float(fpr_limit),
        n_images=int(n_images),
        n_pixels=int(points.normals + points.tp[-1]),
        n_defective=int(points.tp[-1]),
        n_regions=int(n_regions),
    )
