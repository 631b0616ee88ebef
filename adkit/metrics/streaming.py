"""Pixel metrics of a stream of images: fixed memory, any order, any number of workers, and bounds that always hold.

A score falls into a bin by the leading bits of its float32 pattern (sign, exponent, 15 bits of mantissa), so a bin is
1/32768 of an octave: narrow near any value, in any unit, whatever the distribution. Each bin counts normal and
defective pixels, sums the overlap of regions in whole units, and keeps its lowest and highest score: where these are
equal the bin is one tie and nothing is lost.
"""

import numpy as np

from adkit.metrics.bounds import metric_bounds
from adkit.metrics.inputs import Images, check_limit
from adkit.metrics.pixel import PixelMetrics, summarise
from adkit.metrics.regions import Pixels, collect_pixels
from adkit.metrics.steps import Steps, check_classes

MANTISSA = 15  # bits: 2**15 bins in each octave
OCTAVES = 512  # of float32: 8 bits of exponent and the sign
SHARE = 32  # a whole region is 2**SHARE units, so 2**31 regions fit into an int64
ROW = np.dtype([("normal", "i8"), ("defective", "i8"), ("overlap", "i8"), ("low", "f8"), ("high", "f8")])
_STATE = {"bins", *ROW.names, "fpr_limit", "n_images", "n_regions"}
_LARGEST = float(np.finfo(np.float32).max)


class StreamingPixelMetrics:
    """AUROC, AP, PRO and F1-max without keeping the scores.

    The result depends neither on the order of images, nor on how they are cut into batches, nor on which worker saw
    them: all sums are of integers, so it is the same to the last bit. On smooth distributions it lies within 1e-4 of
    the exact one (measured: 1e-6 for AUROC, AP and PRO), and on quantised scores, such as 8 bits, it is the exact one.
    Scores that differ by less than 3e-5 of their own size share a bin; ``bounds`` tell what that costs at worst.

    A region is a connected component inside one image: give every image whole, in one ``update``.

    Memory: 40 bytes a bin, 1.3 MB for each octave (power of two) that the scores reach, about 17 MB for scores in
    [1e-4, 1]; it does not grow with the number of images. float32 has 512 octaves, both signs together.

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
        self.n_images = 0
        self.n_regions = 0
        self._rows = np.zeros(0, dtype=ROW)  # whole octaves, in the order in which they were met
        self._first = np.full(OCTAVES, -1)  # of each octave, its first row; -1 where none of its scores was met

    def update(self, masks: Images, maps: Images) -> "StreamingPixelMetrics":
        """Add whole images; where they are refused, nothing is added.

        Args:
            masks: (N, H, W) bool or 0 and 1, or a list of (H, W) of unequal sizes.
            maps: scores of the same shapes.

        Raises:
            ValueError: if sizes differ, masks are not binary, or a score is NaN or infinite.
        """
        pixels = collect_pixels(masks, maps)
        for kind, scores in ("normal", pixels.normal), ("defective", np.sort(pixels.defective)):
            bins = bin_of(scores)
            starts = np.flatnonzero(np.diff(bins, prepend=-1))
            ends = np.append(starts, scores.size)[1:]
            rows = np.zeros(starts.size, dtype=ROW)
            rows[kind], rows["low"], rows["high"] = ends - starts, scores[starts], scores[ends - 1]
            self._add(bins[starts], rows)
        bins, shares = _shares(pixels)
        np.add.at(self._rows["overlap"], self._places(bins), shares)
        self.n_images += pixels.n_images
        self.n_regions += pixels.areas.size
        return self

    def merge(self, other: "StreamingPixelMetrics") -> "StreamingPixelMetrics":
        """Add all that another has seen.

        Raises:
            ValueError: if the two differ in ``fpr_limit``.
        """
        if other.fpr_limit != self.fpr_limit:
            raise ValueError(f"both must have one fpr_limit, got {self.fpr_limit} and {other.fpr_limit}")
        self._add(*other._used())
        self.n_images += other.n_images
        self.n_regions += other.n_regions
        return self

    def compute(self) -> PixelMetrics:
        """The metrics of all images so far; ``f1_threshold`` is a score that was seen, and ``f1_max`` is its exact F1.

        Raises:
            ValueError: if there was no normal pixel or no region.
        """
        return summarise(self._steps(), self.fpr_limit, self.n_images, self.n_regions)

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest value that the exact ``auroc``, ``ap``, ``pro`` and ``f1_max`` can have.

        Raises:
            ValueError: if there was no normal pixel or no region.
        """
        return metric_bounds(self._steps(), self.fpr_limit)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything that was seen, as plain arrays: to save, or to send to the machine that merges."""
        bins, rows = self._used()
        numbers = {name: np.asarray(getattr(self, name)) for name in ("fpr_limit", "n_images", "n_regions")}
        return {"bins": bins, **{name: rows[name].copy() for name in ROW.names}, **numbers}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> "StreamingPixelMetrics":
        """Replace all that was seen by a ``state_dict``.

        Raises:
            ValueError: if an entry is missing or unknown.
        """
        if state.keys() != _STATE:
            raise ValueError(f"state must have the entries {sorted(_STATE)}, got {sorted(state)}")
        self.__init__(float(state["fpr_limit"]))
        self.n_images, self.n_regions = int(state["n_images"]), int(state["n_regions"])
        rows = np.zeros(len(state["bins"]), dtype=ROW)
        for name in ROW.names:
            rows[name] = state[name]
        self._add(state["bins"], rows)
        return self

    __getstate__ = state_dict
    __setstate__ = load_state_dict

    def _places(self, bins: np.ndarray) -> np.ndarray:
        """Where the bins lie in ``_rows``, which grows by the octaves that are new."""
        octaves = bins >> MANTISSA
        met = np.bincount(octaves, minlength=OCTAVES) > 0
        new = np.flatnonzero(met & (self._first < 0))
        if new.size:
            self._first[new] = self._rows.size + (np.arange(new.size) << MANTISSA)
            self._rows = np.concatenate([self._rows, np.zeros(new.size << MANTISSA, dtype=ROW)])
        return self._first[octaves] + (bins & ((1 << MANTISSA) - 1))

    def _add(self, bins: np.ndarray, rows: np.ndarray) -> None:
        """Add rows to distinct bins."""
        places = self._places(bins)
        old = self._rows[places]
        empty = old["normal"] + old["defective"] == 0
        for name in ("normal", "defective", "overlap"):
            self._rows[name][places] += rows[name]
        self._rows["low"][places] = np.where(empty, rows["low"], np.minimum(old["low"], rows["low"]))
        self._rows["high"][places] = np.where(empty, rows["high"], np.maximum(old["high"], rows["high"]))

    def _used(self) -> tuple[np.ndarray, np.ndarray]:
        """The bins that hold a pixel, lowest first, and their rows."""
        octaves = np.flatnonzero(self._first >= 0)[:, None]
        bins = (octaves << MANTISSA) + np.arange(1 << MANTISSA)
        places = self._first[octaves] + np.arange(1 << MANTISSA)
        rows = self._rows[places.ravel()]
        used = rows["normal"] + rows["defective"] > 0
        return bins.ravel()[used], rows[used]

    def _steps(self) -> Steps:
        rows = self._used()[1][::-1]
        fp = rows["normal"].cumsum()
        check_classes(rows["normal"].sum(), rows["defective"].sum())
        rising = rows["defective"] > 0
        step = rows[rising]
        return Steps(
            threshold=step["low"],
            fp_above=(fp[rising] - step["normal"]).astype(np.float64),
            fp=fp[rising].astype(np.float64),
            tp=step["defective"].cumsum().astype(np.float64),
            overlap=step["overlap"].cumsum() / (self.n_regions << SHARE),
            normals=int(fp[-1]),
            mixed=step["low"] < step["high"],
        )


def bin_of(scores: np.ndarray) -> np.ndarray:
    """The bin of each score, int64 in [0, OCTAVES * 2**MANTISSA): it never falls as the score rises."""
    single = np.clip(scores, -_LARGEST, _LARGEST).astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0
    pattern = single.view(np.int32)
    ordered = np.where(pattern < 0, pattern ^ 0x7FFFFFFF, pattern)  # patterns of negative floats count backwards
    return (ordered >> (23 - MANTISSA)).astype(np.int64) + (OCTAVES // 2 << MANTISSA)


def _shares(pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each defective pixel and its share of its region, in whole units of 2**-SHARE.

    The k highest-numbered pixels of a region together hold floor(k / area): shares of a region add up to exactly 1,
    and what falls into a bin depends on that region alone.
    """
    order = np.lexsort((bin_of(pixels.defective), pixels.region))
    area = pixels.areas[pixels.region[order]]
    rank = np.arange(order.size) - np.repeat(np.cumsum(pixels.areas) - pixels.areas, pixels.areas)
    share = ((rank + 1) << SHARE) // area - (rank << SHARE) // area
    return bin_of(pixels.defective[order]), share
