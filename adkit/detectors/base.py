"""The one interface of every method: fit on normal images, then map, score, decide, calibrate anew, save."""

import hashlib
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.defects.registry import unknown_defects_allowed
from adkit.detectors.arguments import check_dataset
from adkit.detectors.calibration import check_normal, hold_out, image_threshold, pixel_threshold
from adkit.detectors.judging import Judge
from adkit.detectors.preprocessing import Preprocessing
from adkit.detectors.settings import Settings, make_settings, signature_of, takes_settings_only
from adkit.runtime import VERSION, resolve_device
from adkit.runtime.processes import by_first, is_first, together
from adkit.runtime.serialization import description_hash, tensors_hash, write_folder
from adkit.scoring.thresholds import Threshold, percentile


class Detector(Judge):
    """Base of all methods: a subclass writes ``_fit``, ``_anomaly_map``, ``_tensors`` and ``_restore``.

    Args:
        settings: fields of the class's ``settings_class``, by name.

    Attributes:
        settings: the settings, a frozen dataclass.
        history: a row for each validation of the training; empty where nothing was trained step by step.
        preprocessing: what the training images went through.
        image_threshold, pixel_threshold: set last of all by ``fit``, and by ``calibrate``.
        normals: the validation normals that the thresholds come from: ``scores`` of the images, ``size`` of the first,
            ``fingerprint`` of all; empty before ``fit`` and where an older version saved the detector.
        checkpoint: file in which training keeps its state, to resume after a kill; None: nowhere.

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a setting is no literal, or out of its range.
    """

    settings_class: type[Settings] = Settings
    # it is made of other methods, whichever its settings name, so that the sources of all of them count
    joins_methods: bool = False
    # settings that can change after training, see with_settings
    without_training: tuple[str, ...] = (
        "percentile", "pixel_percentile", "score", "border", "surroundings", "device", "quiet",
    )  # fmt: skip

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if takes_settings_only(cls):
            cls.__signature__ = signature_of(cls.settings_class)

    def __init__(self, **settings):
        self.settings = make_settings(type(self), settings)
        self.device = resolve_device(self.settings.device)
        self.quiet: bool = self.settings.quiet
        self.checkpoint: Path | None = None
        self.preprocessing = Preprocessing()
        self.image_threshold: Threshold | None = None
        self.pixel_threshold: float | None = None
        self.history: list[dict] = []
        self.normals: dict = {}

    # -- what a method brings ------------------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        """Learn from normal images."""

    def _measure_scales(self, validation: AnomalyDataset) -> None:
        """What a method needs to know of held-out normals before its maps mean anything; most need nothing."""

    @abstractmethod
    def _tensors(self) -> dict[str, Tensor]:
        """All that was learned, by name."""

    @abstractmethod
    def _restore(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of ``_tensors``."""

    # -- fitting -------------------------------------------------------------------------------------------------------

    def fit(self, train: AnomalyDataset, validation: AnomalyDataset | None = None) -> "Detector":
        """Learn from normal images, then set both thresholds on held-out normal images.

        Several processes that were launched together (``accelerate launch``) train a network together, and all end with
        the weights and the thresholds of the first.

        Args:
            train: normal images.
            validation: held-out normal images; None holds out 20 % of the training sources, with a warning.

        Raises:
            TypeError: if a part is no dataset; the error says what to pass.
            ValueError: if an image of either part is labelled anomalous, or there is one source and no validation.

        Warns:
            UserWarning: if ``validation`` is missing or has fewer than 20 sources.
        """
        check_dataset(train, "train")
        if validation is None:
            train, validation = hold_out(train)
        check_normal(train=train, validation=validation)
        self.preprocessing = Preprocessing.of(train)
        self._fit(train, validation)
        self._calibrate(validation)
        self._agree()
        return self

    def calibrate(self, validation: AnomalyDataset) -> "Detector":
        """Set both thresholds anew from fresh normal images, in place; nothing is trained.

        A method that adds several terms up also measures the scale of each of them anew. With the images that ``fit``
        had for it, nothing changes.

        Args:
            validation: normal images that were not trained on, prepared as those of the training.

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if an image is labelled anomalous.

        Warns:
            UserWarning: if there are fewer than 20 sources.
        """
        self._require_fit()
        check_normal(validation=validation)
        self._calibrate(validation)
        return self

    def with_settings(self, **changes) -> "Detector":
        """Another detector of the same class with some settings changed, as far fitted as this one.

        What was learned is copied, and the thresholds stay as they are: where the new settings change maps or scores,
        call :meth:`calibrate` on the result. This detector stays as it is.

        Args:
            changes: settings by name. Of a fitted detector only those of ``without_training`` may change.

        Raises:
            TypeError: if a setting is unknown.
            ValueError: if a value is out of its range, or a change would need another training.
        """
        if not self.is_fitted:
            return self.fresh(**changes)
        with unknown_defects_allowed():  # no training follows
            other = self.fresh(**changes)
        self._refuse_training(other.settings, changes)
        learned = {name: value.detach().clone() for name, value in self._tensors().items()}
        return other._take_over(self.describe(), learned)

    def at_percentile(self, q: float) -> "Detector":
        """This detector with its image threshold at another percentile of its validation normals; nothing is judged.

        It needs no image: the scores of the validation normals are kept with the detector. The pixel threshold, whose
        percentile is a setting of its own, stays.

        Args:
            q: in (0, 100); 99 lets one normal image in a hundred raise a false alarm, 90 ten.

        Raises:
            RuntimeError: before ``fit``.
            ValueError: if ``q`` is out of its range, or an older version saved the detector, without the scores.

        Warns:
            UserWarning: if there are fewer than 20 scores, or the percentile falls on a tie.
        """
        self._require_fit()
        if not (scores := self.normals.get("scores")):
            raise ValueError("this detector keeps no scores of its validation normals; calibrate(validation) sets them")
        other = self.with_settings(percentile=q)
        other.image_threshold = percentile(scores, q)
        return other

    def fresh(self, **changes) -> "Detector":
        """An unfitted detector of the same class, with some settings changed.

        Args:
            changes: settings by name.

        Raises:
            TypeError: if a setting is unknown.
            ValueError: if a value is out of its range.
        """
        return type(self)(**asdict(self.settings) | changes)

    # -- on disk -------------------------------------------------------------------------------------------------------

    def describe(self) -> dict:
        """All that a fitted detector is but its tensors, as plain data; raises a RuntimeError before ``fit``."""
        self._require_fit()
        return {
            "detector": type(self).__name__,
            "settings": asdict(self.settings),
            "preprocessing": asdict(self.preprocessing),
            "image_threshold": asdict(self.image_threshold),
            "pixel_threshold": self.pixel_threshold,
            "history": self.history,
            "normals": self.normals,
            "provenance": {"adkit": VERSION, "torch": torch.__version__},
        }

    def identity(self) -> str:
        """A hash of all that the detector consists of: equal ones say the same of every image."""
        described = description_hash(self.describe())
        return hashlib.sha256(described.encode() + tensors_hash(self._tensors()).encode()).hexdigest()

    def save(self, path: str | Path) -> Path:
        """Write the detector to a folder, whole or not at all; :func:`adkit.load_detector` reads it.

        Of several processes that were launched together the first one writes, and the others wait for it.

        Args:
            path: the folder; a detector that is there is replaced.

        Raises:
            RuntimeError: before ``fit``.
            FileExistsError: if the path is taken by something else.
        """
        return by_first(lambda: write_folder(path, "detector", self.describe(), self._tensors()))

    @classmethod
    def from_saved(cls, description: dict, tensors: dict[str, Tensor], device: str = "auto") -> "Detector":
        """A detector from what ``save`` has written.

        Args:
            description: what :meth:`describe` says.
            tensors: all that was learned, by name.
            device: where to put the detector: auto, cpu, cuda, cuda:N or mps.
        """
        return cls(**description["settings"] | {"device": device})._take_over(description, tensors)

    def __repr__(self) -> str:
        defaults = self.settings_class()
        chosen = {f.name: getattr(self.settings, f.name) for f in fields(self.settings)}
        told = [f"{name}={value!r}" for name, value in chosen.items() if value != getattr(defaults, name)]
        state = "not fitted"
        if self.is_fitted:
            state = f"fitted, threshold {self.threshold:.4g}, pixel threshold {self.pixel_threshold:.4g}"
        return f"{type(self).__name__}({', '.join(told)}): {state}"

    # -- inside --------------------------------------------------------------------------------------------------------

    def _calibrate(self, validation: AnomalyDataset) -> None:
        self._measure_scales(validation)
        maps, scores = self._judge_items(validation)
        by_maximum = self.settings.score == "max"
        self.pixel_threshold = pixel_threshold(validation, maps, self.settings.pixel_percentile)
        self.image_threshold = image_threshold(validation, maps, scores, self.settings.percentile, by_maximum)
        self.normals = {
            "scores": [max(scores[i] for i in group) for group in validation.groups()],
            "size": list(validation.original_size(0)),
            "fingerprint": validation.fingerprint,
        }

    def _agree(self) -> None:
        """Of several processes, all take what the first has learned: their sums differ in the last bits."""
        if together():
            said = by_first(lambda: (self.describe(), {name: value.cpu() for name, value in self._tensors().items()}))
            if not is_first():
                self._take_over(*said)

    def _take_over(self, description: dict, tensors: dict[str, Tensor]) -> "Detector":
        """Become fitted by what ``describe`` and ``_tensors`` of a detector of this class have said."""
        self.preprocessing = Preprocessing.from_dict(description["preprocessing"])
        self.image_threshold = Threshold(**description["image_threshold"])
        self.pixel_threshold = description["pixel_threshold"]
        self.history = [dict(row) for row in description["history"]]
        self.normals = dict(description.get("normals", {}))
        self._restore(tensors)
        return self

    def _refuse_training(self, others: Settings, changed: Iterable[str]) -> None:
        """Refuse changed settings that a fitted network does not fit."""
        fixed = [name for name in changed if name not in self.without_training]
        if needing := sorted(name for name in fixed if getattr(others, name) != getattr(self.settings, name, None)):
            raise ValueError(
                f"{', '.join(needing)} cannot change without another training; fit a new {type(self).__name__}, or "
                f"change one of {', '.join(self.without_training)}"
            )
