"""Pixel metrics of a test set whose maps do not fit into memory: each map is looked at twice, and none is kept.

Normal pixels are counted by defect type, defective ones by defect type and by the size of their regions, in the fine
bins of :class:`adkit.metrics.StreamingPixelMetrics`. Every number of an evaluation is a sum of some of these counts.
"""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise

import numpy as np

from adkit.data.samples import NORMAL
from adkit.detectors.prediction import Predictions
from adkit.detectors.spilled import Chosen
from adkit.metrics import StreamingPixelMetrics
from adkit.metrics.components import Pixels, collect_pixels, region_areas
from adkit.metrics.groups import SizeGroup
from adkit.metrics.resampling import ScoreTable, streamed_bins

GROUPS = 3  # terciles of the regions' areas


class StreamedPixels:
    """The pixels of a test set, counted.

    Args:
        judged: maps, masks and kinds of its images; images whose mask is None are left out.
        pixel_threshold: value of a map from which on a pixel is called anomalous.
        fpr_limit: false positive rate, in (0, 1], up to which PRO is integrated.
    """

    def __init__(self, judged: Predictions, pixel_threshold: float, fpr_limit: float):
        self.fpr_limit, self.threshold = fpr_limit, pixel_threshold
        self.known = [i for i, mask in enumerate(judged.masks) if mask is not None]
        self.masks, self.maps = Chosen(judged.masks, self.known), Chosen(judged.maps, self.known)
        self.kinds = [judged.kinds[i] for i in self.known]
        self.left_out = len(judged.kinds) - len(self.known)
        areas = np.concatenate([np.zeros(0, np.int64), *(region_areas([mask]) for mask in self.masks)])
        self.edges = np.quantile(areas, [1 / 3, 2 / 3]) if areas.size else np.zeros(2)
        # normal pixels by kind of image, and defective ones by kind and size of region
        self.normal: dict[str, StreamingPixelMetrics] = {}
        self.defective: dict[tuple[str, int], StreamingPixelMetrics] = {}
        self.hits = np.zeros(2, np.int64)  # pixels in the mask and flagged; in the mask or flagged
        if areas.size:
            for kind, mask, one in zip(self.kinds, self.masks, self.maps, strict=True):
                self._count(kind, mask, one)

    def _count(self, kind: str, mask: np.ndarray, one: np.ndarray) -> None:
        pixels, flagged = collect_pixels([mask], [one]), one >= self.threshold
        self.hits += np.count_nonzero(mask & flagged), np.count_nonzero(mask | flagged)
        none = pixels.normal[:0]
        self._stream(self.normal, kind).update_pixels(
            Pixels(pixels.normal, none, pixels.region[:0], pixels.areas[:0], 1)
        )
        group_of = np.searchsorted(self.edges, pixels.areas, side="left")
        for group in np.unique(group_of).tolist():
            chosen = group_of == group
            inside, number = chosen[pixels.region], chosen.cumsum() - 1
            part = Pixels(none, pixels.defective[inside], number[pixels.region[inside]], pixels.areas[chosen], 0)
            self._stream(self.defective, (kind, group)).update_pixels(part)

    def _stream(self, streams: dict, key: object) -> StreamingPixelMetrics:
        if key not in streams:
            streams[key] = StreamingPixelMetrics(self.fpr_limit)
        return streams[key]

    def joined(self, kinds: Sequence[str] | None = None, group: int | None = None) -> StreamingPixelMetrics:
        """The counts of some images, or of all.

        Args:
            kinds: kinds of the images; None: all.
            group: of the defective pixels, those of regions of one size; None: all.
        """
        whole = StreamingPixelMetrics(self.fpr_limit)
        for kind, stream in self.normal.items():
            if kinds is None or kind in kinds:
                whole.merge(stream)
        for (kind, size), stream in self.defective.items():
            if (kinds is None or kind in kinds) and group in (None, size):
                whole.merge(stream)
        return whole

    def level(self) -> tuple[dict, dict, dict]:
        """As :func:`adkit.experiments.evaluation.pixel_level`."""
        notes = {}
        if self.left_out:
            notes["masks"] = f"{self.left_out} anomalous image(s) have no mask and count for image metrics only"
        marked = list(dict.fromkeys(kind for kind in self.kinds if any(kind == other for other, _ in self.defective)))
        if not marked:
            return {}, {}, notes | {"pixel metrics": "no image of the test part has a mask with a defect in it"}
        overall = self.joined().compute()
        values = {
            "pixel_auroc": overall.auroc,
            "pixel_ap": overall.ap,
            "pro": overall.pro,
            "pixel_f1_oracle": overall.f1_max,
            "iou_at_threshold": float(self.hits[0] / self.hits[1]),
            "by_size": [asdict(group) for group in self._by_size()],
        }
        values["by_size"][-1]["high"] = None  # no upper end; JSON has no infinity
        by_kind = {}
        for kind in marked:
            each = self.joined((kind, NORMAL)).compute()
            by_kind[kind] = {"n_regions": each.n_regions, "pixel_auroc": each.auroc}
            by_kind[kind] |= {"pixel_ap": each.ap, "pro": each.pro}
        return values, by_kind, notes

    def _by_size(self) -> list[SizeGroup]:
        groups = []
        for number, (low, high) in enumerate(pairwise([0.0, *self.edges, np.inf])):
            joined = self.joined(group=number)
            pro = joined.compute().pro if joined.n_regions else None
            groups.append(SizeGroup(float(low), float(high), joined.n_regions, pro))
        return groups

    def table(self) -> ScoreTable | None:
        """The images as counts, for the bootstrap; None where no region is marked."""
        if not self.defective:
            return None
        return ScoreTable.of_bins(self.masks, self.maps, *streamed_bins(self.joined().rows()))
