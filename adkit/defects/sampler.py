"""The random numbers of a batch of defects: which image, where, how large, how strong.

Two sources, so that a GPU never waits. Numbers (places, sizes, angles, noise) come from a ``torch.Generator`` on the
images' device and stay there. Choices that decide what is computed at all (which type for which image, how many, which
shape) come from ``random.Random`` on the host, seeded by the state of that generator, which lies on the host also for
a GPU: sizes and index tensors are then known before the GPU has done anything.
"""

import hashlib
import math
import random
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

SIZE, CONTRAST = (0.02, 0.2), (0.1, 0.6)
SMALLEST = 3.0  # pixels: a smaller defect is a dead pixel

# What a defect type returns: images (n, C, H, W), and their regions (n, H, W) bool, or None: everywhere, and no mask.
Corruption = tuple[Tensor, Tensor | None]


def fresh_generator(device: torch.device) -> torch.Generator:
    """A generator on a device, seeded from torch's global random state.

    Args:
        device: where its numbers are wanted.
    """
    return torch.Generator(device=device).manual_seed(int(torch.randint(2**62, ())))


def host_choices(generator: torch.Generator) -> random.Random:
    """Random choices on the host that follow from the state of a generator on any device.

    Args:
        generator: on any device; its state is read, not moved on.
    """
    state = generator.get_state().numpy().tobytes()
    return random.Random(hashlib.blake2b(state, digest_size=8).digest())


def to_device(values: list[int], device: torch.device) -> Tensor:
    """Host integers as a long tensor; on CUDA by pinned memory, so that neither side waits for the copy.

    Args:
        values: integers.
        device: where the tensor is wanted.

    Returns:
        (len(values),) long.
    """
    tensor = torch.tensor(values, dtype=torch.long)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


class Sampler:
    """What a defect type gets beside its images: random numbers for ``n`` defects, one for each of those images.

    Args:
        batch: the whole batch (B, C, H, W), float32 in [0, 1], from which a defect may borrow.
        image_index: (n,) long, the place in the batch of each image that the type gets; default: all, once.
        foreground: (B, H, W) bool, where the centres of defects may lie; default: anywhere.
        generator: on the device of the batch; default: seeded from torch's global state.
        size: smallest and largest extent of a defect, as a fraction of the shorter side of the image.
        contrast: smallest and largest contrast, in [0, 1].
        host: choices on the host; default: from the generator's state.

    Attributes:
        n: number of defects.
        shape: height and width of the images in pixels.
        channels: 1 or 3.

    Example:
        >>> sampler = Sampler(torch.rand(4, 1, 64, 64), generator=torch.Generator().manual_seed(0))
        >>> sampler.n, sampler.uniform(-1, 1).shape, sampler.centres().shape
        (4, torch.Size([4]), torch.Size([4, 2]))
    """

    def __init__(
        self,
        batch: Tensor,
        image_index: Tensor | None = None,
        foreground: Tensor | None = None,
        generator: torch.Generator | None = None,
        size: tuple[float, float] = SIZE,
        contrast: tuple[float, float] = CONTRAST,
        host: random.Random | None = None,
    ):
        self.batch, self.foreground, self.size, self.contrast = batch, foreground, size, contrast
        self.device, self.shape, self.channels = batch.device, tuple(batch.shape[-2:]), batch.shape[1]
        self.image_index = torch.arange(len(batch), device=self.device) if image_index is None else image_index
        self.n = len(self.image_index)
        self.generator = generator or fresh_generator(self.device)
        self.host = host or host_choices(self.generator)

    @cached_property
    def grid(self) -> tuple[Tensor, Tensor]:
        """Rows (H, 1) and columns (W,) of the pixels, as float."""
        height, width = (torch.arange(side, device=self.device, dtype=torch.float32) for side in self.shape)
        return height[:, None], width

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers in [low, high).

        Args:
            low: smallest number.
            high: upper limit.
            *shape: numbers for each defect; none: one.

        Returns:
            (n, *shape) float32.
        """
        return torch.empty(self.n, *shape, device=self.device).uniform_(low, high, generator=self.generator)

    def log_uniform(self, low: float, high: float) -> Tensor:
        """Numbers whose logarithm is uniform: as many between 2 and 4 as between 10 and 20.

        Args:
            low: smallest number, positive.
            high: upper limit.

        Returns:
            (n,) float32.
        """
        return self.uniform(math.log(low), math.log(high)).exp_()

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers.

        Args:
            *shape: numbers for each defect; none: one.

        Returns:
            (n, *shape) float32.
        """
        return torch.empty(self.n, *shape, device=self.device).normal_(generator=self.generator)

    def sign(self) -> Tensor:
        """-1 or 1, (n,)."""
        return self.uniform(-1, 1).sign_()

    def sizes(self) -> Tensor:
        """Extents (n,) in pixels, log-uniform in the range ``size``."""
        return self.log_uniform(max(self.size[0] * min(self.shape), SMALLEST), self.largest)

    @property
    def largest(self) -> float:
        """The largest extent in pixels."""
        return max(self.size[1] * min(self.shape), SMALLEST)

    def larger(self, scale: float) -> "Sampler":
        """The same sampler with all sizes ``scale`` times larger.

        Args:
            scale: positive factor on the extents.
        """
        return self._part(self.image_index, (self.size[0] * scale, self.size[1] * scale))

    def contrasts(self) -> Tensor:
        """Contrasts (n,), uniform in the range ``contrast``."""
        return self.uniform(*self.contrast)

    def centres(self) -> Tensor:
        """Places (n, 2), row and column in pixels; on the foreground where an image has any."""
        if self.foreground is None:
            return torch.stack([self.uniform(0, side) for side in self.shape], 1)
        inside = self.foreground.index_select(0, self.image_index)
        row = self._pick(inside.sum(2))
        column = self._pick(inside[torch.arange(self.n, device=self.device), row])
        return torch.stack([row, column], 1) + self.uniform(0, 1, 2)

    def _pick(self, counts: Tensor) -> Tensor:
        """An index (n,) for each row of counts (n, k), in proportion to them; the last where all are 0."""
        total = counts.cumsum(1)
        target = (self.uniform(0, 1, 1) * total[:, -1:]).long()
        return torch.searchsorted(total, target, right=True).squeeze(1).clamp_(max=counts.shape[1] - 1)

    def others(self) -> Tensor:
        """For each image the place (n,) of another one in the batch; its own where the batch holds only one."""
        step = torch.empty(self.n, device=self.device, dtype=torch.long)
        return (self.image_index + step.random_(1, max(len(self.batch), 2), generator=self.generator)) % len(self.batch)

    def split(self, options: Sequence) -> "list[tuple[object, Sampler]]":
        """Share the n defects at random among options.

        Args:
            options: anything, such as the names of shapes.

        Returns:
            Pairs (option, sampler of its share), in order; an option that got no defect is left out.
        """
        chosen = sorted(self.host.choices(range(len(options)), k=self.n)) if len(options) > 1 else [0] * self.n
        counts = [(option, chosen.count(index)) for index, option in enumerate(options) if index in chosen]
        indices = self.image_index.split([count for _, count in counts])
        return [(option, self._part(image_index)) for (option, _), image_index in zip(counts, indices, strict=True)]

    def _part(self, image_index: Tensor, size: tuple[float, float] | None = None) -> "Sampler":
        return Sampler(
            self.batch, image_index, self.foreground, self.generator, size or self.size, self.contrast, self.host
        )
