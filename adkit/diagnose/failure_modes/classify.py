"""From what was measured at each defect to a verdict for an architecture and a defect type, by rules fixed beforehand.

The rules are asked in this order; the first that holds decides:

1. ``inverted``: the map is lower at the defect than in the ring around it (AUROC below 0.5);
2. ``found``: it stands out of the ring (AUROC of at least 0.7), and the mask is of use (IoU of at least 0.1);
3. ``lost in the mask``: it stands out of the ring, and the mask is of no use;
4. ``copied``: it does not stand out, and at least half of it was reconstructed;
5. ``drowned``: it does not stand out although it was not reconstructed; the cloth's own residual is as large.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adkit.diagnose.failure_modes.measurements import Look
from adkit.metrics import Interval
from adkit.metrics.intervals import check_draws

VERDICTS = ("found", "lost in the mask", "copied", "drowned", "inverted")
MEASURED = ("ring", "let_through", "iou")  # what the rules ask for


@dataclass(frozen=True)
class Limits:
    """The numbers in the rules: round ones, chosen before anything was measured."""

    inverted: float = 0.5
    visible: float = 0.7
    copied: float = 0.5
    usable: float = 0.1


@dataclass(frozen=True)
class Finding:
    """What becomes of one defect type in one architecture.

    Attributes:
        verdict: one of ``VERDICTS``, of the means.
        support: share of the bootstrap draws, of seeds and of frames, with the same verdict.
        numbers: ``ring``, ``let_through`` and ``iou``, each with its 95 % interval.
        shares: verdict → share of the single frames, of all seeds, that it is the verdict of; what a mean hides.
    """

    verdict: str
    support: float
    numbers: dict[str, Interval]
    shares: dict[str, float]


def verdict(ring: float, let_through: float, iou: float, limits: Limits | None = None) -> str:
    """The verdict of three numbers; see the rules above. Without a twin (NaN) nothing is called copied."""
    limits = limits or Limits()
    if ring < limits.inverted:
        return "inverted"
    if ring >= limits.visible:
        return "found" if iou >= limits.usable else "lost in the mask"
    return "copied" if let_through >= limits.copied else "drowned"


def findings(
    examined: Mapping[str, Sequence[Sequence[Look]]], limits: Limits | None = None, n: int = 1000, seed: int = 0
) -> dict[str, dict[str, Finding]]:
    """A verdict for each architecture and each defect type.

    Numbers are means over the frames of a type and over the seeds. The intervals, and the support of a verdict, come
    from drawing both with replacement: other frames *and* other trainings. With few seeds they are rather too narrow.

    Args:
        examined: architecture → for each seed what :func:`.examine` returned, on the same frames.
        limits: of the rules.
        n: number of draws.
        seed: of the draws.

    Returns:
        Architecture → defect type → finding.

    Raises:
        ValueError: if an architecture has no seed, its seeds saw different frames, or ``n`` is below 2.

    Example:
        >>> look = Look(0, "dots", "dot", 40, 0.2, ring=0.9, let_through=0.1, iou=0.02, iou_otsu=0.01)
        >>> found = findings({"plain": [[look], [look]]})["plain"]["dots"]
        >>> found.verdict, found.support, str(found.numbers["ring"])
        ('lost in the mask', 1.0, '0.900 [0.900, 0.900]')
    """
    check_draws(n, level=0.95)
    return {name: _by_kind(name, runs, limits or Limits(), n, seed) for name, runs in examined.items()}


def _by_kind(name: str, runs: Sequence[Sequence[Look]], limits: Limits, n: int, seed: int) -> dict[str, Finding]:
    frames = [[look.index for look in run] for run in runs]
    if not runs or any(each != frames[0] for each in frames):
        raise ValueError(f"{name!r} needs one or more seeds that saw the same frames, got {[*map(len, frames)]} frames")
    kinds = dict.fromkeys(look.kind for look in runs[0])
    return {
        kind: _finding(
            np.array([[[getattr(look, m) for m in MEASURED] for look in run if look.kind == kind] for run in runs]),
            limits, n, np.random.default_rng(seed),
        )
        for kind in kinds
    }  # fmt: skip


def _finding(values: np.ndarray, limits: Limits, n: int, rng: np.random.Generator) -> Finding:
    """Of values (seeds, frames, 3)."""
    seeds, frames, _ = values.shape
    middle = _mean(values)
    drawn = np.array([
        _mean(values[rng.integers(seeds, size=seeds)][:, rng.integers(frames, size=frames)]) for _ in range(n)
    ])  # fmt: skip
    said, each = verdict(*middle, limits), [verdict(*one, limits) for one in values.reshape(-1, len(MEASURED))]
    return Finding(
        verdict=said,
        support=float(np.mean([verdict(*one, limits) == said for one in drawn])),
        numbers=dict(zip(MEASURED, map(_interval, middle, drawn.T), strict=True)),
        shares={name: each.count(name) / len(each) for name in VERDICTS},
    )


def _mean(values: np.ndarray) -> np.ndarray:
    """Over seeds and frames (S, F, 3), what is NaN left out."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0).sum(axis=(0, 1)), known.sum(axis=(0, 1))
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def _interval(value: float, drawn: np.ndarray) -> Interval:
    kept = drawn[np.isfinite(drawn)]
    low, high = np.quantile(kept, [0.025, 0.975]) if kept.size else (np.nan, np.nan)
    return Interval(float(value), float(low), float(high))
