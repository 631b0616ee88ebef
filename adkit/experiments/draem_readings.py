"""One DRAEM, read twice: by its segmenter, and by the residual of the very same reconstruction.

What the second network adds can only be told where nothing else differs: same weights, same reconstruction, same
smoothing, same test images.
"""

from torch import Tensor

from adkit import scoring
from adkit.detectors.draem import DRAEMDetector
from adkit.experiments.experiment import Result
from adkit.experiments.rescoring import rejudged


class ResidualReading(DRAEMDetector):
    """A DRAEM whose map is the absolute difference of image and reconstruction, smoothed; its segmenter is not asked.

    Example:
        >>> ResidualReading(width=4).settings.smoothing
        4.0
    """

    @classmethod
    def of(cls, fitted: DRAEMDetector) -> "ResidualReading":
        """The residual reading of a fitted DRAEM, with the weights of that one, and its thresholds until `calibrate`.

        Args:
            fitted: a trained DRAEM; it stays as it is.

        Raises:
            TypeError: if it is another method.
        """
        if not isinstance(fitted, DRAEMDetector):
            raise TypeError(f"a DRAEM has two readings, got a {type(fitted).__name__}")
        other = cls()
        vars(other).update(vars(fitted))
        return other

    def _anomaly_map(self, images: Tensor) -> Tensor:
        difference = (images - self._reconstruct(images)).abs().mean(dim=1)
        return scoring.gaussian_smooth(difference.float(), self.settings.smoothing)


def residual_reading(result: Result) -> Result:
    """A trained DRAEM, judged by its residual; thresholds come from validation normals again, nothing is trained.

    Args:
        result: of a DRAEM.

    Returns:
        As :func:`adkit.run` returns it, but not kept; :func:`adkit.experiments.paired` compares it with the first one.

    Raises:
        TypeError: if the result is of another method.

    Example:
        >>> from adkit import Experiment, run
        >>> tiny = {"width": 4, "segment_width": 4, "steps": 3, "crop": 32}
        >>> result = run(Experiment("draem", tiny, image_size=(64, 64), category="denim"), quiet=True)
        >>> residual_reading(result).evaluation.pro != result.evaluation.pro
        True
    """
    other = ResidualReading.of(result.detector())
    other.quiet = True
    return rejudged(result, other.calibrate(result.experiment.splits().validation))
