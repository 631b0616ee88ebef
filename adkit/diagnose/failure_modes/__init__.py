"""How reconstructions fail: what is measured at each defect, the verdict that follows by rules, and a case of each.

>>> verdict(ring=0.4, let_through=0.9, iou=0.0), verdict(ring=0.8, let_through=0.9, iou=0.0)
('inverted', 'lost in the mask')
"""

from adkit.diagnose.failure_modes.cases import SPECS, Case, choose_cases
from adkit.diagnose.failure_modes.classify import VERDICTS, Finding, Limits, findings, verdict
from adkit.diagnose.failure_modes.measurements import Look, examine, look_at, ring, ring_auroc, shape_of

__all__ = [
    "SPECS",
    "VERDICTS",
    "Case",
    "Finding",
    "Limits",
    "Look",
    "choose_cases",
    "examine",
    "findings",
    "look_at",
    "ring",
    "ring_auroc",
    "shape_of",
    "verdict",
]
