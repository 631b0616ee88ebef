"""Which settings of synthetic defects: judged on validation normals, by defect types that the training never showed.

Finding the types that one has trained with is no evidence. So for each seed the types are parted at random: one half is
for training, the other half judges. All settings meet the same parts, seed by seed, so they are compared in pairs.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.defects import SyntheticDefects
from adkit.detectors.base import Detector
from adkit.detectors.storage import load_detector
from adkit.experiments.experiment import Experiment
from adkit.experiments.fit_only import fit_experiment
from adkit.experiments.fitted import DETECTOR
from adkit.experiments.studies.in_processes import in_processes
from adkit.metrics import pixel_metrics
from adkit.runtime import generator
from adkit.runtime.cores import in_threads


@dataclass(frozen=True)
class DefectSearch:
    """What settings of synthetic defects are worth on types that they did not train with.

    Attributes:
        names: S names of settings, in the order in which they were given.
        values: (S, seeds) pixel AP.
    """

    names: tuple[str, ...]
    values: np.ndarray

    @property
    def means(self) -> dict[str, float]:
        """Name → mean over the seeds."""
        return dict(zip(self.names, self.values.mean(axis=1).tolist(), strict=True))

    @property
    def best(self) -> str:
        """The setting with the highest mean; of equals the first."""
        return self.names[int(self.values.mean(axis=1).argmax())]

    def gain(self, name: str, over: str) -> tuple[float, float]:
        """How much better a setting is than another, and the standard error of that, from the pairs of each seed.

        Args:
            name: one of ``names``.
            over: another one.

        Returns:
            Mean difference, and its standard error; of one seed the error is infinite.

        Example:
            >>> search = DefectSearch(("a", "b"), np.array([[0.2, 0.4], [0.1, 0.2]]))
            >>> [round(number, 3) for number in search.gain("a", "b")]
            [0.15, 0.05]
        """
        pairs = self.values[self.names.index(name)] - self.values[self.names.index(over)]
        error = pairs.std(ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.inf
        return float(pairs.mean()), float(error)

    def as_good_as_best(self, errors: float = 2.0) -> list[str]:
        """The settings that cannot be told from the best one: those within so many standard errors of it.

        Args:
            errors: of the paired difference; 2 is about a 95 % interval where there are many seeds, less with three.
        """
        gains = {name: self.gain(self.best, name) for name in self.names}
        return [name for name, (gain, error) in gains.items() if name == self.best or gain <= errors * error]


def parted(types: Sequence[str], seed: int) -> tuple[list[str], list[str]]:
    """Two halves of the defect types, at random: to train with, and to judge by.

    Args:
        types: names, at least two.
        seed: whole number; equal seeds part equally.

    Raises:
        ValueError: if there are fewer than two.

    Example:
        >>> parted(["mask", "line", "blur", "warp"], seed=0)
        (['line', 'warp'], ['mask', 'blur'])
    """
    if len(types) < 2:
        raise ValueError(f"two halves need at least two defect types, got {list(types)}")
    chosen = set(random.Random(seed).sample(list(types), len(types) // 2))
    return [name for name in types if name in chosen], [name for name in types if name not in chosen]


def detector_of(experiment: Experiment) -> Detector:
    """Train an experiment without judging it on the test part; the training is kept, and shared with `adkit.run`.

    Args:
        experiment: what to train.

    Example:
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64))
        >>> detector_of(tiny).settings.steps
        4
    """
    return load_detector(fit_experiment(experiment).folder / DETECTOR, device=experiment.all_settings().device)


def quality_by_type(detector: Detector, normals: AnomalyDataset, types: Sequence[str]) -> dict[str, float]:
    """How well a detector finds each type of synthetic defect on normal images: pixel AP.

    Args:
        detector: a fitted one.
        normals: images that it was not trained on.
        types: names of defect types.

    Returns:
        Type → pixel AP; NaN where no image shows a defect, as where the noise is everywhere.
    """
    found = {}
    for name in types:
        frames, maps = synthetic_frames(normals, name), []
        for image, _ in frames:
            maps.append(detector.anomaly_map(image)[0].numpy())
        masks = [mask for _, mask in frames]
        found[name] = pixel_metrics(masks, maps).ap if any(mask.any() for mask in masks) else float("nan")
    return found


def synthetic_frames(normals: AnomalyDataset, name: str, seed: int = 0) -> list[tuple[Tensor, np.ndarray]]:
    """Normal images with one type of synthetic defect, the same in every call.

    Args:
        normals: images.
        name: of the defect type.
        seed: whole number; another one makes other defects.

    Returns:
        Images (1, C, H, W) and masks, bool (H, W).
    """
    put, frames = SyntheticDefects([name]), []
    for i in range(len(normals)):
        image, foreground = normals[i]["image"][None], normals[i]["foreground"][None]
        corrupted, mask, _ = put(image, foreground, generator(seed, i))
        frames.append((corrupted, mask[0].numpy()))
    return frames


def search_defects(
    base: Experiment,
    settings: Mapping[str, Mapping],
    types: Sequence[str],
    seeds: Sequence[int],
    normals: AnomalyDataset,
    quiet: bool = False,
) -> DefectSearch:
    """Train every setting with every seed, and judge it by the types that were left out of that seed's training.

    Args:
        base: a short experiment of an autoencoder, without synthetic defects.
        settings: name → ``repair`` and arguments of :class:`adkit.defects.SyntheticDefects`, all literals.
        types: names of all defect types; each seed parts them in two, see :func:`parted`.
        seeds: of training, and of the parting.
        normals: validation images to judge on.
        quiet: show no progress.

    Raises:
        ValueError: if there is nothing to search, and as an experiment does.

    Example:
        >>> base = Experiment(settings={"width": 4, "steps": 4, "crop": 32, "skip": "none"}, image_size=(64, 64))
        >>> validation = base.splits().validation.subset([0, 1])
        >>> settings = {"small": {"size": [0.1, 0.2]}}
        >>> found = search_defects(base, settings, ["mask", "stain"], [0], validation, quiet=True)
        >>> found.best, found.values.shape
        ('small', (1, 1))
    """
    if not settings or not seeds:
        raise ValueError(f"needs settings and seeds, got {list(settings)} and {list(seeds)}")
    plan = [(dict(options), seed) for options in settings.values() for seed in seeds]
    experiments = []
    for options, seed in plan:
        repair, trained = options.pop("repair", 1.0), parted(types, seed)[0]
        defects = {"defect_types": trained, **options}
        experiments.append(base.variant(seed=seed, defects=defects, repair=repair))
    in_processes(fit_experiment, experiments, "settings × seeds", quiet)

    def quality(number: int) -> float:
        judges = parted(types, plan[number][1])[1]
        return np.nanmean(list(quality_by_type(detector_of(experiments[number]), normals, judges).values()))

    values = in_threads(quality, range(len(plan)))
    return DefectSearch(tuple(settings), np.reshape(values, (len(settings), len(seeds))))
