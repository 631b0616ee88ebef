"""An experiment judged on normal images with synthetic defects, as a test part is: by source, with intervals.

A single number says which candidate to choose; here each source of synthetic defects is a *type*, so that
:func:`adkit.over_seeds` and :func:`adkit.experiments.paired` tell what a training finds of each, and how sure that is.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.defects import SyntheticDefects
from adkit.detectors.base import Detector
from adkit.detectors.prediction import Predictions
from adkit.detectors.storage import load_detector
from adkit.experiments.evaluation import judge_predictions
from adkit.experiments.experiment import Experiment, Result
from adkit.experiments.fit_only import fit_experiment
from adkit.experiments.fitted import DETECTOR
from adkit.experiments.seeds import check_results, mean, mean_draws
from adkit.metrics.significance import Difference, difference_of
from adkit.runtime import generator


def synthetic_predictions(
    detector: Detector, normals: AnomalyDataset, sources: Mapping[str, SyntheticDefects], seed: int = 0
) -> Predictions:
    """Maps and scores of normal images as they are, and of each of them with the defects of each source.

    Args:
        detector: a fitted one.
        normals: images that it was not trained on.
        sources: name → what puts defects on an image; its name is the type of that image.
        seed: whole number; another one places other defects. Image i gets the same for every detector.

    Returns:
        ``(1 + sources) · images`` of them; an image on which a source leaves nothing to see is left out.

    Raises:
        ValueError: if there is no image or no source.
    """
    if not len(normals) or not sources:
        raise ValueError(f"needs images and sources, got {len(normals)} images and the sources {list(sources)}")
    found: dict[str, list] = {name: [] for name in ("maps", "masks", "scores", "kinds", "paths")}
    for i in range(len(normals)):
        item = normals[i]
        image, foreground = item["image"][None], item["foreground"][None]
        shown = {NORMAL: (image, np.zeros(tuple(image.shape[-2:]), bool))}
        for name, source in sources.items():
            corrupted, mask, _ = source(image, foreground, generator(seed, i))
            if mask.any():
                shown[name] = corrupted, mask[0].numpy()
        for name, (seen, mask) in shown.items():
            maps, scores = detector.judge(seen, foreground)
            values = maps[0].numpy(), mask, float(scores[0]), name, f"{item['path']}#{name}"
            for part, value in zip(found.values(), values, strict=True):
                part.append(value)
    labels = np.array([kind != NORMAL for kind in found["kinds"]], dtype=int)
    return Predictions(**found | {"scores": np.array(found["scores"]), "labels": labels})


def judged_on_synthetic(
    experiment: Experiment, normals: AnomalyDataset, sources: Mapping[str, SyntheticDefects], seed: int = 0
) -> Result:
    """Train an experiment, or fetch its training, and judge it on synthetic defects; its test part is not looked at.

    Args:
        experiment: what to train; the training is kept, and shared with :func:`adkit.run`.
        normals: as of :func:`synthetic_predictions`.
        sources: as of :func:`synthetic_predictions`.
        seed: as of :func:`synthetic_predictions`.

    Returns:
        As :func:`adkit.run` returns it, with the sources as defect types; ``selection`` is empty.

    Example:
        >>> tiny = {"width": 4, "segment_width": 4, "steps": 3, "crop": 32}
        >>> experiment = Experiment("draem", tiny, image_size=(64, 64), category="denim")
        >>> few = experiment.splits().validation.subset([0, 1, 2])
        >>> result = judged_on_synthetic(experiment, few, {"stains": SyntheticDefects(["stain"])})
        >>> list(result.evaluation.by_kind)
        ['stains']
    """
    entry = fit_experiment(experiment)
    detector = load_detector(entry.folder / DETECTOR, device=experiment.all_settings().device)
    judged = synthetic_predictions(detector, normals, sources, seed)
    evaluation, draws = judge_predictions(judged, detector.threshold, detector.pixel_threshold)
    seconds = entry.content["seconds"]
    return Result(experiment, evaluation, {}, detector.history, seconds, entry.folder, entry.from_cache, draws)


def between_types(results: Sequence[Result], a: str, b: str, name: str = "pro") -> Difference:
    """How much more of one defect type than of another is found, by the same trainings: with 95 % interval.

    The images of both types are drawn together, and the trainings are the same in each draw.

    Args:
        results: runs of one configuration with one or several seeds.
        a: a defect type.
        b: another one.
        name: ``pro``, ``pixel_ap``, ``image_auroc`` or ``recall``.

    Raises:
        ValueError: if the number of one of the types has no draws.
    """
    check_results(results)
    drawn = [mean_draws(results, name, kind) for kind in (a, b)]
    if any(draws is None for draws in drawn):
        known = ", ".join(results[0].evaluation.by_kind)
        raise ValueError(f"there are no draws of {name!r} of {a!r} and {b!r}; the types are {known}")
    return difference_of(mean(results, name, a) - mean(results, name, b), drawn[0] - drawn[1])
