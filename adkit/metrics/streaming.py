"""Pixel metrics of a stream of images: fixed memory, any order, any number of workers, and bounds that always hold.

Scores are counted in fine bins (``adkit.metrics.score_bins``). What is not known is their order inside a bin that holds
normal and defective pixels and more than one score; the metrics take them as evenly shuffled there, the bounds as
sorted in the worst and in the best way.
"""

from copy import deepcopy

import numpy as np

from adkit.metrics.bounds import metric_bounds
from adkit.metrics.components import Pixels, collect_pixels
from adkit.metrics.inputs import Images, check_limit
from adkit.metrics.operating_points import OperatingPoints, check_classes
from adkit.metrics.pixel import PixelMetrics, summarise
from adkit.metrics.score_bins import (
    BIN_ROW,
    SHARE,
    BinTable,
    merge_tables,
    pixel_table,
    split_rows,
    table_rows,
    table_size,
)
from adkit.metrics.score_positions import FINE

_NUMBERS = ("fpr_limit", "n_images", "n_regions")
_STATE = {*BIN_ROW.names, "dropped", "fine", *_NUMBERS}


class StreamingPixelMetrics:
    """AUROC, AP, PRO and F1-max without keeping the scores.

    The result depends neither on the order of images, nor on how they are cut into batches, nor on which worker saw
    them: all sums are of integers, so it is the same to the last bit. On smooth distributions, on heavy tails and on
    scores that saturate at 0, 1, -1, or at the lowest or highest value that is seen, it lies within 1e-4 of the exact
    one (measured on 17 million pixels: within 2e-6). It is the exact one where an octave (power of two) holds at most
    2**14 distinct float32 scores, such as 8 bits. Else scores that differ by less than 8e-6 of their size share a bin;
    ``bounds`` tell what that costs at worst.

    A region is a connected component inside one image: give every image whole, in one ``update``.

    Scores count as float32: of float64 scores that differ by less, as near the 100 of ``100 * sigmoid``, the order is
    lost, and where a few scores lie far beyond a value at which all others crowd, so is the crowd's.

    Memory: 48 bytes for each bin that holds a score, however many images come. An octave has at most 2**17 bins (6.3
    MB), all octaves of the distance to 1 together, for scores from 0.5 to 1, at most 917,504 (44 MB; 11 MB where the
    scores are float32), and next to the lowest and to the highest score that were seen at most 53,248 more (2.6 MB).
    Scores of 8 +- 0.15 take 2 MB. While tables wait to be merged it is up to twice that.

    Args:
        fpr_limit: the false positive rate up to which PRO is integrated, in (0, 1].

    Raises:
        ValueError: if ``fpr_limit`` lies outside (0, 1].

    Example:
        >>> masks = np.zeros((2, 4, 4), dtype=bool)
        >>> masks[0, :2, :2] = True
        >>> first, second = StreamingPixelMetrics(), StreamingPixelMetrics()
        >>> _ = first.update(masks[:1], np.where(masks[:1], 0.9, 0.1))
        >>> _ = second.update(masks[1:], np.full((1, 4, 4), 0.2))
        >>> first.merge(second).compute().pro
        1.0
    """

    def __init__(self, fpr_limit: float = 0.3):
        check_limit(fpr_limit)
        self.fpr_limit = fpr_limit
        self.reset()

    def reset(self) -> "StreamingPixelMetrics":
        """Forget all that was seen; ``fpr_limit`` stays."""
        self.n_images = 0
        self.n_regions = 0
        self._tables: list[BinTable] = [{}]  # each less than half as long as the one before
        return self

    def update(self, masks: Images, maps: Images) -> "StreamingPixelMetrics":
        """Add whole images; where they are refused, nothing is added.

        Args:
            masks: (N, H, W) bool or 0 and 1, or a list of (H, W) of unequal sizes.
            maps: scores of the same shapes.

        Raises:
            ValueError: if sizes differ, masks are not binary, or a score is NaN or infinite.
        """
        return self.update_pixels(collect_pixels(masks, maps))

    def update_pixels(self, pixels: Pixels) -> "StreamingPixelMetrics":
        """Add pixels that are collected already: of whole images, or of some regions of theirs.

        Args:
            pixels: of :func:`adkit.metrics.components.collect_pixels`.
        """
        if pixels.normal.size or pixels.defective.size:
            self._add(pixel_table(pixels, known=self._tables[0]))
        self.n_images += pixels.n_images
        self.n_regions += pixels.areas.size
        return self

    def merge(self, other: "StreamingPixelMetrics") -> "StreamingPixelMetrics":
        """Add all that another has seen.

        Args:
            other: of the same ``fpr_limit``; it stays as it is.

        Raises:
            ValueError: if the two differ in ``fpr_limit``.
        """
        if other.fpr_limit != self.fpr_limit:
            raise ValueError(f"both must have one fpr_limit, got {self.fpr_limit} and {other.fpr_limit}")
        self._add(deepcopy(other._merged()))
        self.n_images += other.n_images
        self.n_regions += other.n_regions
        return self

    def compute(self) -> PixelMetrics:
        """The metrics of all images so far; ``f1_threshold`` is a score that was seen, and ``f1_max`` is its exact F1.

        Raises:
            ValueError: if there was no normal pixel or no region.
        """
        return summarise(self._points(), self.fpr_limit, self.n_images, self.n_regions)

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest value that the exact ``auroc``, ``ap``, ``pro`` and ``f1_max`` can have.

        Raises:
            ValueError: if there was no normal pixel or no region.
        """
        return metric_bounds(self._points(), self.fpr_limit)

    def rows(self) -> np.ndarray:
        """All bins that hold a score, lowest first: an array of ``adkit.metrics.score_bins.BIN_ROW``."""
        return table_rows(self._merged())

    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything that was seen, as plain arrays: to save, or to send to the machine that merges."""
        table = self._merged()
        rows = table_rows(table)
        state = {name: rows[name].copy() for name in BIN_ROW.names}
        state["dropped"] = np.array([table[octave].dropped for octave in sorted(table)], dtype=np.int64)
        state["fine"] = np.asarray(FINE)  # a version with other bins has another one
        return state | {name: np.asarray(getattr(self, name)) for name in _NUMBERS}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> "StreamingPixelMetrics":
        """Replace all that was seen by a ``state_dict``.

        Args:
            state: as ``state_dict`` gives it.

        Raises:
            ValueError: if an entry is missing or unknown, as in a state of an older version, or if entries do not
                belong together. Nothing is replaced then.
        """
        if state.keys() != _STATE or int(state["fine"]) != FINE:
            raise ValueError(
                f"state must have the entries {sorted(_STATE)}, got {sorted(state)}; a state of an older version "
                "counted in other bins: stream the maps again"
            )
        rows = np.zeros(len(state["bin"]), dtype=BIN_ROW)
        for name in BIN_ROW.names:
            rows[name] = state[name]
        table = split_rows(rows, state["dropped"])
        check_limit(float(state["fpr_limit"]))
        self.fpr_limit = float(state["fpr_limit"])
        self.reset()
        self.n_images, self.n_regions = int(state["n_images"]), int(state["n_regions"])
        self._tables = [table]
        return self

    __getstate__ = state_dict
    __setstate__ = load_state_dict

    def _add(self, table: BinTable) -> None:
        """Keep a table, and merge from the end on what is not much shorter: a long table is then merged seldom."""
        self._tables.append(table)
        while len(self._tables) > 1 and table_size(self._tables[-2]) <= 2 * table_size(self._tables[-1]):
            self._tables[-2:] = [merge_tables(*self._tables[-2:])]

    def _merged(self) -> BinTable:
        """All that was seen, as one table."""
        while len(self._tables) > 1:
            self._tables[-2:] = [merge_tables(*self._tables[-2:])]
        return self._tables[0]

    def _points(self) -> OperatingPoints:
        rows = table_rows(self._merged())[::-1]
        fp = rows["normal"].cumsum()
        check_classes(rows["normal"].sum(), rows["defective"].sum())
        rising = rows["defective"] > 0
        bins = rows[rising]
        return OperatingPoints(
            threshold=bins["low"],
            fp_above=(fp[rising] - bins["normal"]).astype(np.float64),
            fp=fp[rising].astype(np.float64),
            tp=bins["defective"].cumsum().astype(np.float64),
            overlap=bins["overlap"].cumsum() / (self.n_regions << SHARE),
            normals=int(fp[-1]),
            mixed=bins["low"] < bins["high"],
        )
