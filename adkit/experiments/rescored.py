"""A trained VAE under another scoring, as a result of its own: so that scorings can be compared on the same images."""

from dataclasses import replace

from adkit.detectors.vae import VAEDetector
from adkit.experiments.evaluation import judge
from adkit.experiments.experiment import SELECTION, Result
from adkit.experiments.synthetic_validation import synthetic_validation_metrics


def rescored(result: Result, **settings) -> Result:
    """The same training, scored in another way and judged on the same test part; nothing is trained.

    Args:
        result: of a VAE.
        settings: of scoring, see :meth:`adkit.detectors.vae.VAEDetector.rescored`; what is not given stays as it is.

    Returns:
        As :func:`adkit.run` returns it, but not kept; :func:`adkit.experiments.paired` compares it with the first one.

    Raises:
        TypeError: if the result is not of a VAE.
        ValueError: if a setting would need another training.

    Example:
        >>> from adkit import Experiment, run
        >>> tiny = {"latent_dim": 4, "widths": [4, 8], "steps": 3, "crop": 32}
        >>> result = run(Experiment("vae", tiny, image_size=(64, 64), category="denim"), quiet=True)
        >>> rescored(result, score_by="kl").experiment.settings["score_by"]
        'kl'
    """
    detector, splits = result.detector(), result.experiment.splits()
    if not isinstance(detector, VAEDetector):
        raise TypeError(f"only a VAE can be scored in another way, got a {type(detector).__name__}")
    detector.quiet = True
    other = detector.rescored(splits.validation, **settings)
    evaluation, draws = judge(other, splits.test, result.evaluation.fpr_limit, len(result.draws))
    found = synthetic_validation_metrics(other, splits.validation)
    selection = {name: getattr(found, name) for name in SELECTION}
    experiment = result.experiment.variant(settings=result.experiment.settings | settings)
    return replace(result, experiment=experiment, evaluation=evaluation, selection=selection, draws=draws)
