"""Exercises of notebook 07: active dimensions, the gain over the mean image, and a drift."""

import numpy as np
import torch
from torch import Tensor

from adkit.course.answers import Exercise


def active(mu: np.ndarray, limit: float) -> int:
    """How many dimensions have means (N, D) that vary by more than a limit over the inputs."""
    return int((mu.var(axis=0) > limit).sum())


def gain(seen: Tensor, reconstructed: Tensor) -> float:
    """How much of the mean image's error a reconstruction saves: images (N, C, H, W) and what was made of them."""
    error = (seen - reconstructed).square().mean()
    return float(1 - error / (seen - seen.mean(dim=0)).square().mean())


def drift(values: np.ndarray) -> float:
    """By how much the last half of a series still moves, by a straight line through it."""
    last = np.asarray(values, dtype=float)[len(values) // 2 :]
    steps = np.arange(len(last))
    slope = np.polyfit(steps, last, 1)[0]
    return float(slope * (len(last) - 1))


RANDOM = np.random.default_rng(0)
MU = RANDOM.normal(size=(40, 6)) * np.array([2.0, 1.0, 0.5, 0.2, 0.05, 0.0])
IMAGES = torch.linspace(0, 1, 48).reshape(3, 1, 4, 4)

EXERCISES = {
    "1": Exercise(
        active,
        hint="For each dimension you need one number: the variance of its μ over the inputs. Which axis has those?",
        solution="""
def my_active(mu, limit):
    spread = mu.var(axis=0)  # one number for each dimension
    return int((spread > limit).sum())
""",
        cases=[(MU, 0.01), (MU, 0.5), (np.zeros((5, 3)), 0.01)],
        why="A dimension whose μ is the same for every input says nothing, however large it is.",
    ),
    "2": Exercise(
        gain,
        hint="The mean image has one value for each pixel. Whoever draws it for every input makes which error?",
        solution="""
def my_gain(seen, reconstructed):
    error = (seen - reconstructed).square().mean()
    of_mean_image = (seen - seen.mean(0)).square().mean()
    return float(1 - error / of_mean_image)
""",
        tolerance=1e-4,
        cases=[(IMAGES, IMAGES), (IMAGES, IMAGES.mean(0, keepdim=True).expand(3, -1, -1, -1)), (IMAGES, IMAGES * 0.9)],
        why="1 is a perfect copy, 0 is what a collapsed network reaches, and below 0 it would do better to stop.",
    ),
    "3": Exercise(
        drift,
        hint="`np.polyfit(steps, values, 1)` gives the slope first. How many steps does the last half span?",
        solution="""
def my_drift(values):
    last = np.asarray(values)[len(values) // 2 :]
    slope = np.polyfit(np.arange(len(last)), last, 1)[0]
    return slope * (len(last) - 1)  # from the first of them to the last
""",
        tolerance=1e-6,
        cases=[
            ([0.5, 0.55, 0.6, 0.65, 0.7, 0.75],),
            ([0.4, 0.5, 0.6, 0.6, 0.6, 0.6],),
            ([3.0, 1.0, 2.0, 2.0, 2.0, 1.0, 3.0, 1.0],),
        ],
        why="A last value minus a first one would hang on two values; the line uses all of them.",
    ),
}
