"""What validation normals say of an experiment, without a look at its test part: for a search over many candidates."""

import time
from pathlib import Path

from adkit.detectors.storage import load_detector
from adkit.experiments import cache
from adkit.experiments.experiment import SELECTION, Experiment
from adkit.experiments.fitted import DETECTOR, detector_once
from adkit.experiments.synthetic_validation import synthetic_validation_metrics


def selection_of(experiment: Experiment, quiet: bool = True) -> dict[str, float]:
    """Train an experiment, and measure it on validation normals with synthetic defects alone; kept as results are.

    The numbers are those of ``run(experiment).selection``, and the training is shared with :func:`adkit.run`. The test
    part is not judged: that saves half of the time of a short run, and nobody can be tempted by it.

    Args:
        experiment: what to train.
        quiet: show no progress.

    Returns:
        ``auroc``, ``ap`` and ``pro``.

    Example:
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64))
        >>> sorted(selection_of(tiny))
        ['ap', 'auroc', 'pro']
    """

    def work(folder: Path) -> dict:
        splits, unfitted = experiment.splits(), experiment.detector()
        unfitted.quiet = quiet or unfitted.quiet
        data = unfitted, splits.train, splits.validation
        fitted = detector_once(*data, experiment.fit_sources(), sources_of=experiment.fit_sources)
        detector = load_detector(fitted.folder / DETECTOR, device=unfitted.settings.device)
        start = time.perf_counter()
        found = synthetic_validation_metrics(detector, splits.validation)
        seconds = {**fitted.content["seconds"], "select": time.perf_counter() - start}
        return {"selection": {name: getattr(found, name) for name in SELECTION}, "seconds": seconds}

    return cache.cached("selections", experiment.key(), work).content["selection"]
