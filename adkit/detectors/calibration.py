"""Thresholds from held-out normal images, and an honest word where these are few."""

import warnings
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.data.tiling import tile_positions
from adkit.detectors.arguments import check_dataset
from adkit.scoring.thresholds import FEW_WARNING, Threshold, above_ties, percentile

# below this a percentile of image scores is little more than their maximum
FEW_SOURCES = 20


def check_normal(**parts: AnomalyDataset) -> None:
    """Refuse what is no dataset, and images that are labelled anomalous.

    Args:
        parts: name → dataset; the error says the name.

    Raises:
        TypeError: if a part is no dataset.
        ValueError: if a part is empty, holds any, or has other channels than the first.
    """
    channels = None
    for name, part in parts.items():
        check_dataset(part, name)
        channels = channels or part.channels
        if part.channels != channels:
            raise ValueError(
                f"{name} has images of {part.channels} channel(s) and {next(iter(parts))} of {channels}; load both "
                f"with channels={channels}"
            )
        if part.labels.any():
            raise ValueError(
                f"{name} holds {int(part.labels.sum())} images labelled anomalous, and a detector learns from "
                "normal images only; pass splits.train and splits.validation"
            )


def hold_out(train: AnomalyDataset, share: float = 0.2) -> tuple[AnomalyDataset, AnomalyDataset]:
    """Set every fifth source of a training set aside for validation.

    Args:
        train: normal images.
        share: of the sources that are set aside, in (0, 0.5].

    Returns:
        What is left to train on, and what is held out.

    Raises:
        ValueError: if there is only one source.
    """
    sources = list(dict.fromkeys(train.sources))
    if len(sources) < 2:
        raise ValueError("train holds one source image; two or more are needed to hold one out for validation")
    held = set(sources[:: round(1 / share)])
    warnings.warn(
        f"no validation set was given: {len(held)} of {len(sources)} training images are held out for the threshold",
        stacklevel=3,
    )
    inside = [i for i, source in enumerate(train.sources) if source in held]
    outside = [i for i, source in enumerate(train.sources) if source not in held]
    return train.subset(outside), train.subset(inside)


def pixel_threshold(validation: AnomalyDataset, maps: list[Tensor], q: float) -> float:
    """The percentile of all foreground pixels of the maps of normal images.

    Args:
        validation: normal images, whole or in tiles.
        maps: (H, W) of each of its items.
        q: percentile of the pixels, in (0, 100).
    """
    pixels = torch.cat([item_map[validation.foreground(i)] for i, item_map in enumerate(maps)])
    return above_ties(float(np.percentile(pixels.numpy(), q)), pixels.numpy(), q, "pixels of normal images")


def image_threshold(
    validation: AnomalyDataset, maps: list[Tensor], scores: list[float], q: float, by_maximum: bool
) -> Threshold:
    """The score that ``q`` percent of normal images stay below.

    An image of k tiles is flagged by its worst tile, so a tile may exceed the threshold k times less often than an
    image: the tiles' percentile is ``100 * (q / 100) ** (1 / k)``. Fewer than 20 whole images are treated so too, where
    an image scores by its maximum: each map is cut into squares, which gives k times more scores to draw the tail from.

    Args:
        validation: normal images, whole or in tiles.
        maps: (H, W) of each of its items.
        scores: of each of its items.
        q: percentile of the images, in (0, 100).
        by_maximum: an image's score is the maximum of its map.

    Warns:
        UserWarning: if there are fewer than 20 sources.
    """
    sources, foregrounds = len(set(validation.sources)), [validation.foreground(i) for i in range(len(maps))]
    of_images = [max(scores[i] for i in group) for group in validation.groups()]
    if sources < FEW_SOURCES and validation.tile is None and by_maximum:
        scores = square_scores(maps, foregrounds)
    else:
        scores = [score for score, inside in zip(scores, foregrounds, strict=True) if inside.any()]
    if sources < FEW_SOURCES:
        warnings.warn(
            f"the threshold comes from {sources} validation images ({len(scores)} scores), so its real false-positive "
            f"rate is uncertain; {FEW_SOURCES} or more make a percentile meaningful",
            stacklevel=4,
        )
    # that there are few scores was said above, with the reason
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", FEW_WARNING)
        threshold = percentile(scores, 100 * (q / 100) ** (len(of_images) / len(scores)), ties=False)
    value = above_ties(threshold.value, np.array(of_images), q, "scores of normal images")
    return replace(threshold, value=value, high=max(threshold.high, value))


def square_scores(maps: list[Tensor], foregrounds: list[Tensor]) -> list[float]:
    """The maximum of each square, as wide as its map's shorter side, that shows any foreground.

    Args:
        maps: (H, W) each.
        foregrounds: bool (H, W), one a map.

    Example:
        >>> square_scores([torch.tensor([[0.1, 0.2, 0.9]])], [torch.tensor([[False, True, True]])])
        [0.20000000298023224, 0.8999999761581421]
    """
    scores = []
    for item_map, inside in zip(maps, foregrounds, strict=True):
        side = min(item_map.shape)
        for top, left in tile_positions(tuple(item_map.shape), (side, side)):
            square = np.s_[top : top + side, left : left + side]
            if inside[square].any():
                scores.append(float(item_map[square].max()))
    return scores
