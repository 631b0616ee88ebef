"""How reconstructions fail: what is measured at each defect, the verdict that follows by rules, and a case of each.

>>> verdict(surround=0.4, retention=0.9, iou=0.0), verdict(surround=0.8, retention=0.9, iou=0.0)
('inverted', 'segmentation missed')
"""

from adkit.diagnose.failure_modes.cases import CASE_RULES, Case, choose_cases, view_cases
from adkit.diagnose.failure_modes.classify import VERDICTS, TypeVerdict, VerdictLimits, type_verdicts, verdict
from adkit.diagnose.failure_modes.measurements import (
    DefectMeasurement,
    DefectView,
    measure_defect,
    measure_defects,
    shape_of,
    surround,
    surround_auroc,
    view_defect,
)

__all__ = [
    "CASE_RULES",
    "VERDICTS",
    "Case",
    "DefectMeasurement",
    "DefectView",
    "TypeVerdict",
    "VerdictLimits",
    "choose_cases",
    "measure_defect",
    "measure_defects",
    "shape_of",
    "surround",
    "surround_auroc",
    "type_verdicts",
    "verdict",
    "view_cases",
    "view_defect",
]
