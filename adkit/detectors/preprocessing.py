"""What an image goes through before the network sees it and after, the same in training, testing and production.

There is one path for all three: even a single photograph becomes an :class:`adkit.data.AnomalyDataset` of one sample,
with the settings of the training set.
"""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from adkit.data import AnomalyDataset, stitch
from adkit.data.decode import pixels_of
from adkit.data.foreground import FOREGROUNDS, resolve_foreground
from adkit.data.formats import deep_colour
from adkit.data.read import Header, check_bits, read_pixels
from adkit.data.resize import resize_mask
from adkit.data.samples import NORMAL, FileSample
from adkit.detectors.settings import count, whole


@dataclass(frozen=True)
class Preprocessing:
    """How a training set treated its files; saved with the weights and applied to every image to come.

    Attributes:
        channels: 1 or 3.
        resize: (H, W) that every image was resized to; None: images keep their own size.
        tile: (h, w) of the tiles that images were cut into; None: the network sees whole images.
        overlap: of the tiles, in pixels.
        foreground: name of the foreground rule, see :mod:`adkit.data.foreground`.
        bits: that 16-bit files use: ``2**bits - 1`` becomes 1; None: the training set had 8-bit files only.
        blend: tiles fade into one another where they overlap; a detector of before that averages them.

    Raises:
        ValueError: if a value is of another type or out of its range.
    """

    channels: int = 1
    resize: tuple[int, int] | None = None
    tile: tuple[int, int] | None = None
    overlap: int = 0
    foreground: str = "all"
    bits: int | None = None
    blend: bool = field(default=False, compare=False)

    def __post_init__(self):
        check_bits(self.bits)
        if not whole(self.channels) or self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels!r}")
        for name in ("resize", "tile"):
            size = getattr(self, name)
            if size is not None and not (isinstance(size, tuple) and len(size) == 2 and all(map(count, size))):
                raise ValueError(f"{name} must be None or a height and a width in pixels, got {size!r}")
        if not whole(self.overlap) or not 0 <= self.overlap < (min(self.tile) if self.tile else 1):
            raise ValueError(
                f"overlap must be at least 0 and below the tile's sides, got overlap={self.overlap!r} with "
                f"tile={self.tile}"
            )
        if not isinstance(self.foreground, str):
            raise ValueError(f"foreground must be the name of a rule, got {self.foreground!r}")
        resolve_foreground(self.foreground)

    @classmethod
    def of(cls, dataset: AnomalyDataset) -> "Preprocessing":
        """The preprocessing that a dataset applied to its own files.

        Args:
            dataset: for example ``splits.train``.

        Raises:
            ValueError: if its foreground is a function that has no name to save.
        """
        if dataset.foreground_name not in FOREGROUNDS:
            raise ValueError(
                f"the foreground {dataset.foreground_name} cannot be saved with a detector; give it a name first: "
                "adkit.data.foreground.FOREGROUNDS['mine'] = function"
            )
        settings = (dataset.channels, dataset.resize, dataset.tile, dataset.overlap, dataset.foreground_name)
        return cls(*settings, bits=dataset.bits, blend=dataset.blend)

    @classmethod
    def from_dict(cls, stored: dict) -> "Preprocessing":
        """The inverse of :func:`dataclasses.asdict`, also after a trip through JSON."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()})

    def __call__(self, image: object) -> AnomalyDataset:
        """A dataset of one image.

        Args:
            image: a path; the bytes of an image file; a PIL image; a sample; or an array or tensor (H, W) or (C, H, W),
                float in [0, 1]. An array whose values are all multiples of 1 / 255 is taken for the 8-bit image that it
                came from: it gives the same map as its file, to the last bit.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged, the array has another shape or leaves [0, 1], or it is none of these.
        """
        settings = (self.resize, self.channels, self.tile, self.overlap, self.foreground)
        dataset = AnomalyDataset([self._sample(image)], *settings, bits=self.bits)
        dataset.blend = self.blend
        return dataset

    def _sample(self, image: object) -> "FileSample | ArraySample":
        if isinstance(image, ArraySample):
            return image
        if isinstance(image, str | os.PathLike):
            return FileSample(Path(image), category="", source=str(image))
        if isinstance(image, bytes | bytearray | memoryview):
            return ArraySample(read_pixels(image), "bytes")
        if isinstance(image, Image.Image):
            if deep_colour(image):
                raise ValueError("a PIL image keeps 8 of 16 bits of a colour; pass the path or the bytes of its file")
            return ArraySample(pixels_of(image)[0], "PIL image")
        return ArraySample.of(image, deep=self.bits is not None)


@dataclass(frozen=True)
class ArraySample:
    """An image in memory as a sample.

    Attributes:
        pixels: (1 or 3, H, W), uint8, uint16, or float32 in [0, 1].
        path: what stands for its name.
    """

    pixels: np.ndarray
    path: str = "array"
    category: str = ""
    source: str = "array"
    kind: str = NORMAL
    has_mask: bool = True
    nbytes: int = 0

    @classmethod
    def of(cls, image: object, deep: bool = False) -> "ArraySample":
        """Check an array and wrap it.

        Args:
            image: array or tensor (H, W) or (C, H, W), float in [0, 1].
            deep: keep it in floating point, even where 8 bits would do.

        Raises:
            ValueError: if it is no such array; the message says what to do.
        """
        pixels = _as_tensor(image)
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        if pixels.ndim != 3 or pixels.shape[0] not in (1, 3) or not pixels.numel():
            raise ValueError(
                f"an image must be (H, W), (1, H, W) or (3, H, W), got {tuple(np.shape(image))}{_cure(pixels.shape)}"
            )
        check_range(pixels)
        values = pixels.float().contiguous().numpy()
        return cls(values if deep else _eight_bits(values))

    @property
    def header(self) -> Header:
        """Size and channels, and the bits that are kept: full precision counts as 16."""
        return Header(self.pixels.shape[1:], self.pixels.shape[0], bits=8 if self.pixels.dtype == np.uint8 else 16)

    def read(self) -> np.ndarray:
        """The pixels."""
        return self.pixels


def _as_tensor(image: object) -> Tensor:
    """An array as a tensor on the CPU, whatever its byte order and strides."""
    if isinstance(image, Tensor):
        return image.detach().cpu()
    if not isinstance(image, np.ndarray) or image.dtype.kind not in "fuib":
        what = f"an array of {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(
            f"an image must be a path, bytes, a PIL image, or an array (H, W) or (C, H, W) in [0, 1], got {what}; of "
            "several images pass one at a time"
        )
    native = np.array(image, dtype=image.dtype.newbyteorder("="))
    if native.dtype.kind == "f" and native.dtype.itemsize > 8:  # long double, which torch does not know
        native = native.astype(np.float64)
    return torch.from_numpy(native)


def _cure(shape: Sequence[int]) -> str:
    """What to do with a shape that is wrong."""
    if len(shape) == 3 and min(shape) > 0 and shape[-1] in (1, 3, 4):
        channels = "[..., :3]" if shape[-1] == 4 else ""
        return f"; move the channels first: np.moveaxis(image{channels}, -1, 0)"
    if len(shape) == 4:
        return "; pass one image of the batch at a time"
    return ""


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """The uint8 pixels that values in [0, 1] came from; the values themselves where they came from something else."""
    steps = values * np.float32(255)
    pixels = np.rint(steps)
    return pixels.astype(np.uint8) if np.abs(steps - pixels).max() < 1e-4 else values


def check_range(images: Tensor, tolerance: float = 1e-5) -> None:
    """Refuse images that are not float in [0, 1], but for what rounding adds when they are resized.

    Args:
        images: of any shape, not empty.
        tolerance: how far beyond 0 and 1 a value may lie.

    Raises:
        ValueError: saying what came, and what to do.
    """
    if not images.is_floating_point():
        raise ValueError(
            f"images must be float in [0, 1], got {images.dtype}; divide by 255 or use adkit.data.read_image"
        )
    low, high = (float(value) for value in images.aminmax())
    if not (low >= -tolerance and high <= 1 + tolerance):  # also where one is NaN
        cure = "replace what is missing" if math.isnan(low) else "divide by 255 or read with adkit.data.read_image"
        raise ValueError(f"images must lie in [0, 1], got [{low:g}, {high:g}]; {cure}")


def batches(dataset: AnomalyDataset, batch_size: int = 8) -> Iterator[tuple[Tensor, Tensor]]:
    """Images (B, C, H, W) and their foreground (B, H, W) bool, several at a time where all items have one size.

    Args:
        dataset: whose items are taken in order.
        batch_size: positive integer, the items of a batch; 1 where their sizes differ, whatever it says.
    """
    size = batch_size if dataset.image_size else 1
    for start in range(0, len(dataset), size):
        items = [dataset[i] for i in range(start, min(start + size, len(dataset)))]
        yield torch.stack([item["image"] for item in items]), torch.stack([item["foreground"] for item in items])


def whole_image(dataset: AnomalyDataset, group: Sequence[int], tiles: Sequence[Tensor]) -> np.ndarray:
    """One image (..., H0, W0) at the size of its file, from what was found on each item of the dataset.

    Args:
        dataset: whose items the tiles belong to.
        group: numbers of the items of one image, of ``dataset.groups()``.
        tiles: (..., h, w) float, one an item of the dataset.
    """
    first, parts, corners = group[0], [tiles[i] for i in group], [dataset.corners[i] for i in group]
    needed = dataset.frame_foreground(first)
    stitched = stitch(parts, corners, dataset.frame_size(first), needed=needed, blend=dataset.blend)
    return resize_map(stitched, dataset.original_size(first)).numpy()


def whole_foreground(dataset: AnomalyDataset) -> np.ndarray | None:
    """The foreground, bool (H0, W0), of a dataset's first image at the size of its file; None: all of it.

    Args:
        dataset: of one image, such as :class:`Preprocessing` makes.
    """
    if dataset.foreground_name == "all":
        return None
    return resize_mask(dataset.frame_foreground(0).numpy(), dataset.original_size(0))


def resize_map(anomaly_map: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a map to another size, bilinearly.

    Args:
        anomaly_map: (h, w), or channels (C, h, w), float.
        size: (H, W) in pixels.
    """
    if tuple(anomaly_map.shape[-2:]) == tuple(size):
        return anomaly_map
    channels = anomaly_map.reshape(1, -1, *anomaly_map.shape[-2:])
    resized = interpolate(channels, size=size, mode="bilinear", antialias=True, align_corners=False)
    return resized.reshape(*anomaly_map.shape[:-2], *size)
