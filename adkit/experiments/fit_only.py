"""An experiment fitted and not judged: for searches and studies that measure something else than its test part."""

from adkit.experiments import cache
from adkit.experiments.experiment import Experiment
from adkit.experiments.fitted import detector_once


def fit_experiment(experiment: Experiment, quiet: bool = True) -> cache.Entry:
    """The entry of its fitted detector: fitted now, or kept by an earlier call or by :func:`adkit.run`.

    Args:
        experiment: what to fit.
        quiet: without a progress bar.
    """
    splits, unfitted = experiment.splits(), experiment.detector()
    unfitted.quiet = quiet or unfitted.quiet
    data = unfitted, splits.train, splits.validation
    return detector_once(*data, experiment.fit_sources(), sources_of=experiment.fit_sources)
