"""Which form of a map to take, asked of stand-ins: as it is, or in units of its surroundings."""

import statistics
from collections.abc import Sequence

from adkit.defects.stand_in import StandIn, stand_in_metrics
from adkit.detectors.base import Detector
from adkit.scoring.own_reference import relative_to_surroundings

AS_IT_IS = "the map as it is"


def map_qualities(detectors: Sequence[Detector], images: Sequence[StandIn], surroundings: float) -> dict[str, float]:
    """How well maps find the synthetic defects of stand-ins: as they are, and divided by their surroundings.

    Args:
        detectors: fitted; one, or several trainings of one recipe, whose mean counts.
        images: of :func:`adkit.defects.stand_in.stand_ins`.
        surroundings: standard deviation of what counts as surroundings, in pixels.

    Returns:
        Name of the form → quality, the mean of PRO and pixel AP over the types of defect.

    Example:
        >>> from adkit import FilterBankDetector, load_dataset
        >>> from adkit.defects.stand_in import stand_ins
        >>> splits = load_dataset("textile", category="denim", image_size=(64, 64))
        >>> bank = FilterBankDetector(quiet=True).fit(splits.train, splits.validation)
        >>> list(map_qualities([bank], stand_ins(splits.validation, per_kind=1), 16))
        ['the map as it is', 'surroundings 16']
    """
    forms = {AS_IT_IS: 0.0, f"surroundings {surroundings:g}": surroundings}
    found: dict[str, list[float]] = {name: [] for name in forms}
    for detector in detectors:
        maps = [detector.anomaly_map(image.image, image.foreground).cpu() for image in images]
        for name, sigma in forms.items():
            pairs = zip(maps, images, strict=True)
            chosen = [relative_to_surroundings(one, i.foreground, sigma) for one, i in pairs] if sigma else maps
            ready = [one[0].numpy() for one in chosen]
            found[name].append(stand_in_metrics(ready, [float(one.max()) for one in ready], images).quality)
    return {name: statistics.fmean(values) for name, values in found.items()}
