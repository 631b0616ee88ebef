"""What validation normals say of an experiment, without a look at its test part: for a search over many candidates."""

import time
from pathlib import Path

from adkit.detectors.storage import load_detector
from adkit.experiments import cache
from adkit.experiments.experiment import SELECTION, Experiment
from adkit.experiments.fit_only import fit_experiment
from adkit.experiments.fitted import DETECTOR
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
        fitted = fit_experiment(experiment, quiet=quiet)
        detector = load_detector(fitted.folder / DETECTOR, device=experiment.all_settings().device)
        start = time.perf_counter()
        found = synthetic_validation_metrics(detector, experiment.splits().validation)
        seconds = {**fitted.content["seconds"], "select": time.perf_counter() - start}
        return {"selection": {name: getattr(found, name) for name in SELECTION}, "seconds": seconds}

    return cache.cached("selections", experiment.key(), work).content["selection"]
