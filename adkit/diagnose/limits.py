"""The limits that evidence is compared with: one table, and how each was set."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Where a number becomes a sign of trouble.

    Set on gabardine, with the recipes and knobs of :mod:`adkit.diagnose.causes` and seeds 0 to 2: about half-way
    between the worst run without the fault and the mildest run with it, as a difference or as a ratio, whichever suits
    the number. Where other fabrics are known to be harder, the limit lies nearer to the fault. Behind each limit stand
    these two numbers, ``sound | faulty``. Tests use other seeds and other fabrics.
    """

    steps: int = 50  # optimiser steps, below; 400 | 8
    drift: float = 0.1  # of the loss over the last half of training, relative to its end, above; a choice
    score_drift: float = 0.03  # of a score over the last half of training, above; a choice
    active_units: float = 0.05  # share of latent dimensions, below; 1 | 0
    kl_per_dimension: float = 0.001  # nats, below; 0.4 | 0.000003
    mutual_information: float = 0.5  # nats, below; 6.2 (of 6.24) | 0.0004
    noise: float = 0.05  # median σ², below: a few dimensions may keep theirs; 0.53 | 0.0064
    variance_ratio: float = 0.06  # of reconstructions by inputs, below; 0.68 | 0.005
    gain_over_mean: float = 0.2  # below; 0.73 | 0.01, and coarse cloth gains less
    kept: float = 0.75  # share of a synthetic defect that comes through, above; 0.56 | 0.93
    share_above: float = 0.05  # of the pixels of normal maps, above; 0.005, as promised | 0.5
    same_top: float = 0.5  # share of normal images whose maps end at one and the same value, above; 0.025 | 1
    flagged_normals: float = 0.3  # share of the normal images, above; 0.05, as promised | 0.5
    broken_promise: float = 4.0  # share above a threshold by the share that its percentile promises, above; 1 | 18
    threshold_over_normals: float = 1.5  # image threshold by the highest score of a normal image, above; 0.97 | 4.5
    raw_match: float = 1.3  # factor between the thresholds and those of unsmoothed maps, below; 3.2 | 1
    f1: float = 0.02  # below; 0.11 | 0
    auroc: float = 0.64  # of images or pixels, below; 0.69 | 0.62, and other cloth is harder
    better_score: float = 0.13  # image AUROC that another score of the same maps gains, above; 0.10 | 0.18
    better_smoothing: float = 0.06  # image AUROC that less smoothing gains, above; 0.003 | 0.125
    shift: float = 6.0  # pixels between maps and masks, above; 0 where maps are sharp | 41
    shift_gain: float = 1.5  # fit at the best shift minus fit at none, in deviations over shifts, above; 0.18 | 6.5
