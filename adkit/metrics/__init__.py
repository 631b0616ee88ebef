"""How well scores find defects: AUROC, AP, PRO, F1-max and IoU; exact, streaming, and with bootstrap intervals.

Truth comes first, as in scikit-learn. Inputs are NumPy arrays, torch tensors on any device, or lists of images of
unequal sizes; a higher score is more anomalous, and a threshold calls a score anomalous where ``score >= threshold``.

Example:
    >>> import numpy as np
    >>> masks = np.zeros((2, 4, 4), dtype=bool)
    >>> masks[0, :2, :2] = True
    >>> maps = np.where(masks, 0.9, 0.1)
    >>> metrics = pixel_metrics(masks, maps)
    >>> metrics.auroc, metrics.ap, metrics.pro, metrics.f1_max
    (1.0, 1.0, 1.0, 1.0)
"""

from adkit.metrics.components import region_areas, regions
from adkit.metrics.curves import pr_curve, pro_curve, roc_curve
from adkit.metrics.groups import SizeGroup, image_metrics_by_kind, pixel_metrics_by_kind, pro_by_size
from adkit.metrics.image import ImageMetrics, auroc, average_precision, f1, f1_max, image_metrics, iou
from adkit.metrics.intervals import Interval, bootstrap, paired_bootstrap, paired_pixel_bootstrap, pixel_bootstrap
from adkit.metrics.pixel import PixelMetrics, pixel_metrics, pro_score
from adkit.metrics.significance import Difference, bootstrap_p, holm
from adkit.metrics.streaming import StreamingPixelMetrics

__all__ = [
    "Difference",
    "ImageMetrics",
    "Interval",
    "PixelMetrics",
    "SizeGroup",
    "StreamingPixelMetrics",
    "auroc",
    "average_precision",
    "bootstrap",
    "bootstrap_p",
    "f1",
    "f1_max",
    "holm",
    "image_metrics",
    "image_metrics_by_kind",
    "iou",
    "paired_bootstrap",
    "paired_pixel_bootstrap",
    "pixel_bootstrap",
    "pixel_metrics",
    "pixel_metrics_by_kind",
    "pr_curve",
    "pro_by_size",
    "pro_curve",
    "pro_score",
    "region_areas",
    "regions",
    "roc_curve",
]
