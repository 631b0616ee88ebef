"""The plots as a set: rendered when they are first needed, and kept; labelled and mixed sets beside them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from adkit.data.plots import ANOMALY_TYPES, SIDE, Plots
from adkit.data.read import Header
from adkit.data.samples import NORMAL, choose_categories
from adkit.runtime.values import whole

CATEGORY = "series"
PART_SIZE = 1_000_000  # indices kept for each part, so that no part moves when another grows
TRAIN, VALIDATION, TEST_NORMAL, TEST_ANOMALOUS, LABELLED, MIXED = range(6)


@dataclass(frozen=True)
class PlotSample:
    """One plot; nothing lies on disk, so ``path`` is a name.

    Args:
        index: number of the plot, see :class:`adkit.data.plots.Plots`.
        seed: whole number; another one makes other plots.
        shows: the anomaly type that the image shows, or None.
        labelled: whether ``kind`` tells of it; a plot of an unlabelled mix says that it is normal.
        category: ``series``, the only one.
    """

    index: int
    seed: int = 0
    shows: str | None = None
    labelled: bool = True
    category: str = CATEGORY
    has_mask = True
    nbytes = 0

    @property
    def path(self) -> str:
        """``plots/<seed>/<index>``."""
        return f"plots/{self.seed}/{self.index}"

    source = path

    @property
    def kind(self) -> str:
        """Type of the anomaly, or ``good``."""
        return self.shows if self.shows and self.labelled else NORMAL

    @property
    def header(self) -> Header:
        """Colour, 8 bits."""
        return Header((SIDE, SIDE), channels=3, bits=8)

    def read(self) -> np.ndarray:
        """The image, uint8 (3, 224, 224)."""
        return _rendered(self.seed, self.index, self.shows)[0]

    def mask(self) -> np.ndarray:
        """The mask, bool (224, 224)."""
        return _rendered(self.seed, self.index, self.shows)[1].copy()

    def digests(self) -> tuple[str]:
        """A hash of what the plot is made from: the same name is the same image."""
        return (hashlib.blake2b(f"{self.path}/{self.shows}".encode(), digest_size=16).hexdigest(),)


def plots_parts(
    category: object = None, seed: int = 0, counts: Sequence[int] = (400, 100, 100, 90)
) -> dict[str, list[PlotSample]]:
    """Train, validation and test samples.

    Args:
        category: None or ``series``, the only one.
        seed: integer, at least 0; another seed gives other plots.
        counts: plots in train, validation, test normals and test anomalous (the nine anomaly types in turn).

    Raises:
        ValueError: if the category is unknown, or the counts are impossible.

    Example:
        >>> parts = plots_parts(counts=(4, 2, 1, 3))
        >>> [sample.kind for sample in parts["test"]]
        ['good', 'spike', 'level_shift', 'trend_change']
    """
    choose_categories(category, [CATEGORY], "the plots")
    four = isinstance(counts, list | tuple) and len(counts) == 4
    if not four or not all(whole(count) and 0 <= count <= PART_SIZE for count in counts):
        raise ValueError(
            f"counts must be four numbers from 0 to {PART_SIZE:,} (train, validation, test normals, test anomalous), "
            f"got {counts!r}"
        )
    train, validation, normals = (
        [PlotSample(part * PART_SIZE + k, seed) for k in range(counts[part])]
        for part in (TRAIN, VALIDATION, TEST_NORMAL)
    )
    anomalous = [
        PlotSample(TEST_ANOMALOUS * PART_SIZE + k, seed, ANOMALY_TYPES[k % len(ANOMALY_TYPES)])
        for k in range(counts[TEST_ANOMALOUS])
    ]
    return {"train": train, "validation": validation, "test": normals + anomalous}


def labelled_plots(each: int, seed: int = 0, anomaly_types: Sequence[str] = ANOMALY_TYPES) -> list[PlotSample]:
    """Labelled anomalies for a classifier; none of them is in :func:`plots_parts`.

    A type that is left out does not change the plots of the others.

    Args:
        each: plots of each type.
        seed: integer, at least 0; another seed gives other plots.
        anomaly_types: names from ``ANOMALY_TYPES``.

    Example:
        >>> [sample.kind for sample in labelled_plots(2, anomaly_types=("drift", "spike"))]
        ['drift', 'spike', 'drift', 'spike']
    """
    first = LABELLED * PART_SIZE
    return [
        PlotSample(first + k * len(ANOMALY_TYPES) + ANOMALY_TYPES.index(anomaly_type), seed, anomaly_type)
        for k in range(each)
        for anomaly_type in anomaly_types
    ]


def mixed_plots(count: int, share: float, seed: int = 0) -> list[PlotSample]:
    """An unlabelled mix: plots that all say ``good``, of which a share are anomalous, the types in turn.

    The plots of a small share are among those of a larger one; none is in :func:`plots_parts`.

    Args:
        count: number of plots.
        share: of them, the fraction in [0, 1] that are anomalous.
        seed: integer, at least 0; another seed gives other plots.

    Raises:
        ValueError: if the share lies outside 0 to 1.

    Example:
        >>> samples = mixed_plots(20, share=0.1)
        >>> [sample.shows for sample in samples if sample.shows], {sample.kind for sample in samples}
        (['spike', 'level_shift'], {'good'})
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, got {share!r}; 0.05 is one plot in twenty")
    anomalous = round(share * count)
    return [
        PlotSample(
            MIXED * PART_SIZE + k,
            seed,
            ANOMALY_TYPES[k % len(ANOMALY_TYPES)] if k < anomalous else None,
            labelled=False,
        )
        for k in range(count)
    ]


@lru_cache(maxsize=256)
def _rendered(seed: int, index: int, anomaly_type: str | None) -> tuple[np.ndarray, np.ndarray]:
    return Plots(seed).render(index, anomaly_type)
