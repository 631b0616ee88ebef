"""How reconstructions fail: what is measured at each defect, the verdict that follows by rules, and a case of each.

>>> verdict(surround=0.4, retention=0.9, iou=0.0), verdict(surround=0.8, retention=0.9, iou=0.0)
('inverted', 'segmentation missed')
"""

from adkit.diagnose.failure_modes.cases import CASE_RULES as CASE_RULES
from adkit.diagnose.failure_modes.cases import Case as Case
from adkit.diagnose.failure_modes.cases import choose_cases as choose_cases
from adkit.diagnose.failure_modes.cases import view_cases as view_cases
from adkit.diagnose.failure_modes.classify import VERDICTS as VERDICTS
from adkit.diagnose.failure_modes.classify import TypeVerdict as TypeVerdict
from adkit.diagnose.failure_modes.classify import VerdictLimits as VerdictLimits
from adkit.diagnose.failure_modes.classify import read_verdicts as read_verdicts
from adkit.diagnose.failure_modes.classify import type_means as type_means
from adkit.diagnose.failure_modes.classify import type_verdicts as type_verdicts
from adkit.diagnose.failure_modes.classify import verdict as verdict
from adkit.diagnose.failure_modes.looks import by_visible_look as by_visible_look
from adkit.diagnose.failure_modes.looks import visible_look as visible_look
from adkit.diagnose.failure_modes.measurements import DefectMeasurement as DefectMeasurement
from adkit.diagnose.failure_modes.measurements import measure_defect as measure_defect
from adkit.diagnose.failure_modes.measurements import measure_defects as measure_defects
from adkit.diagnose.failure_modes.measurements import shape_of as shape_of
from adkit.diagnose.failure_modes.measurements import surround as surround
from adkit.diagnose.failure_modes.measurements import surround_auroc as surround_auroc
from adkit.diagnose.failure_modes.shades import Shade as Shade
from adkit.diagnose.failure_modes.shades import agreement as agreement
from adkit.diagnose.failure_modes.shades import measure_shade as measure_shade
from adkit.diagnose.failure_modes.shades import measure_shades as measure_shades
