"""A slider along the ROC and PRO curves of one frame: which pixels a false positive rate marks."""

from collections.abc import Mapping, Sequence

import numpy as np

from adkit.course.explorers import Explorer, explorer
from adkit.figures.operating_point import operating_point
from adkit.figures.style import to_array

NAME = "false alarms, %"
STILLS = (0.1, 2.0, 20.0)  # per cent of the normal pixels


def curve_explorer(
    image, anomaly_map, mask, curves: Mapping, interactive: bool = True, stills: Sequence[float] = STILLS
) -> Explorer:
    """Choose how many per cent of the normal pixels may be marked, and see the mask and its point on each curve.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        anomaly_map: (H, W).
        mask: bool (H, W), the true one; it needs defective and normal pixels.
        curves: name → rates (N,), heights (N,), see :func:`adkit.figures.operating_point.operating_point`.
        interactive: add the slider, unless ``ADKIT_FAST`` or ``ADKIT_HEADLESS`` is set.
        stills: false alarms of the pictures of the strip, in per cent of the normal pixels.

    Example:
        >>> frame = np.linspace(0, 1, 64).reshape(8, 8)
        >>> curve = np.array([0.0, 1.0]), np.array([0.0, 1.0])
        >>> made = curve_explorer(frame, frame, frame > 0.9, {"ROC": curve}, interactive=False)
        >>> made.static.axes.size
        3
    """
    a_map = to_array(anomaly_map)
    normal = a_map[~to_array(mask).astype(bool)]

    def plot(**setting: float):
        threshold = float(np.quantile(normal, 1 - setting[NAME] / 100))
        return operating_point(image, a_map, mask, curves, threshold)

    settings = [{NAME: share} for share in stills]
    return explorer(plot, {NAME: (0.1, 40.0, 0.1, stills[0])}, settings, interactive)
