"""What a folder with a model says of itself, and what a model says of an image; whoever judges starts from here."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from adkit.scoring.policy import Policy
from adkit.scoring.thresholds import Threshold

ONNX_FILE, EXPORT_FILE = "model.onnx", "export.json"


class Raw(NamedTuple):
    """What a model says of one image.

    Attributes:
        score: of the image.
        anomaly_map: (H, W) float32 at the image's own size.
        foreground: bool (H, W); None: everywhere.
    """

    score: float
    anomaly_map: np.ndarray
    foreground: np.ndarray | None = None


def read_description(folder: str | Path) -> dict:
    """What ``detector.json`` of a folder says; raises a FileNotFoundError or a ValueError."""
    path = Path(folder) / "detector.json"
    if not path.is_file():
        raise FileNotFoundError(f"no saved detector at {folder}: expected a folder with detector.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); save the detector again") from error


def file_sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def own_policy(description: dict, sha256: str) -> Policy:
    """The policy of a description's own thresholds.

    Args:
        description: of :func:`read_description`.
        sha256: hash of the weights, which the origin keeps.
    """
    standing = SimpleNamespace(
        image_threshold=Threshold(**description["image_threshold"]),
        pixel_threshold=description["pixel_threshold"],
        settings=SimpleNamespace(**description["settings"]),
    )
    policy = Policy.of(standing)
    return Policy.from_dict(policy.as_dict() | {"origin": policy.origin | {"detector": sha256}})
