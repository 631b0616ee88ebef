"""The training input path: random crops and flips, cut on the device out of pixels that already lie there.

All images of a set are laid end to end in one flat buffer, whatever their sizes, so a batch is a single gather. What
batch number ``step`` holds depends on (seed, step) alone: a resumed run draws the same crops as one never stopped.

The buffer is a copy of the whole training set in the device's memory, one byte a pixel and channel (four where files
have 16 bits): 1000 images of 1024 x 1024 in grey take 1 GiB. A set above ``image_cache.MEMORY_LIMIT`` is not copied:
its pixels lie in a file mapped into memory, in the folder that ``TMPDIR`` names, and each crop is read from there. The
crops are the same, to the last bit.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from adkit.data import image_cache
from adkit.data.augment import Augment
from adkit.data.dataset import AnomalyDataset
from adkit.data.drift import Drift
from adkit.data.padding import mirrored
from adkit.runtime import Stream, generator

CANDIDATES = 16  # positions drawn for each crop; the first whose centre is foreground is taken


@dataclass(frozen=True)
class Batch:
    """What a network sees in one step.

    Attributes:
        images: (B, C, H, W) float32 in [0, 1].
        foreground: (B, H, W) bool, where defects may lie; None: everywhere.
        key: (seed, step, rank), from which everything that is drawn for this batch follows.
    """

    images: Tensor
    foreground: Tensor | None = None
    key: tuple[int, ...] = (0, 0, 0)

    @property
    def step(self) -> int:
        """Number of the step, from 0."""
        return self.key[1]

    def generator(self, stream: int = Stream.OBJECTIVE) -> torch.Generator:
        """A fresh generator on the device of the images: whoever asks for it again draws the same again.

        Args:
            stream: integer, a member of :class:`adkit.runtime.Stream`; another one gives other draws, for whatever
                should not depend on what the objective draws.

        Example:
            >>> batch = Batch(torch.zeros(1, 1, 8, 8), key=(0, 7, 0))
            >>> bool((torch.rand(3, generator=batch.generator()) == torch.rand(3, generator=batch.generator())).all())
            True
        """
        return generator(*self.key, stream, device=self.images.device)

    def varied(self, turn: bool = False, drift: float = 0.0) -> "Batch":
        """The batch with images that are changed a little, and stay normal; the crops bring their own flips.

        Args:
            turn: turn and scale them, see :class:`adkit.data.augment.Augment`.
            drift: strength, at least 0, of changes in light, contrast, focus and grain, see
                :class:`adkit.data.drift.Drift`.
        """
        images = self.images
        if turn:
            turned = Augment(flip_horizontal=False, flip_vertical=False)
            images = turned(images, self.generator(Stream.AUGMENTATION))
        if drift:
            images = Drift(drift)(images, self.generator(Stream.DRIFT))
        return replace(self, images=images)


class RandomCrops:
    """Batches of random crops of a dataset.

    Args:
        dataset: the images; each is as likely to be drawn as any other.
        size: height and width of a crop in pixels; an image smaller than that is mirrored at its border.
        batch_size: crops a batch, at least 1.
        seed: integer; together with the step it fixes a batch.
        flips: mirror half of the crops left–right and half top–bottom.
        device: where the pixels are kept and the batches are made.

    Raises:
        ValueError: if a size is not positive.

    Example:
        >>> from adkit import load_dataset
        >>> crops = RandomCrops(load_dataset("textile", image_size=(64, 64)).train, size=(32, 48), batch_size=4)
        >>> crops.batch(step=0).images.shape
        torch.Size([4, 1, 32, 48])
    """

    def __init__(
        self,
        dataset: AnomalyDataset,
        size: tuple[int, int],
        batch_size: int,
        seed: int = 0,
        flips: bool = True,
        device: torch.device | str = "cpu",
    ):
        if batch_size < 1 or min(size) < 1:
            raise ValueError(f"size and batch_size must be positive, got {size} and {batch_size}")
        self.size, self.batch_size, self.seed, self.flips, self.device = size, batch_size, seed, flips, device
        self.channels, sizes = dataset.channels, dataset.item_sizes
        self.sides = torch.tensor(sizes, device=device)  # (N, 2)
        # Pixels that lie before each image, (N,).
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long, device=device), self.sides.prod(1).cumsum(0)[:-1]])
        length = dataset.channels * int(self.sides.prod(1).sum()) * dataset.pixels(0).element_size()
        self.mapped = dataset if length > image_cache.MEMORY_LIMIT else None
        self.has_background = not dataset.all_foreground and not all(
            dataset.foreground(i).all() for i in range(len(dataset))
        )
        self.pixels = self.foreground = None
        if self.mapped is None:
            self._copy_in(dataset)

    def _copy_in(self, dataset: AnomalyDataset) -> None:
        images = [dataset.pixels(i) for i in range(len(dataset))]
        self.pixels = torch.cat([image.reshape(-1) for image in images]).to(self.device)
        if self.has_background:
            masks = [dataset.foreground(i) for i in range(len(dataset))]
            self.foreground = torch.cat([mask.reshape(-1) for mask in masks]).to(self.device)

    def batch(self, step: int, rank: int = 0) -> Batch:
        """The crops of one step.

        Args:
            step: number of the step, from 0.
            rank: number of the process, from 0, where several train together.

        Returns:
            Images (batch_size, C, *size) float32 in [0, 1], with their foreground.
        """
        random = generator(self.seed, step, rank, device=self.device)
        which = torch.randint(len(self.sides), (self.batch_size,), generator=random, device=self.device)  # (B,)
        corners = self._corners(which, random)  # (B, 2)
        offsets = [torch.arange(side, device=self.device).expand(self.batch_size, -1) for side in self.size]
        if self.flips:
            flips = torch.rand(2, self.batch_size, 1, generator=random, device=self.device) < 0.5
            offsets = [torch.where(flip, offset.flip(1), offset) for flip, offset in zip(flips, offsets, strict=True)]
        rows, columns = (
            mirrored(corners[:, axis, None] + offsets[axis], self.sides[which, axis, None]) for axis in (0, 1)
        )  # (B, height), (B, width)
        crops = self._crops(which, rows, columns)  # (B, C, height, width)
        images = crops.float() / 255 if crops.dtype == torch.uint8 else crops.float()
        foreground = None
        if self.has_background:
            foreground = self._crops(which, rows, columns, of_foreground=True)[:, 0]  # (B, height, width)
        return Batch(images, foreground, (self.seed, step, rank))

    def _crops(self, which: Tensor, rows: Tensor, columns: Tensor, of_foreground: bool = False) -> Tensor:
        """Pixels, or the foreground, of some images at some rows and columns: (B, channels, height, width)."""
        if self.mapped is None:
            buffer, channels = (self.foreground, 1) if of_foreground else (self.pixels, self.channels)
            return self._gather(buffer, channels, which, rows, columns)
        read = self._foreground_of if of_foreground else self.mapped.pixels
        places = zip(which.tolist(), rows.cpu(), columns.cpu(), strict=True)
        return torch.stack([read(i)[:, row[:, None], column] for i, row, column in places]).to(self.device)

    def _foreground_of(self, i: int) -> Tensor:
        return self.mapped.foreground(i)[None]

    def _gather(self, buffer: Tensor, channels: int, which: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Pixels of some images at some rows and columns: (B, channels, height, width).

        Image i of sides (H, W) begins at ``channels * starts[i]``; its channel c at row y and column x lies
        ``(c * H + y) * W + x`` further on.

        Args:
            buffer: all images end to end, ``channels`` values a pixel.
            channels: 1 or that of the pixels.
            which: (B,), numbers of the images.
            rows: (B, height), in [0, H).
            columns: (B, width), in [0, W).
        """
        height, width = self.sides[which].T[:, :, None, None]  # (B, 1, 1) each
        first = channels * self.starts[which][:, None, None, None]  # (B, 1, 1, 1)
        channel = torch.arange(channels, device=self.device)[:, None]  # (C, 1)
        row = (channel * height + rows[:, None, :]) * width  # (B, C, height)
        return buffer[first + row[..., None] + columns[:, None, None, :]]  # (B, C, height, width)

    def _corners(self, which: Tensor, random: torch.Generator) -> Tensor:
        """Top-left corners (B, 2), with the centre of the crop on the foreground where the image has any."""
        size, sides = torch.tensor(self.size, device=self.device), self.sides[which]  # (2,), (B, 2)
        room = (sides - size + 1).clamp(min=1)  # (B, 2)
        count = CANDIDATES if self.has_background else 1
        corners = (torch.rand(count, len(which), 2, generator=random, device=self.device) * room).long()  # (K, B, 2)
        if not self.has_background:
            return corners[0]
        centres = torch.minimum(corners + size // 2, sides - 1)
        first_on_foreground = self._on_foreground(which, centres, sides).int().argmax(0)  # (B,); 0 where none is
        return corners[first_on_foreground, torch.arange(len(which), device=self.device)]

    def _on_foreground(self, which: Tensor, centres: Tensor, sides: Tensor) -> Tensor:
        """Whether each of some places (K, B, 2) is foreground: bool (K, B)."""
        if self.mapped is None:
            return self.foreground[self.starts[which] + centres[..., 0] * sides[:, 1] + centres[..., 1]]
        at = centres.cpu()
        columns = [self.mapped.foreground(i)[at[:, k, 0], at[:, k, 1]] for k, i in enumerate(which.tolist())]
        return torch.stack(columns, dim=1).to(self.device)
