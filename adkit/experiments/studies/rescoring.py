"""Another scoring of a training that is there: its terms one by one, any weighting of them, and the test set again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from adkit.detectors.base import Detector
from adkit.detectors.latent import LatentDetector
from adkit.detectors.vae import VAEDetector
from adkit.experiments.evaluation import judge
from adkit.experiments.experiment import SELECTION, Result
from adkit.experiments.synthetic_validation import synthetic_validation_metrics
from adkit.metrics import PixelMetrics, pixel_metrics


def in_latent_space(result: Result, **settings) -> LatentDetector:
    """The autoencoder of a result, scored in its latent space; nothing is trained again.

    Args:
        result: of an autoencoder.
        settings: as of :meth:`adkit.detectors.latent.LatentDetector.from_autoencoder`.

    Example:
        >>> from adkit import Experiment, run
        >>> tiny = run(Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64)), quiet=True)
        >>> in_latent_space(tiny, distance="mean").settings.distance
        'mean'
    """
    splits = result.experiment.splits()
    return LatentDetector.from_autoencoder(result.detector(), splits.train, splits.validation, quiet=True, **settings)


def rejudged(result: Result, detector: Detector) -> Result:
    """A result with another scoring of its training, judged on the same test images and the same draws of them.

    So :func:`adkit.over_seeds` and :func:`adkit.experiments.paired` compare the two. ``selection`` stays that of the
    old scoring.

    Args:
        result: of the training.
        detector: another scoring of it, fitted.
    """
    method = {LatentDetector: "latent"}.get(type(detector), result.experiment.method)
    chosen = {name: value for name, value in asdict(detector.settings).items() if name != "seed"}
    test = result.experiment.splits().test
    evaluation, draws = judge(detector, test, result.evaluation.fpr_limit, len(result.draws))
    experiment = result.experiment.variant(method=method, settings=chosen)
    return replace(result, experiment=experiment, evaluation=evaluation, draws=draws)


def rescored(result: Result, **settings) -> Result:
    """A trained VAE, scored in another way and judged on the same test part; nothing is trained.

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
    detector, validation = result.detector(), result.experiment.splits().validation
    if not isinstance(detector, VAEDetector):
        raise TypeError(f"only a VAE can be scored in another way, got a {type(detector).__name__}")
    detector.quiet = True
    other = detector.rescored(validation, **settings)
    found = synthetic_validation_metrics(other, validation)
    return replace(rejudged(result, other), selection={name: getattr(found, name) for name in SELECTION})


@dataclass(frozen=True)
class TermMaps:
    """The standardised terms of some frames, from which the map of any weighting follows.

    Attributes:
        names: of the K terms, the residual last.
        maps: of each frame (K, H, W), in standard deviations of normal pixels, moved so that distance 0 is 0.
        masks: of each frame, bool (H, W).
    """

    names: tuple[str, ...]
    maps: list[Tensor]
    masks: list[np.ndarray]

    @classmethod
    def of(cls, detector: LatentDetector, items: Sequence[Mapping]) -> "TermMaps":
        """Compute them.

        Args:
            detector: a fitted one.
            items: frames as a dataset gives them: ``image`` (C, H, W), ``mask`` and ``foreground`` (H, W).
        """
        zero = (detector.scale.mean / detector.scale.deviation)[:, None, None].cpu()
        names, maps = (), []
        for item in items:
            terms = detector.terms(item["image"][None])
            names = tuple(terms)
            maps.append((torch.cat(list(terms.values())) + zero) * item["foreground"])
        return cls(names, maps, [np.asarray(item["mask"]) for item in items])

    def fused(self, weights: Sequence[float]) -> list[np.ndarray]:
        """The weighted sums of the terms, (H, W) of each frame.

        Args:
            weights: K numbers.
        """
        chosen = torch.as_tensor(weights, dtype=torch.float32)
        return [torch.einsum("k,khw->hw", chosen, maps).numpy() for maps in self.maps]

    def metrics(self, weights: Sequence[float]) -> PixelMetrics:
        """How well a weighted sum finds the masks.

        Args:
            weights: K numbers.
        """
        return pixel_metrics(self.masks, self.fused(weights))
