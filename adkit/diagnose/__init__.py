"""The playbook: measurements of a detector → findings, each with its symptoms, evidence, causes and actions.

Example:
    >>> from adkit import AutoencoderDetector, load_dataset
    >>> splits = load_dataset("textile", image_size=(64, 64))
    >>> detector = AutoencoderDetector(width=4, steps=2, crop=32, quiet=True).fit(splits.train, splits.validation)
    >>> print(diagnose(detector, splits.validation))  # doctest: +ELLIPSIS
    1. the network has hardly been trained (untrained)
    ...
"""

from adkit.diagnose.diagnosis import Diagnosis as Diagnosis
from adkit.diagnose.diagnosis import Finding as Finding
from adkit.diagnose.diagnosis import diagnose as diagnose
from adkit.diagnose.plateau import plateau as plateau
from adkit.diagnose.plateau import score_watcher as score_watcher
from adkit.diagnose.readings import Limits as Limits
