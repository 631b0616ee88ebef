"""Time-series plots as images: what a monitoring screen shows, normal or with one of nine anomalies, drawn fast.

>>> KINDS
('spike', 'level_shift', 'trend_change', 'variance_change', 'missing_span', 'frequency_change', 'saturation', 'drift', \
'phase_jump')
"""

import numpy as np

from adkit.data.plots.anomalies import ANOMALIES
from adkit.data.plots.raster import INKS, SIDE, draw_plot, line_mask
from adkit.data.plots.series import draw_series

KINDS = tuple(ANOMALIES)

__all__ = ["KINDS", "SIDE", "Plots"]


class Plots:
    """An endless supply of plots; what number ``index`` shows depends on the seed and the index alone.

    Args:
        seed: another seed, other series.

    Example:
        >>> image, mask = Plots().draw(7, kind="spike")
        >>> image.shape, image.dtype, mask.shape
        ((3, 224, 224), dtype('uint8'), (224, 224))
    """

    def __init__(self, seed: int = 0):
        self.seed = seed

    def series(self, index: int, kind: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The values that a plot shows, float (192,), NaN where there are none, and its anomalous points, bool (192,).

        Raises:
            ValueError: if the kind is unknown.
        """
        if kind is not None and kind not in ANOMALIES:
            raise ValueError(f"kind must be None or one of {', '.join(KINDS)}, got {kind!r}")
        series = draw_series(np.random.default_rng([self.seed, index]))
        if kind is None:
            return series.values, np.zeros(len(series.noise), bool)
        return ANOMALIES[kind](series, np.random.default_rng([self.seed, index, 1]))

    def draw(self, index: int, kind: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw one plot; the same index without an anomaly is its normal twin.

        Args:
            index: of the plot, at least 0.
            kind: one of ``KINDS``; None: normal.

        Returns:
            Image, uint8 (3, 224, 224), and mask, bool (224, 224): the line and a few pixels around it at the anomalous
            points; where nothing was measured, the line that is missing.

        Raises:
            ValueError: if the kind is unknown.
        """
        values, here = self.series(index, kind)
        ink = INKS[np.random.default_rng([self.seed, index, 2]).integers(len(INKS))]
        expected = self.series(index)[0] if np.isnan(values).any() else values
        return draw_plot(values, ink), line_mask(expected, here)
