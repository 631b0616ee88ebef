"""How a defect looks, from its mask and its grey level: a name for sets whose defect types are codes of causes.

AITEX tells why a defect came about (broken pick, nep, crease, …). Whether a map shows it depends on what there is to be
seen: lighter or darker than the cloth, and of which shape.
"""

from collections.abc import Sequence
from dataclasses import replace

from adkit.diagnose.failure_modes.measurements import DefectMeasurement

SAME_GREY = 0.02  # of the range of grey levels: a smaller difference from the surround is called none


def visible_look(measurement: DefectMeasurement) -> str:
    """``dots``, ``same grey``, or ``lighter`` or ``darker`` with ``line`` or ``area``.

    Args:
        measurement: of a defective frame.

    Example:
        >>> line = DefectMeasurement(0, "010", "line", 900, -0.08, surround=0.9, retention=0.2, iou=0.1, iou_otsu=0.0)
        >>> visible_look(line)
        'darker line'
    """
    if measurement.shape == "dot":
        return "dots"
    if not abs(measurement.grey) >= SAME_GREY:  # unknown where the frame has no surround
        return "same grey"
    return f"{'lighter' if measurement.grey > 0 else 'darker'} {measurement.shape}"


def by_visible_look(measurements: Sequence[DefectMeasurement]) -> list[DefectMeasurement]:
    """The same measurements, with their look in the place of their defect type.

    Args:
        measurements: of :func:`adkit.diagnose.failure_modes.measure_defects`.
    """
    return [replace(measurement, kind=visible_look(measurement)) for measurement in measurements]
