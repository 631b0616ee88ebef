"""Who judges pixels: a detector under torch, or an exported one without it. Report, service and monitor use no other.

Judges give raw scores and maps; where to cut says a :class:`adkit.scoring.policy.Policy`.
"""

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from adkit.data.uploads import ImageRefused, Limits, decode_upload
from adkit.deploy.model_folder import ONNX_FILE, Raw, file_sha256, own_policy, read_description
from adkit.deploy.monitoring.quality import Quality, input_quality
from adkit.deploy.monitoring.reference import REFERENCE_FILE, Reference
from adkit.runtime.serialization import WEIGHTS
from adkit.scoring.policy import Policy
from adkit.scoring.suppression import Verdict, suppress


class Judge(Protocol):
    """A model that judges one image at a time.

    Attributes:
        name: of the method's class.
        platform: ``adkit_torch`` or ``adkit_onnx``.
        sha256: hash of the weights.
        channels: 1 or 3, what the images become.
        policy: its own thresholds.
        description: what ``detector.json`` says.
    """

    name: str
    platform: str
    sha256: str
    channels: int
    policy: Policy
    description: dict

    def judge(self, pixels: np.ndarray) -> Raw:
        """Judge an image as it is stored, (1 or 3, H, W), uint8 or uint16."""


class TorchJudge:
    """A saved detector of any method.

    Args:
        folder: of the detector.
        device: where it computes: auto, cpu, cuda, cuda:N or mps.
    """

    platform = "adkit_torch"

    def __init__(self, folder: str | Path, device: str = "auto"):
        from adkit.detectors.storage import load_detector

        self.detector = load_detector(folder, device)
        self.description = read_description(folder)
        self.name, self.sha256 = type(self.detector).__name__, file_sha256(Path(folder) / WEIGHTS)
        self.channels, self.policy = self.detector.preprocessing.channels, own_policy(self.description, self.sha256)

    def judge(self, pixels: np.ndarray) -> Raw:
        """Judge an image as it is stored, (1 or 3, H, W), uint8 or uint16."""
        from adkit.detectors.preprocessing import ArraySample, whole_foreground

        dataset = self.detector.preprocessing(ArraySample(pixels))
        (anomaly_map,), (score,) = self.detector.judge_images(dataset)
        return Raw(float(score), anomaly_map, whole_foreground(dataset))


def open_judge(folder: str | Path, device: str = "auto", threads: int = 1) -> Judge:
    """The judge of a folder: an exported model where there is a ``model.onnx``, else a saved detector.

    Args:
        folder: of ``detector.save`` or :func:`adkit.deploy.export_onnx`.
        device: of a saved detector.
        threads: that compute one image, of an exported model.

    Raises:
        FileNotFoundError: if there is neither.
        ValueError: if it is damaged.
        ImportError: if what it needs is not installed; the error names the extra.
    """
    if (Path(folder) / ONNX_FILE).is_file():
        from adkit.deploy.export.onnx_judge import OnnxJudge

        return OnnxJudge(folder, threads)
    return TorchJudge(folder, device)


def reference_of(folder: str | Path, description: dict) -> Reference | None:
    """What normal images looked like: of ``monitor.json``, else the scores of ``detector.json``; None: not known."""
    if (Path(folder) / REFERENCE_FILE).is_file():
        return Reference.load(folder)
    scores = description.get("normals", {}).get("scores")
    count = description["image_threshold"]["n"]
    return Reference(tuple(scores), threshold_n=count, made_from="the validation normals") if scores else None


# -- one image, from its bytes to a verdict --------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """One image, from its bytes to a verdict.

    Attributes:
        verdict: ``normal``, ``anomalous``, ``review``, or ``fault``: black, white or of one value, whatever was found.
        decision: what the policy says, whatever the camera did.
        raw: what the model says.
        quality: of the image.
        warnings: what is unusual about the image.
        pixels: (1 or 3, H, W), as they are stored.
        sha256: hash of the file.
        ms: milliseconds by stage: decode, judge.
    """

    verdict: str
    decision: Verdict
    raw: Raw
    quality: Quality
    warnings: tuple[str, ...]
    pixels: np.ndarray
    sha256: str
    ms: dict = field(default_factory=dict)


def judge_bytes(
    data: bytes,
    judge: Judge,
    policy: Policy,
    reference: Reference | None = None,
    limits: Limits | None = None,
) -> Judged:
    """Judge the bytes of an image file: what report, service and monitor all do.

    Args:
        data: of a PNG, JPEG, BMP or TIFF file.
        judge: the model.
        policy: where to cut.
        reference: what normal images look like; None: only the camera's faults are seen.
        limits: of the image; None: :class:`adkit.data.uploads.Limits` as they stand.

    Raises:
        adkit.data.uploads.ImageRefused: if the image cannot be read, or uses more bits than those of the training.
    """
    start = time.perf_counter()
    pixels = decode_upload(data, limits)
    quality = input_quality(pixels)
    decoded = time.perf_counter()
    _check_bits(pixels, judge.description.get("preprocessing", {}).get("bits"))
    raw = judge.judge(pixels)
    decision = suppress(raw, policy, raw.foreground)
    warnings = reference.warnings(quality) if reference else quality.faults
    ms = {"decode": 1000 * (decoded - start), "judge": 1000 * (time.perf_counter() - decoded)}
    verdict = "fault" if quality.faults else decision.verdict
    return Judged(verdict, decision, raw, quality, tuple(warnings), pixels, hashlib.sha256(data).hexdigest(), ms)


def _check_bits(pixels: np.ndarray, bits: int | None) -> None:
    if bits is not None and pixels.dtype == np.uint16 and pixels.max() >= 2**bits:
        raise ImageRefused(
            "unsupported_mode", f"the image holds values beyond the {bits} bits of the training images", 2**bits - 1
        )
