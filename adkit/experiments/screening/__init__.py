"""Screening in two stages: a detector that has seen normal images only flags, a classifier names what is flagged."""

from adkit.experiments.screening.classifier import TypeClassifier as TypeClassifier
from adkit.experiments.screening.classifier import load_classifier as load_classifier
from adkit.experiments.screening.classifier import seen_by as seen_by
from adkit.experiments.screening.contamination import contamination as contamination
from adkit.experiments.screening.contamination import plot_mixes as plot_mixes
from adkit.experiments.screening.fitted import fitted_classifier as fitted_classifier
from adkit.experiments.screening.fitted import fitted_detector as fitted_detector
from adkit.experiments.screening.measures import confusion_matrix as confusion_matrix
from adkit.experiments.screening.measures import left_out as left_out
from adkit.experiments.screening.measures import share_interval as share_interval
from adkit.experiments.screening.measures import stage_gaps as stage_gaps
from adkit.experiments.screening.measures import stage_table as stage_table
from adkit.experiments.screening.stages import Screened as Screened
from adkit.experiments.screening.stages import Screening as Screening
from adkit.experiments.screening.stages import Verdict as Verdict
