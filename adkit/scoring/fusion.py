"""Calibrated fusion: maps of different units, put on one scale by normal images, and added.

The distance at a level of 128 channels is some hundred times the squared residual of a pixel: added as they are, the
largest unit decides alone. Standardised, a term counts by how unusual it is for a normal pixel:

    z_k = (map_k - mean_k) / deviation_k

The sum of the z is negative where a pixel is more normal than most, and an anomaly map is 0 or more. No clipping is
needed, which would tie all those pixels: the means contribute the same number to every pixel of every image, so
``fuse`` leaves them out and adds ``map_k / deviation_k``. The order of all pixels is that of the standardised sum, the
thresholds move with it, and 0 stands for a pixel at distance 0 in every term.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scale:
    """Where the pixels of normal images lie in each of K terms.

    Attributes:
        mean: (K,) mean over the pixels, each in the unit of its term.
        deviation: (K,) standard deviation, above 0, in the same unit.
    """

    mean: Tensor
    deviation: Tensor

    @classmethod
    def identity(cls, count: int) -> "Scale":
        """The scale that leaves terms as they are.

        Args:
            count: number of terms, at least 1.
        """
        return cls(torch.zeros(count), torch.ones(count))

    @classmethod
    def fit(cls, batches: Iterable[tuple[Tensor, Tensor]], names: list[str]) -> "Scale":
        """Mean and standard deviation of every term over the foreground pixels of all images.

        Args:
            batches: maps (K, B, H, W) and their foreground, bool (B, H, W); sizes may differ from batch to batch.
            names: K names of the terms, for the message.

        Raises:
            ValueError: if there is no foreground pixel, or a term does not vary.

        Example:
            >>> maps, everywhere = torch.tensor([0.0, 2.0]).view(1, 1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool)
            >>> Scale.fit([(maps, everywhere)], ["residual"])
            Scale(mean=tensor([1.]), deviation=tensor([1.]))
        """
        count, (mean, squares) = 0, torch.zeros(2, len(names), dtype=torch.float64)
        for maps, foreground in batches:
            values = maps[:, foreground].cpu().double()  # (K, n)
            if not values.shape[1]:
                continue
            total, own = count + values.shape[1], values.mean(dim=1)
            # Chan, Golub and LeVeque 1979: two means and sums of squares are merged without cancellation
            step = own - mean
            squares = squares + (values - own[:, None]).square().sum(dim=1)
            squares = squares + step.square() * count * values.shape[1] / total
            mean, count = mean + step * values.shape[1] / total, total
        if not count:
            raise ValueError("no validation image shows any foreground, so the terms have no scale")
        deviation = (squares / count).sqrt().float()
        if flat := [name for name, spread in zip(names, deviation, strict=True) if not spread > 0]:
            raise ValueError(
                f"{', '.join(flat)} is the same at every pixel of the validation images and cannot be standardised; "
                "leave it out with levels=, or train longer"
            )
        return cls(mean.float(), deviation)

    def standardise(self, maps: Tensor) -> Tensor:
        """Terms in standard deviations from the mean of normal pixels; below 0: more normal than most.

        Args:
            maps: (K, B, H, W), each term in its own unit.

        Returns:
            (K, B, H, W), without unit.
        """
        mean, deviation = (value.to(maps.device)[:, None, None, None] for value in (self.mean, self.deviation))
        return (maps - mean) / deviation


def fuse(maps: Tensor, weights: Tensor, scale: Scale) -> Tensor:
    """The weighted sum of the standardised terms, moved by one constant so that distance 0 everywhere gives 0.

    Args:
        maps: terms (K, B, H, W), not negative, each in its own unit.
        weights: (K,), not negative, without unit.
        scale: where normal pixels lie in each term, see :meth:`Scale.fit`.

    Returns:
        (B, H, W), not negative, in weighted standard deviations.

    Example:
        >>> maps = torch.tensor([[1.0, 3.0], [200.0, 100.0]]).view(2, 1, 1, 2)
        >>> fuse(maps, torch.ones(2), Scale(mean=torch.tensor([1.0, 100.0]), deviation=torch.tensor([1.0, 100.0])))
        tensor([[[3., 4.]]])
    """
    return torch.einsum("k,kbhw->bhw", (weights / scale.deviation).to(maps), maps)
