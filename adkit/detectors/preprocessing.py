"""What an image goes through before the network sees it and after, the same in training, testing and production.

There is one path for all three: even a single photograph becomes an :class:`adkit.data.AnomalyDataset` of one sample,
with the settings of the training set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from adkit.data import AnomalyDataset, stitch
from adkit.data.decode import DecodedSample
from adkit.data.foreground import FOREGROUNDS
from adkit.data.read import Header
from adkit.data.resize import resize_mask
from adkit.data.samples import NORMAL, FileSample, Sample


@dataclass(frozen=True)
class Preprocessing:
    """How a training set treated its files; saved with the weights and applied to every image to come.

    Attributes:
        channels: 1 or 3.
        resize: (H, W) that every image was resized to; None: images keep their own size.
        tile: (h, w) of the tiles that images were cut into; None: the network sees whole images.
        overlap: of the tiles, in pixels.
        foreground: name of the foreground rule, see :mod:`adkit.data.foreground`.
    """

    channels: int = 1
    resize: tuple[int, int] | None = None
    tile: tuple[int, int] | None = None
    overlap: int = 0
    foreground: str = "all"

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
        return cls(dataset.channels, dataset.resize, dataset.tile, dataset.overlap, dataset.foreground_name)

    @classmethod
    def from_dict(cls, stored: dict) -> "Preprocessing":
        """The inverse of :func:`dataclasses.asdict`, also after a trip through JSON."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()})

    def __call__(self, image: str | Path | bytes | DecodedSample | np.ndarray | Tensor) -> AnomalyDataset:
        """A dataset of one image.

        Args:
            image: a path, the bytes of a file or what was decoded from them, or an array (H, W) or (C, H, W) in [0, 1].

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged, or the array has another shape or leaves [0, 1].
        """
        return AnomalyDataset([as_sample(image)], self.resize, self.channels, self.tile, self.overlap, self.foreground)


def as_sample(image: str | Path | bytes | DecodedSample | np.ndarray | Tensor) -> Sample:
    """One image as a sample, whichever way it comes; raises as :meth:`Preprocessing.__call__`."""
    if isinstance(image, str | Path):
        return FileSample(Path(image), category="", source=str(image))
    if isinstance(image, bytes | bytearray | memoryview):
        return DecodedSample.of(bytes(image))
    return image if isinstance(image, DecodedSample) else ArraySample.of(image)


@dataclass(frozen=True)
class ArraySample:
    """An image in memory as a sample: float32 (C, H, W) in [0, 1]."""

    pixels: np.ndarray
    path: str = "array"
    category: str = ""
    source: str = "array"
    kind: str = NORMAL
    has_mask: bool = True
    nbytes: int = 0

    @classmethod
    def of(cls, image: np.ndarray | Tensor) -> "ArraySample":
        """Check an array and wrap it.

        Args:
            image: (H, W) or (C, H, W) in [0, 1].

        Raises:
            ValueError: if its shape is another, or a value leaves [0, 1].
        """
        pixels = image.detach().cpu() if isinstance(image, Tensor) else torch.from_numpy(np.array(image))
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        if pixels.ndim != 3 or pixels.shape[0] not in (1, 3) or not pixels.numel():
            raise ValueError(f"an image must be (H, W), (1, H, W) or (3, H, W), got {tuple(np.shape(image))}")
        check_range(pixels)
        return cls(pixels.float().numpy())

    @property
    def header(self) -> Header:
        """Size and channels; kept in full precision, as 16 bits are."""
        return Header(self.pixels.shape[1:], self.pixels.shape[0], bits=16)

    def read(self) -> np.ndarray:
        """The pixels."""
        return self.pixels


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
        raise ValueError(
            f"images must lie in [0, 1], got [{low:g}, {high:g}]; divide by 255 or read with adkit.data.read_image"
        )


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
    stitched = stitch(parts, corners, dataset.frame_size(first), needed=dataset.frame_foreground(first))
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
