"""Decoded images, kept: each is read once, brought to the network's channels and size, and stays in one flat buffer."""

import math
import tempfile
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from adkit.data.foreground import Foreground, foreground_of, full_foreground
from adkit.data.read import in_threads, storable, to_channels, to_float
from adkit.data.resize import Size, pad, resize_foreground, resize_mask, resize_pixels
from adkit.data.samples import NORMAL, Sample

MEMORY_LIMIT = 2 * 2**30  # bytes of pixels of one dataset; beyond it they lie in a temporary file, mapped into memory


class ImageCache:
    """The images of some samples as the network sees them, its frames, each filled on first use.

    Pixels are kept as uint8, or as float32 in [0, 1] where any file has 16 bits, or
    ``bits`` says that some do. With ``pad_to`` an image smaller than
    that is continued by its mirror image at the bottom and the right; masks and foreground are False there.

    Args:
        samples: what to read, at least one.
        image_size: (H, W) in pixels to resize to, or None for the images' own sizes.
        channels: 1 or 3, or None: 3 if any sample has 3.
        pad_to: (H, W) in pixels that a frame must have at least.
        foreground: function of a grey image (H, W) in [0, 1], at the file's own size, that gives a bool array (H, W).
        bits: that 16-bit files use: ``2**bits - 1`` becomes 1; None: all 16.

    Attributes:
        original_sizes: height and width of each file.
        sizes: height and width of each frame without padding.
        padded: the same with padding.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        image_size: Size | None,
        channels: int | None,
        pad_to: Size | None = None,
        foreground: Foreground = full_foreground,
        bits: int | None = None,
    ):
        headers = in_threads(lambda sample: sample.header, samples)
        self.samples, self.image_size, self.find_foreground = list(samples), image_size, foreground
        self.channels = channels or max(header.channels for header in headers)
        self.original_sizes = [header.size for header in headers]
        self.sizes = [image_size or header.size for header in headers]  # without padding
        smallest = pad_to or (1, 1)
        self.padded = [(max(height, smallest[0]), max(width, smallest[1])) for height, width in self.sizes]
        deep = bits is not None or any(header.bits == 16 for header in headers)
        self._dtype, self._bits = np.dtype(np.float32 if deep else np.uint8), bits or 16
        lengths = [self.channels * math.prod(size) * self._dtype.itemsize for size in self.padded]
        self._starts = np.cumsum([0, *lengths])
        self._buffer = _allocate(int(self._starts[-1]))
        self._filled = [False] * len(samples)
        self._foregrounds: dict[int, np.ndarray] = {}  # packed bits
        self._masks: dict[int, np.ndarray] = {}  # packed bits

    def pixels(self, k: int) -> Tensor:
        """Stored pixels (C, H, W) of a frame, not copied: do not write into them.

        Args:
            k: number of the frame, from 0.
        """
        self.fill(k)
        return torch.from_numpy(self._view(k))

    def foreground(self, k: int) -> np.ndarray:
        """Foreground of a frame, bool (H, W); False in its padding.

        Args:
            k: number of the frame, from 0.
        """
        if self.find_foreground is full_foreground:
            return pad(np.ones(self.sizes[k], bool), self.padded[k], "constant")
        self.fill(k)
        return self._unpack(self._foregrounds[k], k)

    def mask(self, k: int) -> np.ndarray:
        """Mask of a frame at its own size, bool (H, W); empty for normals and where there is none.

        Args:
            k: number of the frame, from 0.
        """
        sample = self.samples[k]
        if sample.kind == NORMAL or not sample.has_mask:
            return np.zeros(self.padded[k], bool)
        if k not in self._masks:
            self._masks[k] = np.packbits(pad(resize_mask(sample.mask(), self.sizes[k]), self.padded[k], "constant"))
        return self._unpack(self._masks[k], k)

    def fill(self, k: int) -> None:
        """Read a frame, unless that is done.

        Args:
            k: number of the frame, from 0.
        """
        if self._filled[k]:
            return
        pixels = storable(to_channels(self.samples[k].read(), self.channels), self._dtype, self._bits)
        if self.find_foreground is not full_foreground:
            original = foreground_of(to_float(torch.from_numpy(pixels)).numpy(), self.find_foreground)
            foreground = resize_foreground(original, self.sizes[k])
            self._foregrounds[k] = np.packbits(pad(foreground, self.padded[k], "constant"))
        self._view(k)[:] = pad(resize_pixels(pixels, self.sizes[k]), self.padded[k], "reflect")
        self._filled[k] = True

    def fill_all(self) -> None:
        """Read all frames, by several threads."""
        in_threads(self.fill, range(len(self.samples)))

    def _view(self, k: int) -> np.ndarray:
        shape = (self.channels, *self.padded[k])
        return self._buffer[self._starts[k] : self._starts[k + 1]].view(self._dtype).reshape(shape)

    def _unpack(self, bits: np.ndarray, k: int) -> np.ndarray:
        return np.unpackbits(bits, count=math.prod(self.padded[k])).view(bool).reshape(self.padded[k])


def _allocate(length: int) -> np.ndarray:
    """Untouched bytes: they take memory, or room on disk, as they are written."""
    if length <= MEMORY_LIMIT:
        return np.empty(length, np.uint8)
    # The map outlives the file's name and handle.
    with tempfile.TemporaryFile(prefix="adkit-pixels-") as file:
        file.truncate(length)
        return np.asarray(np.memmap(file, np.uint8, mode="r+", shape=(length,)))
