"""The dataset that everything else takes: samples as dicts, whole images or tiles of them."""

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from adkit.data.foreground import FOREGROUNDS, Foreground, resolve_foreground
from adkit.data.image_cache import ImageCache
from adkit.data.read import in_threads, to_float
from adkit.data.resize import Size
from adkit.data.samples import NORMAL, UNLABELLED, Sample
from adkit.data.tiling import tile_positions


class AnomalyDataset(Dataset):
    """Images with masks and labels; an item is an image or, with ``tile``, one tile of it.

    Images are resized first, then cut; one smaller than the tile is continued by its mirror image. A tile carries its
    image's label and kind, and its own part of the mask: one of an anomalous image may show nothing anomalous.

    Args:
        samples: at least one, see :class:`adkit.data.samples.Sample`.
        image_size: (H, W) in pixels to resize to; None keeps the images' own sizes.
        channels: 1, 3 or None for the samples' own (3 if they differ).
        tile: (h, w) in pixels, or None for whole images.
        overlap: pixels that neighbouring tiles share at least, below the tile's sides.
        foreground: ``all``, ``fabric`` or a function; see :mod:`adkit.data.foreground`.
        drop_background: leave out tiles without any foreground (this reads all images now).
        bits: that 16-bit files use, see :mod:`adkit.data.bit_depth`; None: all 16.

    Attributes:
        kinds: of each item, the type of its defect, or ``good``.
        labels: (items,) int64, 1 where an item's image is anomalous; of objects, None where a set withholds the label.
        paths: of each item, the file of its image, or its name where there is no file.
        categories: of each item, the name of its category.
        sources: of each item, what a split does not tear apart, such as the strip that its image was cut from.
        details: of each item, what else its set says, a dict: of the textile ``size`` and ``severity``.
        corners: of each item, (top, left) in pixels of its tile; (0, 0) for whole images.
        blend: maps of tiles fade into one another where the tiles overlap; False: they are averaged.

    Raises:
        ValueError: if there are no samples, or none of their tiles shows any foreground.
    """

    blend = True

    def __init__(
        self,
        samples: Sequence[Sample],
        image_size: Size | None = None,
        channels: int | None = None,
        tile: Size | None = None,
        overlap: int = 0,
        foreground: str | Foreground = "all",
        drop_background: bool = False,
        bits: int | None = None,
    ):
        if not samples:
            raise ValueError("a dataset needs at least one sample, got none")
        find = resolve_foreground(foreground)
        self.resize, self.tile, self.overlap, self.bits = image_size, tile, overlap, bits
        self.foreground_name = next((name for name, known in FOREGROUNDS.items() if known is find), _name(find))
        self._cache = ImageCache(samples, image_size, channels, pad_to=tile, foreground=find, bits=bits)
        items = [(k, *corner) for k in range(len(samples)) for corner in self._corners(k)]
        if drop_background and tile and self.foreground_name != "all":
            self._cache.fill_all()
            items = [item for item in items if self._cut(self._cache.foreground(item[0]), item).any()]
            if not items:
                raise ValueError(
                    f"no tile of {tile} shows any foreground; pass foreground='all' or check the function given"
                )
        self._select(items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(self.kinds).items())
        what = f"tiles of {self.tile[0]} x {self.tile[1]}" if self.tile else "images"
        sizes = f"{self.channels} x {self.image_size[0]} x {self.image_size[1]}" if self.image_size else "sizes differ"
        return f"AnomalyDataset({len(self)} {what}, {sizes}: {kinds})"

    def __getitem__(self, i: int) -> dict:
        item = self._items[i]
        k, top, left = item
        sample = self._cache.samples[k]
        return {
            "image": to_float(self.pixels(i)),  # (C, H, W) in [0, 1]
            "mask": torch.from_numpy(self._cut(self._cache.mask(k), item)),  # (H, W) bool
            "label": None if sample.kind == UNLABELLED else int(sample.kind != NORMAL),
            "kind": sample.kind,
            "category": sample.category,
            "path": sample.path,
            "has_mask": sample.has_mask,
            "foreground": self.foreground(i),  # (H, W) bool
            "source": sample.source,
            "top": top,
            "left": left,
        }

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """What a DataLoader asks for to make a batch.

        Args:
            indices: numbers of the items.

        Raises:
            ValueError: if the items differ in size.
        """
        items = [self[i] for i in indices]
        sizes = sorted({tuple(item["image"].shape[1:]) for item in items})
        if len(sizes) > 1:
            raise ValueError(
                f"a batch needs images of one size, got {', '.join(f'{h} x {w}' for h, w in sizes)} (height x width); "
                "pass image_size= to resize them or tile= to cut them into tiles, or take one at a time (batch_size=1)"
            )
        return items

    @property
    def defect_types(self) -> list[str]:
        """The defect types among the items, in the order in which they first appear; none where all are normal."""
        return [kind for kind in dict.fromkeys(self.kinds) if kind not in (NORMAL, UNLABELLED)]

    @property
    def channels(self) -> int:
        """1 or 3."""
        return self._cache.channels

    @property
    def image_size(self) -> Size | None:
        """Height and width of the items, or None where they differ."""
        sizes = {self.tile or self._cache.sizes[k] for k, _, _ in self._items}
        return sizes.pop() if len(sizes) == 1 else None

    @property
    def item_sizes(self) -> list[Size]:
        """Height and width of each item, padding included."""
        return [self.tile or self._cache.padded[k] for k, _, _ in self._items]

    @property
    def all_foreground(self) -> bool:
        """Whether every pixel is foreground, as no rule leaves any out and nothing is padded."""
        return self.foreground_name == "all" and self._cache.padded == self._cache.sizes

    @property
    def samples(self) -> list[Sample]:
        """The samples that the items are cut from, each once."""
        return [self._cache.samples[k] for k in dict.fromkeys(k for k, _, _ in self._items)]

    @property
    def fingerprint(self) -> str:
        """Hash of the images, their masks and kinds, and of the settings; not of where the files lie."""
        frames = dict.fromkeys(k for k, _, _ in self._items)
        digests = in_threads(lambda sample: sample.digests(), self.samples)
        samples = {
            k: (sample.source, sample.category, sample.kind, digest)
            for k, sample, digest in zip(frames, self.samples, digests, strict=True)
        }
        settings = (self.resize, self.channels, self.tile, self.overlap, self.foreground_name)
        settings += () if self.bits in (None, 16) else (self.bits,)
        content = [settings, [(samples[k], top, left) for k, top, left in self._items]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def pixels(self, i: int) -> Tensor:
        """Stored pixels (C, H, W) of item ``i``, a view not to be written into.

        uint8, or float32 in [0, 1] where any file of the dataset has 16 bits.

        Args:
            i: number of the item, from 0.
        """
        return self._cut(self._cache.pixels(self._items[i][0]), self._items[i])

    def foreground(self, i: int) -> Tensor:
        """Foreground, bool (H, W), of item ``i``.

        Args:
            i: number of the item, from 0.
        """
        return torch.from_numpy(self._cut(self._cache.foreground(self._items[i][0]), self._items[i]))

    def original_mask(self, i: int) -> np.ndarray | None:
        """Mask, bool (H0, W0), of the whole image at the file's own size.

        All False for normals, None for an anomalous image without a mask.

        Args:
            i: number of the item, from 0.
        """
        sample = self._cache.samples[self._items[i][0]]
        if sample.kind == NORMAL:
            return np.zeros(self.original_size(i), bool)
        return sample.mask() if sample.has_mask else None

    def original_size(self, i: int) -> Size:
        """Height and width, in pixels, of the file that item ``i`` comes from.

        Args:
            i: number of the item, from 0.
        """
        return self._cache.original_sizes[self._items[i][0]]

    def frame_size(self, i: int) -> Size:
        """Height and width of the whole, resized image that item ``i`` is cut from: the size to stitch its tiles to.

        Args:
            i: number of the item, from 0.
        """
        return self._cache.sizes[self._items[i][0]]

    def frame_foreground(self, i: int) -> Tensor:
        """Foreground, bool (H, W), of the whole, resized image that item ``i`` is cut from.

        Args:
            i: number of the item, from 0.
        """
        height, width = self.frame_size(i)
        return torch.from_numpy(self._cache.foreground(self._items[i][0])[:height, :width])

    def groups(self) -> list[list[int]]:
        """Indices of the items of each image, in order: one index each without tiles."""
        members: dict[int, list[int]] = {}
        for i, (k, _, _) in enumerate(self._items):
            members.setdefault(k, []).append(i)
        return list(members.values())

    def subset(self, indices: Sequence[int]) -> "AnomalyDataset":
        """A dataset of some of the items; decoded images are shared.

        Args:
            indices: numbers of the items, in the order wanted.
        """
        part = copy.copy(self)
        part._select([self._items[i] for i in indices])
        return part

    def preload(self) -> "AnomalyDataset":
        """Decode, or generate, all images now, by several threads; without this each is when it is first needed."""
        self._cache.fill_all()
        return self

    def _select(self, items: list[tuple[int, int, int]]) -> None:
        """Keep these (frame, top, left) as the items."""
        samples = [self._cache.samples[k] for k, _, _ in items]
        self._items = items
        self.kinds = [sample.kind for sample in samples]
        self.paths = [sample.path for sample in samples]
        self.corners = [(top, left) for _, top, left in items]
        self.sources = [sample.source for sample in samples]
        self.categories = [sample.category for sample in samples]
        self.details = [dict(getattr(sample, "details", {})) for sample in samples]
        self.labels = np.array([kind != NORMAL for kind in self.kinds], np.int64)
        if UNLABELLED in self.kinds:  # withheld: not known, and not 0
            self.labels = np.where([kind == UNLABELLED for kind in self.kinds], None, self.labels)

    def _corners(self, k: int) -> list[Size]:
        return tile_positions(self._cache.sizes[k], self.tile, self.overlap) if self.tile else [(0, 0)]

    def _cut(self, array, item: tuple[int, int, int]):
        """The item's part of a frame's array (..., H, W)."""
        if self.tile is None:
            return array
        _, top, left = item
        return array[..., top : top + self.tile[0], left : left + self.tile[1]]


def _name(function: Foreground) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
