"""A detector as a folder that needs no torch: its network as an ONNX graph, and all else as it was saved."""

import contextlib
import io
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from adkit.data.read import list_images
from adkit.deploy.export.onnx_judge import OnnxJudge
from adkit.deploy.export.samples import sample_files
from adkit.deploy.extras import require
from adkit.deploy.judges import TorchJudge, judge_bytes
from adkit.deploy.model_folder import EXPORT_FILE, ONNX_FILE, file_sha256
from adkit.deploy.monitoring.reference import REFERENCE_FILE
from adkit.deploy.policies import find_policy
from adkit.runtime import VERSION
from adkit.runtime.serialization import WEIGHTS, write_json
from adkit.scoring.policy import POLICY_FILE

PARITY_FILE = "parity.json"
OPSET = 17


class ParityError(ValueError):
    """The exported model says something else than the detector."""


@dataclass(frozen=True)
class Parity:
    """How far an exported model is from its detector, over all files.

    Attributes:
        files: number of files.
        map_error: largest difference of two maps, over the largest value of the detector's.
        score_error: largest difference of two scores, over the detector's.
        verdicts_equal: every file has the same verdict.
    """

    files: int
    map_error: float
    score_error: float
    verdicts_equal: bool


def export_onnx(
    detector, out: str | Path, opset: int | None = None, images: str | Path | None = None, rtol: float = 1e-5
) -> Path:
    """Write a detector as an ONNX folder, whole or not at all, once it has said the same of some files.

    The graph is the network alone; padding, tiles, smoothing and thresholds stay code, and the policy stays a file.
    It is for boxes without torch and for small memory, not for speed: on a processor it is no faster.

    Args:
        detector: fitted, or the folder of a saved one.
        out: the folder; one that an export has written is replaced.
        opset: of the graph; None: 17.
        images: a folder of files for the comparison; None: drawn ones of several sizes.
        rtol: largest difference of a map over its largest value.

    Returns:
        The folder.

    Raises:
        ImportError: if onnx or onnxruntime is not installed; it says what to install.
        adkit.deploy.export.cores.NotExportable: if the detector has no graph; it says why.
        ParityError: if the exported model says something else.
        FileExistsError: if the path is taken by something else.
    """
    for module in ("onnx", "onnxruntime"):
        require(module, "export")
    out = Path(out)
    if out.exists() and not (out / EXPORT_FILE).is_file():
        raise FileExistsError(f"{out} exists and is no exported detector; choose another path")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
        saved = Path(detector) if isinstance(detector, str | Path) else detector.save(Path(temporary) / "saved")
        new = Path(temporary) / "new"
        new.mkdir()
        judge = TorchJudge(saved, "cpu")
        _write(judge, saved, new, opset or OPSET)
        files = _files(images, judge)
        write_json(new / PARITY_FILE, asdict(check_parity(new, judge, files, rtol)))
        if out.exists():
            out.rename(Path(temporary) / "old")
        new.rename(out)
    return out


def check_parity(folder: str | Path, judge: TorchJudge, images: Sequence[bytes], rtol: float = 1e-5) -> Parity:
    """Compare an exported model with its detector, from the bytes of files to the verdict.

    Args:
        folder: of the exported model.
        judge: the detector.
        images: bytes of image files.
        rtol: largest difference of a map over its largest value, and of a score over the detector's.

    Raises:
        ParityError: if it is larger, or a verdict differs that is not within it of its threshold.
    """
    exported, policy = OnnxJudge(folder), find_policy(folder)
    map_error = score_error = 0.0
    equal = True
    for data in images:
        ours, theirs = (judge_bytes(data, one, policy) for one in (exported, judge))
        scale = max(float(np.abs(theirs.raw.anomaly_map).max()), 1e-12)
        map_error = max(map_error, float(np.abs(ours.raw.anomaly_map - theirs.raw.anomaly_map).max()) / scale)
        score = max(abs(theirs.raw.score), 1e-12)
        score_error = max(score_error, abs(ours.raw.score - theirs.raw.score) / score)
        near = abs(theirs.raw.score - policy.image_threshold) <= rtol * score
        equal = equal and (ours.decision.is_anomalous == theirs.decision.is_anomalous or near)
    parity = Parity(len(images), map_error, score_error, equal)
    if not (map_error <= rtol and score_error <= rtol and equal):
        raise ParityError(
            f"the exported model differs from the detector: map {map_error:.2g} and score {score_error:.2g} of their "
            f"largest value, at most {rtol:g} is allowed; verdicts are {'equal' if equal else 'not equal'}"
        )
    return parity


def _write(judge: TorchJudge, saved: Path, new: Path, opset: int) -> None:
    from adkit.deploy.export.cores import core_of

    module, core = core_of(judge.detector)
    _trace(module, core, judge.channels, new / ONNX_FILE, opset)
    shutil.copyfile(saved / "detector.json", new / "detector.json")
    find_policy(saved).save(new / POLICY_FILE)
    if (saved / REFERENCE_FILE).is_file():
        shutil.copyfile(saved / REFERENCE_FILE, new / REFERENCE_FILE)
    hashes = {"onnx_sha256": file_sha256(new / ONNX_FILE), "weights_sha256": file_sha256(saved / WEIGHTS)}
    write_json(new / EXPORT_FILE, {"core": asdict(core), "opset": opset, "adkit": VERSION, **hashes})


def _trace(module, core, channels: int, path: Path, opset: int) -> None:
    import torch

    from adkit.deploy.export.cores import example

    axes = {0: "batch"} if core.window else {0: "batch", 2: "height", 3: "width"}
    # the exporter by tracing: it needs no other package, and keeps the sizes free where the graph has no padding
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        torch.onnx.export(
            module, (example(core, channels),), str(path), input_names=["images"], output_names=["output"],
            dynamic_axes={"images": axes, "output": axes}, opset_version=opset, dynamo=False,
        )  # fmt: skip
    path.chmod(0o644)


def _files(images: str | Path | None, judge: TorchJudge) -> list[bytes]:
    if images is not None:
        paths = list_images(Path(images), below=True)
        if not paths:
            raise ValueError(f"no images in {images} to compare with")
        return [path.read_bytes() for path in paths]
    return sample_files(judge.description.get("normals", {}).get("size", (64, 96)), judge.channels)
