"""What each of several image thresholds would flag: all of them from validation normals, judged on the test part."""

from collections.abc import Sequence
from pathlib import Path

from adkit.data import Splits
from adkit.detectors.base import Detector
from adkit.detectors.calibration import image_threshold
from adkit.detectors.storage import load_detector

QUANTILES = (90.0, 95.0, 99.0)


def thresholds_table(
    detector: Detector | str | Path, splits: Splits, percentiles: Sequence[float] = QUANTILES, device: str = "auto"
) -> list[dict]:
    """A row for each percentile of the validation normals' scores.

    Args:
        detector: fitted, or the folder that it was saved in.
        splits: its validation normals set the thresholds, its test part is judged by them.
        percentiles: each in (0, 100).
        device: of a detector that is loaded.

    Returns:
        Dicts with ``percentile``, ``threshold`` and its 95 % interval ``low`` and ``high``; ``normal`` and
        ``anomalous``, numbers of test images; ``alarms`` and ``found``, how many of each are flagged.

    Raises:
        RuntimeError: before ``fit``.
        ValueError: if a percentile is out of its range.

    Example:
        >>> from adkit import FilterBankDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> rows = thresholds_table(FilterBankDetector(quiet=True).fit(splits.train, splits.validation), splits)
        >>> [row["percentile"] for row in rows], rows[0]["alarms"] >= rows[-1]["alarms"]
        ([90.0, 95.0, 99.0], True)
    """
    if any(not 0 < q < 100 for q in percentiles):
        raise ValueError(f"percentiles must lie between 0 and 100, got {list(percentiles)}; 90, 95 and 99 are usual")
    detector = detector if isinstance(detector, Detector) else load_detector(detector, device=device)
    maps, scores = detector.judge_items(splits.validation)
    labels = [splits.test.labels[group[0]] for group in splits.test.groups()]
    _, judged = detector.judge_images(splits.test)
    rows = []
    for q in percentiles:
        cut = image_threshold(splits.validation, maps, scores, float(q), detector.settings.score == "max")
        flagged = [bool(label) for label, score in zip(labels, judged, strict=True) if score >= cut.value]
        rows.append(
            {"percentile": float(q), "threshold": cut.value, "low": cut.low, "high": cut.high}
            | {"normal": labels.count(0), "alarms": flagged.count(False)}
            | {"anomalous": labels.count(1), "found": flagged.count(True)}
        )
    return rows
