"""Screening in two stages: a detector that has seen normal images only flags, a classifier names what is flagged."""

from adkit.screening.classifier import TypeClassifier as TypeClassifier
from adkit.screening.classifier import load_classifier as load_classifier
from adkit.screening.classifier import seen_by as seen_by
from adkit.screening.contamination import contamination as contamination
from adkit.screening.contamination import plot_mixes as plot_mixes
from adkit.screening.kept import fitted_classifier as fitted_classifier
from adkit.screening.kept import fitted_detector as fitted_detector
from adkit.screening.measures import confusion_matrix as confusion_matrix
from adkit.screening.measures import left_out as left_out
from adkit.screening.measures import share_interval as share_interval
from adkit.screening.measures import stage_table as stage_table
from adkit.screening.stages import Screened as Screened
from adkit.screening.stages import Screening as Screening
from adkit.screening.stages import Verdict as Verdict
