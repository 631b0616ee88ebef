"""The training input path: random crops and flips, cut on the device out of pixels that already lie there.

All images of a set are laid end to end in one flat buffer, whatever their sizes, so a batch is a single gather. What
batch number ``step`` holds depends on (seed, step) alone: a resumed run draws the same crops as one never stopped.

The buffer is a copy of the whole training set in the device's memory, one byte a pixel and channel (four where files
have 16 bits): 1000 images of 1024 x 1024 in grey take 1 GiB. A set that does not fit must be made smaller first, by
``image_size`` or ``subset``.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.data.dataset import AnomalyDataset
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


class RandomCrops:
    """Batches of random crops of a dataset.

    Args:
        dataset: the images; each is as likely to be drawn as any other.
        size: sides (height, width) of a crop; an image smaller than that is mirrored at its border.
        batch_size: crops a batch.
        seed: together with the step it fixes a batch.
        flips: mirror half of the crops left–right and half top–bottom.
        device: where the pixels are kept and the batches are made.

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
        images = [dataset.pixels(i) for i in range(len(dataset))]
        masks = [dataset.foreground(i) for i in range(len(dataset))]
        self.size, self.batch_size, self.seed, self.flips, self.device = size, batch_size, seed, flips, device
        self.channels = images[0].shape[0]
        self.pixels = torch.cat([image.reshape(-1) for image in images]).to(device)
        self.foreground = (
            None if all(mask.all() for mask in masks) else torch.cat([m.reshape(-1) for m in masks]).to(device)
        )
        self.sides = torch.tensor([image.shape[1:] for image in images], device=device)  # (N, 2)
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long, device=device), self.sides.prod(1).cumsum(0)[:-1]])

    def batch(self, step: int, rank: int = 0) -> Batch:
        """The crops of one step (and one process), (B, C, height, width), with their foreground."""
        draw = generator(self.seed, step, rank, device=self.device)
        which = torch.randint(len(self.sides), (self.batch_size,), generator=draw, device=self.device)
        corner = self._corners(which, draw)  # (B, 2)
        offsets = [torch.arange(side, device=self.device).expand(self.batch_size, -1) for side in self.size]
        if self.flips:
            flip = torch.rand(2, self.batch_size, 1, generator=draw, device=self.device) < 0.5
            offsets = [torch.where(f, o.flip(1), o) for f, o in zip(flip, offsets, strict=True)]
        rows, columns = (
            mirrored(corner[:, axis, None] + offsets[axis], self.sides[which, axis, None]) for axis in (0, 1)
        )  # (B, height), (B, width)
        height, width = self.sides[which].T[:, :, None, None, None]  # (B, 1, 1, 1) each
        channel = torch.arange(self.channels, device=self.device)[:, None, None]
        start, inside = self.starts[which][:, None, None, None], rows[:, None, :, None] * width + columns[:, None, None]
        crops = self.pixels[self.channels * start + channel * height * width + inside]  # (B, C, height, width)
        images = crops.float() / 255 if crops.dtype == torch.uint8 else crops.float()
        foreground = None if self.foreground is None else self.foreground[start + inside][:, 0]
        return Batch(images, foreground, (self.seed, step, rank))

    def _corners(self, which: Tensor, draw: torch.Generator) -> Tensor:
        """Top-left corners (B, 2), with the centre of the crop on the foreground where the image has any."""
        room = (self.sides[which] - torch.tensor(self.size, device=self.device) + 1).clamp(min=1)  # (B, 2)
        count = CANDIDATES if self.foreground is not None else 1
        corners = (torch.rand(count, len(which), 2, generator=draw, device=self.device) * room).long()
        if self.foreground is None:
            return corners[0]
        centre = torch.minimum(corners + torch.tensor(self.size, device=self.device) // 2, self.sides[which] - 1)
        good = self.foreground[self.starts[which] + centre[..., 0] * self.sides[which, 1] + centre[..., 1]]  # (K, B)
        return corners[good.int().argmax(0), torch.arange(len(which), device=self.device)]
