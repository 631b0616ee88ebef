"""The three parts of a set, and what else was found."""

import hashlib
from dataclasses import dataclass

from adkit.data.dataset import AnomalyDataset
from adkit.data.found import Found


@dataclass(frozen=True)
class Splits:
    """Three parts of a set that share no source: ``train`` and ``validation`` hold normals only.

    Args:
        train: normals to learn from.
        validation: normals for thresholds and every other choice.
        test: normals and anomalous images; nothing is chosen by them.
        name: of the set.
        unlabelled: images whose labels the set withholds (their ``label`` is None); None: there are none.
        found: what was found on disk, and what of it is not used; None for sets that are generated.
    """

    train: AnomalyDataset
    validation: AnomalyDataset
    test: AnomalyDataset
    name: str
    unlabelled: AnomalyDataset | None = None
    found: Found | None = None

    def __repr__(self) -> str:
        layout = f", layout {self.found.layout}" if self.found else ""
        parts = ((part, getattr(self, part)) for part in ("train", "validation", "test", "unlabelled"))
        lines = [f"  {part + ':':<12} {dataset!r}" for part, dataset in parts if dataset is not None]
        return "\n".join([f"Splits({self.name}{layout})", *lines])

    @property
    def fingerprint(self) -> str:
        """Hash of all three parts' images and settings."""
        parts = "".join(part.fingerprint for part in (self.train, self.validation, self.test))
        return hashlib.sha256(f"{self.name}{parts}".encode()).hexdigest()
