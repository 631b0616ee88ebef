"""From an anomaly map to one score an image. Higher is more anomalous.

The maximum asks how unusual the worst place is for the training set; ``peak`` and ``top_peak`` ask how far it stands
out from the rest of its own image.
"""

import torch
from torch import Tensor

from adkit.scoring.anomaly_maps import check_maps
from adkit.scoring.own_reference import own_level


def max_score(values: Tensor, inside: Tensor, fraction: float) -> Tensor:
    """The highest value: finds the smallest defect, and the noisiest pixel.

    Args:
        values: maps (B, P), one row an image.
        inside: bool (B, P): the pixels that count, at least one in each row.
        fraction: not used.

    Returns:
        (B,)
    """
    return values.masked_fill(~inside, -torch.inf).amax(dim=1)


def mean_score(values: Tensor, inside: Tensor, fraction: float) -> Tensor:
    """The mean value: steady, and blind to small defects.

    Args:
        values: maps (B, P), one row an image.
        inside: bool (B, P): the pixels that count, at least one in each row.
        fraction: not used.

    Returns:
        (B,)
    """
    return values.masked_fill(~inside, 0).sum(dim=1) / inside.sum(dim=1)


def topk_score(values: Tensor, inside: Tensor, fraction: float) -> Tensor:
    """The mean of the highest fraction of the pixels, at least of one.

    Args:
        values: maps (B, P), one row an image.
        inside: bool (B, P): the pixels that count, at least one in each row.
        fraction: share of the pixels that count, in (0, 1].

    Returns:
        (B,)
    """
    longest = max(1, round(fraction * values.shape[1]))
    counts = (fraction * inside.sum(dim=1)).round().clamp(1, longest)
    top = values.masked_fill(~inside, -torch.inf).topk(longest, dim=1).values
    taken = torch.arange(longest, device=values.device) < counts[:, None]
    return top.masked_fill(~taken, 0).sum(dim=1) / counts


def peak_score(values: Tensor, inside: Tensor, fraction: float) -> Tensor:
    """How far the highest value stands out from its own image: robust standard deviations above the median.

    ``(max - median) / (1.4826 * median absolute deviation)``: an image that is more textured than those of the training
    has a higher map everywhere, and a maximum would call it anomalous for that.

    Args:
        values: maps (B, P), one row an image.
        inside: bool (B, P): the pixels that count, at least one in each row.
        fraction: not used.

    Returns:
        (B,), without unit, at least 0.
    """
    return _above_own_level(max_score(values, inside, fraction), values, inside)


def top_peak_score(values: Tensor, inside: Tensor, fraction: float) -> Tensor:
    """As ``peak``, of the mean of the highest fraction of the pixels: one noisy pixel does not make an image anomalous.

    Args:
        values: maps (B, P), one row an image.
        inside: bool (B, P): the pixels that count, at least one in each row.
        fraction: share of the pixels that count, in (0, 1].

    Returns:
        (B,), without unit, at least 0.
    """
    return _above_own_level(topk_score(values, inside, fraction), values, inside)


def _above_own_level(level: Tensor, values: Tensor, inside: Tensor) -> Tensor:
    """Levels (B,) as robust standard deviations above the medians of their own maps."""
    rows = []
    for one, shown, value in zip(values, inside, level, strict=True):
        median, spread = own_level(one[shown])
        rows.append(torch.where(spread > 0, (value - median) / spread, 0.0))  # a map without any contrast has no peak
    return torch.stack(rows)


SCORE_METHODS = {
    "max": max_score,
    "mean": mean_score,
    "topk": topk_score,
    "peak": peak_score,
    "top_peak": top_peak_score,
}


def image_score(maps: Tensor, method: str = "max", fraction: float = 0.001, foreground: Tensor | None = None) -> Tensor:
    """One score an image from its anomaly map.

    Args:
        maps: (B, H, W), float, higher = more anomalous.
        method: ``max``, ``mean``, ``topk``, the mean of the highest ``fraction`` of the pixels, or, in units of the
            image's own spread above its own median, ``peak`` and ``top_peak``.
        fraction: share of the (foreground) pixels that ``topk`` averages, in (0, 1]; rounded, at least one pixel.
        foreground: bool (B, H, W) or (H, W): the pixels that count; None: all of them.

    Returns:
        (B,) in the unit of the maps.

    Raises:
        ValueError: if the method is unknown, ``fraction`` lies outside (0, 1], the shapes do not fit, or a foreground
            is empty.

    Example:
        >>> maps = torch.arange(10.0).view(1, 2, 5)
        >>> {method: round(image_score(maps, method, fraction=0.2).item(), 2) for method in SCORE_METHODS}
        {'max': 9.0, 'mean': 4.5, 'topk': 8.5, 'peak': 1.69, 'top_peak': 1.52}
    """
    check_maps(maps)
    if method not in SCORE_METHODS:
        raise ValueError(f"method must be one of {', '.join(SCORE_METHODS)}, got {method!r}")
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must lie in (0, 1], got {fraction}; 0.001 is a thousandth of the pixels")
    inside = torch.ones_like(maps, dtype=torch.bool) if foreground is None else _checked_foreground(foreground, maps)
    return SCORE_METHODS[method](maps.flatten(1), inside.flatten(1), fraction)


def _checked_foreground(foreground: Tensor, maps: Tensor) -> Tensor:
    if foreground.shape not in (maps.shape, maps.shape[1:]) or foreground.dtype != torch.bool:
        raise ValueError(
            f"foreground must be bool of the shape {tuple(maps.shape)} or {tuple(maps.shape[1:])}, "
            f"got {foreground.dtype} {tuple(foreground.shape)}"
        )
    foreground = foreground.to(maps.device).expand_as(maps)
    if not foreground.flatten(1).any(dim=1).all():
        raise ValueError("an image has no foreground pixel at all; leave it out, or use foreground=None")
    return foreground
