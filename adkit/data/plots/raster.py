"""From values to pixels: axes, a grid, and an anti-aliased line, by a few array operations.

A line over columns is a range of rows in each column. How much of a pixel that range covers is how much of the line's
colour it gets: no loop over segments, no plotting library.
"""

from functools import lru_cache

import numpy as np

from adkit.data.plots.series import LIMIT, POINTS

SIDE = 224
TOP, LEFT, BOTTOM = 10, 24, 204  # of the axes: rows TOP to BOTTOM, columns LEFT to LEFT + POINTS
THICKNESS = 2.4  # of the line, in pixels
MARGIN = 4  # pixels above and below an anomalous line that belong to the anomaly
INKS = np.array([(0, 114, 178), (213, 94, 0), (0, 158, 115), (120, 94, 240)], float) / 255  # told apart by everybody
PAPER, FIELD, GRID, SPINE = 1.0, 0.97, 0.87, 0.35  # greys


def rasterise(values: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """The image of a line.

    Args:
        values: (POINTS,) inside -LIMIT to LIMIT; what lies beyond shows at the border, and NaN leaves a gap.
        ink: colour of the line, (3,) in [0, 1].

    Returns:
        uint8 (3, SIDE, SIDE).
    """
    low, high = line_rows(values)
    row = np.arange(TOP, BOTTOM)[:, None]
    covered = np.clip(np.minimum(row + 1, high) - np.maximum(row, low), 0, 1)  # (rows, POINTS), NaN in gaps
    covered = np.nan_to_num(covered)
    image = _canvas().copy()
    field = image[:, TOP:BOTTOM, LEFT : LEFT + POINTS]
    field += covered * (ink[:, None, None] - field)
    return np.round(image * 255).astype(np.uint8)


def line_mask(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The line and MARGIN pixels around it, at some points.

    Args:
        values: (POINTS,) inside -LIMIT to LIMIT.
        points: (POINTS,) bool, those that belong to the mask.

    Returns:
        bool (SIDE, SIDE).
    """
    low, high = line_rows(values)
    row = np.arange(SIDE)[:, None]
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:, LEFT : LEFT + POINTS] = points & (row + 1 > low - MARGIN) & (row < high + MARGIN)
    mask[:TOP] = mask[BOTTOM:] = False
    return mask


def line_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower end of the line in each column, in rows; it meets its neighbours half way.

    Args:
        values: (POINTS,); NaN where there is no line.

    Returns:
        (POINTS,) each, in pixels from the top of the image.
    """
    y = TOP + (BOTTOM - TOP) * (1 - np.clip(values / LIMIT, -1, 1)) / 2
    y = np.clip(y, TOP + THICKNESS / 2, BOTTOM - THICKNESS / 2)
    half_way = (y[1:] + y[:-1]) / 2
    left, right = np.append(np.nan, half_way), np.append(half_way, np.nan)
    low, high = np.fmin(np.fmin(y, left), right), np.fmax(np.fmax(y, left), right)
    return low - THICKNESS / 2, high + THICKNESS / 2


@lru_cache(maxsize=1)
def _canvas() -> np.ndarray:
    """The empty plot, float (3, SIDE, SIDE) in [0, 1]."""
    grey = np.full((SIDE, SIDE), PAPER)
    grey[TOP:BOTTOM, LEFT : LEFT + POINTS] = FIELD
    columns, rows = LEFT + np.arange(0, POINTS, 24), np.linspace(TOP, BOTTOM, 7).round().astype(int)
    grey[rows[1:-1], LEFT : LEFT + POINTS] = GRID
    grey[TOP:BOTTOM, columns[1:]] = GRID
    grey[TOP:BOTTOM, LEFT - 1] = grey[BOTTOM, LEFT - 1 : LEFT + POINTS] = SPINE
    grey[BOTTOM + 1 : BOTTOM + 4, columns] = SPINE  # ticks
    grey[rows, LEFT - 4 : LEFT - 1] = SPINE
    return np.repeat(grey[None], 3, axis=0)
