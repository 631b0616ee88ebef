"""The latent space of our own trained encoder: its levels, and how far an image is from normal at each of them.

Level k < depth has one position for each cell of ``2**(k+1)`` × ``2**(k+1)`` pixels. The last level, number ``depth``,
is the bottleneck, at the resolution of level ``depth - 1``: what ``squeeze`` keeps of that level's channels.

The class comes first; below it, level by level, stand the functions that it is made of.
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.data.padding import pad_to_multiple
from adkit.models.autoencoder import Autoencoder
from adkit.models.distances import DISTANCES, FittedDistance, fit_distance, reconstruction_distance, restore_distance
from adkit.runtime import Stream, generator


class LatentSpace:
    """Levels of an encoder with a distance for each.

    Args:
        model: the autoencoder; its weights are read, never changed.
        levels: integers from 0 (finest) to ``depth``, which is the bottleneck; None: all of them.
        distance: one of ``DISTANCES``, see :mod:`adkit.models.distances`.
        neighbours: of ``knn``: positive integer; the distance is the mean of those to so many nearest features.
        coreset: of ``knn``: how many features to keep at each level, a count or a float fraction in (0, 1].

    Raises:
        ValueError: if a level is unknown or named twice, or another argument is out of its range.

    Example:
        >>> space = LatentSpace(Autoencoder(width=4, depth=2).eval(), distance="mean")
        >>> images, everywhere = torch.rand(2, 1, 30, 50), torch.ones(2, 30, 50, dtype=torch.bool)
        >>> with torch.no_grad():
        ...     space.fit([(images, everywhere)], count=100)
        ...     space.maps(images).shape, space.pooled(images, everywhere).shape, space.names
        (torch.Size([3, 2, 30, 50]), torch.Size([2, 44]), ['level 0', 'level 1', 'bottleneck'])
    """

    def __init__(
        self,
        model: Autoencoder,
        levels: list[int] | None = None,
        distance: str = "reconstruction",
        neighbours: int = 1,
        coreset: int | float = 200,
    ):
        self.model, self.distance, self.neighbours, self.coreset = model, distance, neighbours, coreset
        self.levels = list(range(model.depth + 1)) if levels is None else levels
        _check(self.levels, model.depth, distance, neighbours, coreset)
        self.fitted: list[FittedDistance] = []  # one for each level; none for ``reconstruction``, which learns nothing

    @property
    def names(self) -> list[str]:
        """Of the levels, as they were given."""
        return [level_name(level, self.model.depth) for level in self.levels]

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]], count: int, seed: int = 0) -> None:
        """Learn what is normal, from features at random foreground positions.

        Args:
            batches: images (B, C, H, W) and their foreground, bool (B, H, W).
            count: positive integer, how many positions to take from an image, at each level.
            seed: integer; another seed takes other positions, and starts the coreset elsewhere.

        Raises:
            ValueError: if no image shows any foreground, or a coreset comes out smaller than ``neighbours``.
        """
        if self.distance == "reconstruction":
            return
        samples: dict[int, list[Tensor]] = {level: [] for level in self.levels}
        for step, (images, foreground) in enumerate(batches):
            for level, features, shown in self._features(images, foreground):
                draw = generator(seed, level, step)
                samples[level].append(sample_positions(features, shown, count * len(images), draw))
        if not any(map(len, samples[self.levels[0]])):
            raise ValueError("no training image shows any foreground to learn from; check the foreground rule")
        self.fitted = [
            fit_distance(
                self.distance, torch.cat(parts), self.neighbours, self.coreset, generator(seed, level, Stream.CORESET)
            )
            for level, parts in samples.items()
        ]

    def maps(self, images: Tensor, reconstructed: Tensor | None = None, features: list[Tensor] | None = None) -> Tensor:
        """Distances at every level, brought to image size: (K, B, H, W), not negative, not smoothed.

        Args:
            images: (B, C, H, W) in [0, 1].
            reconstructed: their reconstructions, of the same shape, which only ``reconstruction`` needs; None: they are
                made now.
            features: of the images, as of :func:`encoder_levels`; None: they are computed now.
        """
        features = encoder_levels(self.model, images) if features is None else features
        if self.distance == "reconstruction":
            again = encoder_levels(self.model, self.model(images) if reconstructed is None else reconstructed)
            distances = [reconstruction_distance(as_vectors(features[k]), as_vectors(again[k])) for k in self.levels]
        else:
            distances = [fitted(as_vectors(features[k])) for k, fitted in zip(self.levels, self.fitted, strict=True)]
        grids = [values.view(features[k][:, 0].shape) for k, values in zip(self.levels, distances, strict=True)]
        strides = [level_stride(k, self.model.depth) for k in self.levels]
        size = images.shape[-2:]
        return torch.stack([to_image_size(grid, stride, size) for grid, stride in zip(grids, strides, strict=True)])

    def pooled(self, images: Tensor, foreground: Tensor) -> Tensor:
        """One vector an image: the mean features over its foreground, all levels in a row, (B, sum of C_k).

        Args:
            images: (B, C, H, W) in [0, 1].
            foreground: bool (B, H, W).
        """
        return torch.cat([pool(features, shown) for _, features, shown in self._features(images, foreground)], dim=1)

    def _features(self, images: Tensor, foreground: Tensor) -> Iterable[tuple[int, Tensor, Tensor]]:
        """Each level, its features (B, C, h, w), and which positions show foreground, bool (B, h, w)."""
        features = encoder_levels(self.model, images)
        for k in self.levels:
            stride = level_stride(k, self.model.depth)
            yield k, features[k], shown_positions(foreground, features[k].shape[-2:], stride)

    def tensors(self) -> dict[str, Tensor]:
        """All that was learned, as ``<level>.<field>``."""
        pairs = zip(self.levels, self.fitted, strict=True) if self.fitted else ()
        fields = {f"{k}.{name}": value for k, fitted in pairs for name, value in vars(fitted).items()}
        return {name: value for name, value in fields.items() if isinstance(value, Tensor)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of :meth:`tensors`."""
        if self.distance == "reconstruction":
            return
        learned: dict[int, dict[str, Tensor]] = {level: {} for level in self.levels}
        for name, value in tensors.items():
            level, field = name.split(".")
            learned[int(level)][field] = value
        self.fitted = [restore_distance(self.distance, fields, self.neighbours) for fields in learned.values()]


def _check(levels: list[int], depth: int, distance: str, neighbours: int, coreset: int | float) -> None:
    if distance not in DISTANCES:
        raise ValueError(f"distance must be one of {', '.join(DISTANCES)}, got {distance!r}")
    integers = isinstance(levels, (list, tuple)) and all(type(level) is int for level in levels)
    if not integers or not levels or not set(levels) <= set(range(depth + 1)) or len(set(levels)) < len(levels):
        raise ValueError(
            f"levels must list one or more levels from 0 to {depth}, the bottleneck, each once, or be None for all, "
            f"got {levels!r}"
        )
    if type(neighbours) is not int or neighbours < 1:
        raise ValueError(f"neighbours must be a positive integer, got {neighbours!r}")
    if not (type(coreset) is int and coreset >= 1) and not (isinstance(coreset, float) and 0 < coreset <= 1):
        raise ValueError(f"coreset must be a positive count or a float fraction in (0, 1], got {coreset!r}")


def encoder_levels(model: Autoencoder, images: Tensor) -> list[Tensor]:
    """Features by position, finest level first, the bottleneck last.

    The frame is mirrored at its border as in the network's own ``forward``. The bottleneck is read before any
    squeeze-and-excitation, so that no feature depends on the rest of the frame.

    Args:
        model: in evaluation mode.
        images: (B, C, H, W) in [0, 1].

    Returns:
        ``depth + 1`` tensors (B, C_k, h_k, w_k).

    Example:
        >>> model = Autoencoder(width=4, depth=3, latent=2).eval()
        >>> [tuple(level.shape) for level in encoder_levels(model, torch.rand(1, 1, 50, 70))]
        [(1, 4, 28, 36), (1, 8, 14, 18), (1, 16, 7, 9), (1, 2, 7, 9)]
    """
    levels = model.features(pad_to_multiple(images, 2**model.depth))
    return [*levels, model.squeeze(levels[-1])]


def level_name(level: int, depth: int) -> str:
    """``level 0`` for the finest, …, ``bottleneck`` for number ``depth``, the number of halvings of the encoder."""
    return "bottleneck" if level == depth else f"level {level}"


def level_stride(level: int, depth: int) -> int:
    """Side, in pixels, of the cell that one position of a level stands for; ``depth`` halvings in all."""
    return 2 ** min(level + 1, depth)


def as_vectors(features: Tensor) -> Tensor:
    """Features (B, C, h, w) as one vector a position, (B·h·w, C)."""
    return features.movedim(1, -1).flatten(0, 2)


def shown_positions(foreground: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Which positions show any foreground: those whose cell holds at least one foreground pixel.

    So every foreground pixel lies in a cell that counts, and a cell of nothing but mirrored border never does.

    Args:
        foreground: bool (B, H, W).
        size: (h, w) of the level.
        stride: of the level, see :func:`level_stride`.

    Returns:
        bool (B, h, w)

    Example:
        >>> shown_positions(torch.tensor([[[True, False, False]]]), size=(2, 2), stride=2)
        tensor([[[ True, False],
                 [False, False]]])
    """
    height, width = foreground.shape[-2:]
    padded = F.pad(foreground[:, None].float(), (0, size[1] * stride - width, 0, size[0] * stride - height))
    return F.max_pool2d(padded, stride)[:, 0] > 0


def pool(features: Tensor, shown: Tensor) -> Tensor:
    """Mean of the features (B, C, h, w) over the positions ``shown``, bool (B, h, w): (B, C); 0 where none is shown."""
    weights = shown[:, None].to(features.dtype)
    return (features * weights).sum(dim=(2, 3)) / weights.sum(dim=(2, 3)).clamp(min=1)


def sample_positions(features: Tensor, shown: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """Feature vectors at up to ``count`` shown positions, chosen at random without replacement.

    Args:
        features: (B, C, h, w).
        shown: bool (B, h, w).
        count: how many at most.
        draw: a generator on the CPU, so that all devices draw the same.

    Returns:
        (n, C) with n ≤ count.

    Example:
        >>> shown = torch.tensor([[[True, True, False]]])
        >>> sample_positions(torch.ones(1, 4, 1, 3), shown, 9, torch.Generator()).shape
        torch.Size([2, 4])
    """
    inside = shown.flatten().nonzero()[:, 0]
    chosen = torch.randperm(len(inside), generator=draw)[:count].to(inside.device)
    return as_vectors(features)[inside[chosen]]


def to_image_size(maps: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
    """Bring maps by position (B, h, w) to pixels (B, H, W), bilinearly; the mirrored border is cut off.

    A position's receptive field is centred on its cell of ``stride`` × ``stride`` pixels, so its value belongs to the
    middle of the cell: ``align_corners=False``.

    Args:
        maps: (B, h, w).
        stride: side of a cell, in pixels.
        size: (H, W) of the images, at most ``stride`` times that of the maps.

    Example:
        >>> to_image_size(torch.tensor([[[0.0, 1.0]]]), stride=2, size=(1, 4))
        tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """
    pixels = F.interpolate(maps[:, None], scale_factor=stride, mode="bilinear", align_corners=False)
    return pixels[:, 0, : size[0], : size[1]]
