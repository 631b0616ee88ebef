"""Weights of a loss of several parts: brought to one scale, drawn at random, and judged without the test part.

A weight of 0.5 says nothing while the parts differ a hundredfold: an error of 0.03 in every pixel is 0.0009 to the MSE
and may be 0.3 to SSIM. So the parts are measured first, and what is searched is their *shares* of the sum.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.experiments.experiment import Experiment
from adkit.experiments.studies.in_processes import in_processes
from adkit.experiments.studies.selecting import selection_of
from adkit.losses import build_loss


def unit_weights(
    names: Sequence[str], reconstruct: Callable[[Tensor], Tensor], validation: AnomalyDataset, digits: int = 2
) -> dict[str, float]:
    """Weights that make every part of a loss 1 on held-out normal images: one over its mean value there.

    Held-out ones, since those that were learned from are reconstructed better; by a *fitted* network, since an
    untrained one makes errors of another kind. Rounded to literals for a configuration: only their order of magnitude
    matters.

    Args:
        names: names of losses, as :func:`adkit.losses.build_loss` knows them.
        reconstruct: (B, C, H, W) to (B, C, H, W), for example ``detector.reconstruct``.
        validation: normal images that were not trained on.
        digits: significant digits of the weights, at least 1.

    Returns:
        Name → weight.

    Raises:
        ValueError: if there is no name or no image, or a loss is 0 on all images.

    Example:
        >>> from adkit import load_dataset
        >>> validation = load_dataset("textile", image_size=(64, 64)).validation
        >>> unit_weights(["mse", "l1"], lambda images: (images - 0.1).clamp(0, 1), validation)
        {'mse': 100.0, 'l1': 10.0}
    """
    if not names or not len(validation):
        raise ValueError(f"unit_weights needs losses and images, got {list(names)} and {len(validation)} images")
    loss, sums = build_loss(dict.fromkeys(names, 1.0)), dict.fromkeys(names, 0.0)
    with torch.inference_mode():
        # one by one: images may differ in size
        for i in range(len(validation)):
            image = validation[i]["image"][None]
            loss(reconstruct(image), image)
            sums = {name: total + float(loss.components[name]) for name, total in sums.items()}
    if silent := [name for name, total in sums.items() if not total > 0]:
        raise ValueError(f"{', '.join(silent)}: 0 on all images, so no weight makes it 1; reconstruct, do not copy")
    return {name: float(f"{len(validation) / total:.{digits}g}") for name, total in sums.items()}


def weighted_loss(shares: Mapping[str, float], scales: Mapping[str, float], total: float = 1.0) -> str:
    """A loss as text, in which every part has its share of the sum.

    Args:
        shares: name → share, not negative; brought to the sum 1. A part without a share is left out.
        scales: name → weight that makes the part 1, from :func:`unit_weights`.
        total: what the sum is where the scales were measured, positive; gradients are clipped, so only losses of equal
            sums compete fairly.

    Raises:
        ValueError: if a share is negative, none is positive, or a part has no scale.

    Example:
        >>> weighted_loss({"mse": 1, "ssim": 3}, scales={"mse": 200.0, "ssim": 4.0}, total=0.1)
        '5*mse + 0.3*ssim'
    """
    if missing := set(shares) - set(scales):
        raise ValueError(
            f"no scale for {', '.join(sorted(missing))}; known: {', '.join(scales)}; call unit_weights first"
        )
    if min(shares.values(), default=0) < 0 or not sum(shares.values()) > 0:
        raise ValueError(f"shares must be numbers of at least 0, one of them above, got {dict(shares)}")
    factor = total / sum(shares.values())
    weights = {name: float(f"{share * factor * scales[name]:.2g}") for name, share in shares.items() if share}
    return " + ".join(f"{np.format_float_positional(weight, trim='-')}*{name}" for name, weight in weights.items())


def random_weights(
    scales: Mapping[str, float], count: int, seed: int = 0, total: float = 1.0, least: float = 0.05
) -> list[str]:
    """Losses with random shares, uniform over all shares that sum to 1 (a flat Dirichlet distribution).

    Args:
        scales: name → weight that makes the part 1, from :func:`unit_weights`.
        count: how many losses to draw, at least 0; a longer draw begins with the losses of a shorter one.
        seed: integer; another seed draws other losses.
        total: what each sum is where the scales were measured, see :func:`weighted_loss`.
        least: a share below it is left out, since it would cost time and change little; in [0, 1 / number of parts).

    Raises:
        ValueError: if ``count`` is negative, or ``least`` lies outside [0, 1 / number of parts).

    Source:
        On random draws against grids: Bergstra and Bengio: Random search for hyper-parameter optimization, JMLR 2012.

    Example:
        >>> random_weights({"mse": 200.0, "ssim": 4.0}, count=2)
        ['80*mse + 2.4*ssim', '180*mse + 0.41*ssim']
    """
    parts = len(scales)
    if count < 0 or not 0 <= least < 1 / parts:
        raise ValueError(f"count must be at least 0 and least in [0, 1 / {parts}), got {count} and {least}")
    drawn = np.random.default_rng(seed).dirichlet(np.ones(parts), size=count)
    mixes = [{name: share for name, share in zip(scales, row, strict=True) if share >= least} for row in drawn]
    return [weighted_loss(shares, scales, total) for shares in mixes]


def search(make: Callable[[str], Experiment], candidates: Sequence[str], budget: int) -> dict[str, float]:
    """Train candidates until the budget is spent; rank them by what validation normals say, and by nothing else.

    Args:
        make: takes a loss as text and returns its experiment; a short one, so that the budget reaches further.
        candidates: losses as text, the most promising first; one that comes twice is run once.
        budget: largest number of runs, at least 1.

    Returns:
        Loss → pixel AP on validation normals with synthetic defects, the best one first; see
        :func:`adkit.experiments.studies.selecting.selection_of`.

    Raises:
        ValueError: if there is no candidate, or the budget is below 1.
    """
    chosen = list(dict.fromkeys(candidates))[: max(budget, 0)]
    if not chosen:
        raise ValueError(f"search needs candidates and a budget of 1 run at least, got {len(candidates)} and {budget}")
    found = in_processes(selection_of, map(make, chosen), "search")
    precision = {loss: selection["ap"] for loss, selection in zip(chosen, found, strict=True)}
    return dict(sorted(precision.items(), key=lambda entry: entry[1], reverse=True))
