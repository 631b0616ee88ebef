"""The connected regions of a mask, measured on the map that it was cut from."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

from adkit.metrics.components import regions


@dataclass(frozen=True)
class Region:
    """A connected part (8-connectivity) of a mask.

    Attributes:
        id: its number in the image, from 1 on.
        box: top, left, height and width, in pixels.
        area: in pixels.
        peak, mean, integral: of the map over it.
        centroid: row and column.
        elongation: longest axis over shortest, of the ellipse with the same second moments; 1 for a disc or a square.
        touches_border: whether it reaches the edge of the frame.
    """

    id: int
    box: tuple[int, int, int, int]
    area: int
    peak: float
    mean: float
    integral: float
    centroid: tuple[float, float]
    elongation: float
    touches_border: bool


def find_regions(mask: np.ndarray, a_map: np.ndarray, labels: np.ndarray | None = None) -> list[Region]:
    """The regions of a mask, measured on the map, by number.

    Args:
        mask: bool (H, W).
        a_map: (H, W).
        labels: of the mask, as :func:`adkit.metrics.components.regions` numbers them; None: numbered here.
    """
    labels = regions(mask)[0] if labels is None else labels
    rows, columns = np.nonzero(labels)
    if not rows.size:
        return []
    number, values = labels[rows, columns], a_map[rows, columns].astype(np.float64)
    area = np.bincount(number)[1:]
    sums = [np.bincount(number, weights)[1:] for weights in (values, rows, columns)]
    integral, row, column = sums[0], sums[1] / area, sums[2] / area
    off_row, off_column = rows - row[number - 1], columns - column[number - 1]
    products = (off_row**2, off_column**2, off_row * off_column)
    moments = [np.bincount(number, product)[1:] / area for product in products]
    peak = np.full(len(area), -np.inf)
    np.maximum.at(peak, number - 1, values)
    boxes = ndimage.find_objects(labels)
    return [
        Region(
            id=i + 1,
            box=(y.start, x.start, y.stop - y.start, x.stop - x.start),
            area=int(area[i]),
            peak=float(peak[i]),
            mean=float(integral[i] / area[i]),
            integral=float(integral[i]),
            centroid=(float(row[i]), float(column[i])),
            elongation=_elongation(*(float(moment[i]) for moment in moments)),
            touches_border=y.start == 0 or x.start == 0 or y.stop == mask.shape[0] or x.stop == mask.shape[1],
        )
        for i, (y, x) in enumerate(boxes)
    ]


def region_row(region: Region) -> dict:
    """A region as plain data, lists for tuples."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(region).items()}


def _elongation(row: float, column: float, both: float) -> float:
    """Ratio of the axes, from the second moments; a pixel is a square, whose own moment is 1/12."""
    row, column = row + 1 / 12, column + 1 / 12
    middle, spread = (row + column) / 2, np.hypot((row - column) / 2, both)
    return float(np.sqrt((middle + spread) / max(middle - spread, 1e-12)))
