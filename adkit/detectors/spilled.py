"""Many maps and masks as sequences that hold none of them in memory: on disk, or as bits."""

import itertools
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from adkit.data import AnomalyDataset
from adkit.data.foreground import FOREGROUNDS
from adkit.detectors.prediction import Predictions
from adkit.runtime import home
from adkit.runtime.atomic import told


class SpilledMaps(Sequence):
    """Maps in a file without a name below ``ADKIT_HOME``, which is gone when this is, or the process.

    Args:
        maps: arrays (H, W), float32, one after another; none is kept.

    Raises:
        OSError: if the disk is full or read-only.

    Example:
        >>> maps = SpilledMaps(np.full((2, 3), level, np.float32) for level in (0.25, 0.5))
        >>> len(maps), float(maps[1].mean()), maps[0].shape
        (2, 0.5, (2, 3))
    """

    def __init__(self, maps: Iterable[np.ndarray] = ()):
        place = home()
        with told(place / ".maps"):
            self._file = tempfile.TemporaryFile(prefix=".maps-", dir=place)
        weakref.finalize(self, self._file.close)
        self._shapes: list[tuple[int, ...]] = []
        self._starts = [0]
        for one in maps:
            self.append(one)

    def append(self, one: np.ndarray) -> None:
        """Write one more.

        Args:
            one: (H, W), float32.
        """
        data = np.ascontiguousarray(one, dtype=np.float32)
        with told(home() / ".maps"):
            self._file.seek(self._starts[-1])
            self._file.write(data.tobytes())
        self._shapes.append(data.shape)
        self._starts.append(self._starts[-1] + data.nbytes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, i: int) -> np.ndarray:
        i = range(len(self))[i]
        self._file.seek(self._starts[i])
        data = self._file.read(self._starts[i + 1] - self._starts[i])
        return np.frombuffer(data, np.float32).reshape(self._shapes[i])


class PackedMasks(Sequence):
    """Masks of an eighth of their size; None stays None.

    Args:
        masks: arrays (H, W), bool, or None.

    Example:
        >>> masks = PackedMasks([np.eye(3, dtype=bool), None])
        >>> int(masks[0].sum()), masks[1]
        (3, None)
    """

    def __init__(self, masks: Iterable[np.ndarray | None] = ()):
        self._packed: list[tuple[np.ndarray, tuple[int, ...]] | None] = []
        for one in masks:
            self.append(one)

    def append(self, one: np.ndarray | None) -> None:
        """Keep one more.

        Args:
            one: (H, W), bool, or None.
        """
        self._packed.append(None if one is None else (np.packbits(one), one.shape))

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, i: int) -> np.ndarray | None:
        if (packed := self._packed[i]) is None:
            return None
        bits, shape = packed
        return np.unpackbits(bits, count=int(np.prod(shape))).view(bool).reshape(shape)


class Chosen(Sequence):
    """Some entries of a sequence, each fetched when it is asked for.

    Args:
        whole: the sequence.
        rows: numbers of the entries.

    Example:
        >>> list(Chosen("abcd", [3, 0]))
        ['d', 'a']
    """

    def __init__(self, whole: Sequence, rows: Sequence[int]):
        self._whole, self._rows = whole, list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: int) -> object:
        return self._whole[self._rows[i]]


def predictions_in_parts(
    predict: Callable[[AnomalyDataset], Predictions], dataset: AnomalyDataset, at_once: int
) -> Predictions:
    """Predictions of a dataset, some images at a time; maps go to disk, masks become bits.

    Args:
        predict: judges a dataset.
        dataset: all of it.
        at_once: images that are decoded and judged at a time.

    Raises:
        OSError: if the disk is full.
    """
    maps, masks, parts = SpilledMaps(), PackedMasks(), []
    for part in _apart(dataset, at_once):
        judged = predict(part)
        for one, mask in zip(judged.maps, judged.masks, strict=True):
            maps.append(one)
            masks.append(mask)
        parts.append((judged.scores, judged.labels, judged.kinds, judged.paths))
    scores, labels, kinds, paths = zip(*parts, strict=True)
    kinds, paths = (list(itertools.chain.from_iterable(lists)) for lists in (kinds, paths))
    return Predictions(maps, masks, np.concatenate(scores), np.concatenate(labels), kinds, paths)


def _apart(dataset: AnomalyDataset, at_once: int) -> Iterator[AnomalyDataset]:
    """A few images of a dataset at a time, as datasets whose decoded images go when they go."""
    samples = dataset.samples
    for start in range(0, len(samples), at_once):
        if dataset.foreground_name in FOREGROUNDS:
            prepared = (dataset.resize, dataset.channels, dataset.tile, dataset.overlap, dataset.foreground_name)
            part = AnomalyDataset(samples[start : start + at_once], *prepared, bits=dataset.bits)
            part.blend = dataset.blend
        else:
            groups = dataset.groups()[start : start + at_once]
            part = dataset.subset([i for group in groups for i in group])
        yield part
