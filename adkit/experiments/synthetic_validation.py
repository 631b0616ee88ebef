"""Choosing without the test part: how well a detector finds synthetic defects on validation normals.

Any choice (a loss, a width, a number of steps) needs a number to choose by. The test part would give one, and spoil
itself in giving it. This one is made of normal images that were held out, and of defects that are drawn the same for
every candidate.
"""

from adkit.data import AnomalyDataset
from adkit.defects import SyntheticDefects
from adkit.detectors.base import Detector
from adkit.metrics import PixelMetrics, pixel_metrics
from adkit.runtime import generator


def synthetic_validation_metrics(
    detector: Detector, validation: AnomalyDataset, defects: SyntheticDefects | None = None, seed: int = 0
) -> PixelMetrics:
    """Pixel metrics on validation normals, each with synthetic defects that are the same in every call.

    Args:
        detector: a fitted detector.
        validation: normal images that it was not trained on.
        defects: what to put on the images; default: every kind that :class:`adkit.defects.SyntheticDefects` has.
        seed: whole number; image ``i`` gets the defects that ``(seed, i)`` draws, the same in every call.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> 0 <= synthetic_validation_metrics(detector, splits.validation).ap <= 1
        True
    """
    defects = defects or SyntheticDefects()
    masks, maps = [], []
    for i in range(len(validation)):
        image, foreground = validation[i]["image"][None], validation[i]["foreground"][None]
        corrupted, mask, _ = defects(image, foreground, generator(seed, i))
        masks.append(mask[0].numpy())
        maps.append(detector.anomaly_map(corrupted)[0].numpy())
    return pixel_metrics(masks, maps)
