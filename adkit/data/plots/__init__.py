"""Time-series plots as images: what a monitoring screen shows, normal or with one of nine anomalies, rendered fast.

>>> ANOMALY_TYPES
('spike', 'level_shift', 'trend_change', 'variance_change', 'missing_span', 'frequency_change', 'saturation', 'drift', \
'phase_jump')
"""

import numpy as np

from adkit.data.plots.anomalies import ANOMALIES
from adkit.data.plots.raster import INKS, SIDE, line_mask, rasterise
from adkit.data.plots.series import random_series

ANOMALY_TYPES = tuple(ANOMALIES)

__all__ = ["ANOMALY_TYPES", "SIDE", "Plots"]


class Plots:
    """An endless supply of plots; what number ``index`` shows depends on the seed and the index alone.

    Args:
        seed: integer, at least 0; another seed gives other series.

    Example:
        >>> image, mask = Plots().render(7, "spike")
        >>> image.shape, image.dtype, mask.shape
        ((3, 224, 224), dtype('uint8'), (224, 224))
    """

    def __init__(self, seed: int = 0):
        self.seed = seed

    def series(self, index: int, anomaly_type: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The values that a plot shows, and which of them are anomalous.

        Args:
            index: number of the plot, from 0.
            anomaly_type: one of ``ANOMALY_TYPES``; None: normal.

        Returns:
            Values, float (192,), NaN where nothing was measured, and anomalous points, bool (192,).

        Raises:
            ValueError: if the anomaly type is unknown.
        """
        if anomaly_type is not None and anomaly_type not in ANOMALIES:
            raise ValueError(f"anomaly_type must be None or one of {', '.join(ANOMALIES)}, got {anomaly_type!r}")
        series = random_series(np.random.default_rng([self.seed, index]))
        if anomaly_type is None:
            return series.values, np.zeros(len(series.noise), bool)
        return ANOMALIES[anomaly_type](series, np.random.default_rng([self.seed, index, 1]))

    def render(self, index: int, anomaly_type: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The image of one plot; the same index without an anomaly is its clean counterpart.

        Args:
            index: number of the plot, from 0.
            anomaly_type: one of ``ANOMALY_TYPES``; None: normal.

        Returns:
            Image, uint8 (3, 224, 224), and mask, bool (224, 224): the line and a few pixels around it at the anomalous
            points; where nothing was measured, the line that is missing.

        Raises:
            ValueError: if the anomaly type is unknown.
        """
        values, anomalous = self.series(index, anomaly_type)
        ink = INKS[np.random.default_rng([self.seed, index, 2]).integers(len(INKS))]
        expected = self.series(index)[0] if np.isnan(values).any() else values
        return rasterise(values, ink), line_mask(expected, anomalous)
