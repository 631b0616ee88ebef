"""What a notebook needs to teach: claims that its default run must keep, checked answers, and its results on disk.

Everything prints plain text or HTML, so that it reads the same live, in a saved notebook and in a batch run.
"""

import hashlib
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from adkit.course.exercises import Prediction
from adkit.course.exercises import exercise as exercise
from adkit.course.exercises import quiz as quiz
from adkit.experiments.cache import fetched_time
from adkit.runtime import fast_mode, home, resolve_device
from adkit.runtime.progress import duration
from adkit.runtime.provenance import loaded_modules, versions
from adkit.runtime.provenance import source_fingerprint as source_fingerprint
from adkit.runtime.serialization import write_json

SCOPES = ("default", "always")
WHERE = ("root", "device", "interactive", "out")  # parameters that do not change what a lesson shows


class ClaimError(AssertionError):
    """The default run does not show what the lesson says."""


@dataclass
class Lesson:
    """A lesson under way: its parameters and what it has claimed and asked so far."""

    name: str = "lesson"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "custom"  # or "default", "fast"
    out: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    claims: dict[str, dict] = field(default_factory=dict)  # by text: a cell that runs again replaces its claim
    predictions: dict[str, Prediction] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    fetched: float = field(default_factory=lambda: fetched_time.total)  # before it began


_lesson = Lesson()


def begin(name: str, parameters: Mapping[str, Any], default: bool | str, out: str | Path | None = None) -> None:
    """Start a lesson and print one line: device, threads, mode, and how long the committed default run took.

    Args:
        name: of the notebook, such as ``01_phase1_baseline``.
        parameters: of this run; ``device`` among them is resolved as `adkit.runtime.resolve_device` does.
        default: True in the default run on the textile, where claims are enforced (never in fast mode); or the
            ``digest`` of the default run's parameters, to compare these with.
        out: folder for ``results.json``; default: the notebook's name under ``ADKIT_HOME``, else ``./runs``.

    Example:
        >>> begin("toy", {"device": "cpu", "seed": 1}, default=False)  # doctest: +ELLIPSIS
        toy · ... · own parameters: claims are only reported
    """
    global _lesson
    default = digest(parameters) == default if isinstance(default, str) else default
    mode = "fast" if fast_mode() else "default" if default else "custom"
    device = resolve_device(parameters.get("device", "auto"))
    folder = Path(out).expanduser().absolute() if out is not None else None
    _lesson = Lesson(name, dict(parameters), mode, folder, device)
    kinds = {
        "fast": "fast mode: it shows that every cell runs, not what it finds",
        "default": "default run: claims are enforced",
        "custom": "own parameters: claims are only reported",
    }
    line = [name, f"{device_name(device)}, {torch.get_num_threads()} threads", kinds[mode], _noted_time(name)]
    print(" · ".join(filter(None, line)))


def digest(parameters: Mapping[str, Any]) -> str:
    """Eight letters that stand for a run's parameters, but for those that say where it runs and not what it does.

    Example:
        >>> digest({"steps": 400, "device": "cpu"}) == digest({"steps": 400, "device": "cuda"})
        True
    """
    counted = {key: value for key, value in parameters.items() if key not in WHERE}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:8]


def device_name(device: torch.device) -> str:
    """A device as a person knows it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.processor() or platform.machine()})"


def _noted_time(name: str) -> str:
    """How long the committed default run took, where its results lie beside the notebook."""
    for folder in (Path("results"), Path("notebooks/results")):
        path = folder / f"{name}.json"
        if path.is_file():
            noted = json.loads(path.read_text(encoding="utf-8"))
            kept = noted.get("fetched_seconds", 0.0)
            more = f" (and {duration(kept)} the trainings that it found on disk)" if kept >= 1 else ""
            return f"the default run took {duration(noted['seconds'])}{more} on {noted['device']['name']}"
    return ""


def claim(text: str, condition: Any, scope: str = "default", value: Any = None, limit: Any = None) -> None:
    """Say something that this run could contradict, and check it.

    Args:
        text: the sentence.
        condition: whether it holds.
        scope: ``default``: enforced in the default run, else reported; ``always``: a claim about code, enforced in any.
        value: the number behind the sentence.
        limit: what the number was compared with; value and limit give the margin, negative where the claim fails.

    Raises:
        ClaimError: if an enforced claim does not hold.
        ValueError: if the scope is unknown.

    Example:
        >>> claim("the map has the image's size", (176, 976) == (176, 976), scope="always")
        ✓ holds: the map has the image's size
        >>> claim("brightness shifts stay near chance", 0.61 < 0.65, value=0.61, limit=0.65)
        ✓ holds: brightness shifts stay near chance (0.61, limit 0.65)
    """
    if scope not in SCOPES:
        raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {scope!r}")
    holds = bool(condition)
    record = {"text": text, "holds": holds, "scope": scope, "value": None, "limit": None, "margin": None}
    record |= {key: float(number) for key, number in (("value", value), ("limit", limit)) if number is not None}
    if value is not None and limit is not None:
        record["margin"] = abs(record["value"] - record["limit"]) * (1 if holds else -1)
    _lesson.claims[text] = record
    numbers = [f"{record['value']:.4g}"] if value is not None else []
    numbers += [f"limit {record['limit']:.4g}"] if limit is not None else []
    said = text + (f" ({', '.join(numbers)})" if numbers else "")
    if not holds and (scope == "always" or _lesson.mode == "default"):
        raise ClaimError(f"does not hold: {said}. If the experiment shows otherwise, change the story, not the limit")
    print(f"✓ holds: {said}" if holds else f"✗ does not hold here: {said}")


def claim_above(text: str, value: float | None, limit: float, scope: str = "default") -> None:
    """Claim that a number lies above a limit; a number that this run could not measure (None, NaN) does not.

    Example:
        >>> claim_above("better than a coin", 0.7, 0.5)
        ✓ holds: better than a coin (0.7, limit 0.5)
    """
    claim(text, value is not None and value > limit, scope, value, limit)


def claim_below(text: str, value: float | None, limit: float, scope: str = "default") -> None:
    """Claim that a number lies below a limit; a number that this run could not measure (None, NaN) does not."""
    claim(text, value is not None and value < limit, scope, value, limit)


def predict_first(question: str, guess: Any = None) -> Prediction:
    """Note the learner's guess before the run; ``reveal(measured)`` of what comes back compares.

    Example:
        >>> guess = predict_first("Which defect type is hardest?", guess="dots")
        Which defect type is hardest? Your guess: 'dots'
        >>> guess.reveal("brightness")
        Which defect type is hardest?
        your guess  'dots'
        measured    'brightness'
        a surprise
    """
    print(f"{question} Your guess: {'none yet' if guess is None else repr(guess)}")
    _lesson.predictions[question] = Prediction(question, guess)
    return _lesson.predictions[question]


def finish(results: Mapping[str, Any]) -> Path:
    """Write ``results.json``, whole or not at all, and print how the claims went.

    Args:
        results: what the lesson measured: numbers, texts, lists, dicts, arrays, tensors, dataclasses. NaN and infinity
            become null, so that the file is strict JSON.

    Returns:
        The file's path.

    Raises:
        TypeError: if ``results`` holds something that JSON cannot.

    Example:
        >>> import tempfile
        >>> begin("toy", {}, default=False, out=Path(tempfile.mkdtemp()) / "toy")  # doctest: +ELLIPSIS
        toy · ...
        >>> path = finish({"auroc": float("nan")})  # doctest: +ELLIPSIS
        toy/results.json written: 0 claims hold, 0 do not; ...
        >>> json.loads(path.read_text())["results"]
        {'auroc': None}
    """
    seconds, sources = time.perf_counter() - _lesson.began, loaded_modules()
    written = {
        "name": _lesson.name,
        "mode": _lesson.mode,
        "parameters": plain(_lesson.parameters, "parameters"),
        "claims": plain(list(_lesson.claims.values()), "claims"),
        "predictions": plain(list(_lesson.predictions.values()), "predictions"),
        "results": plain(results, "results"),
        "seconds": round(seconds, 1),
        "fetched_seconds": round(fetched_time.total - _lesson.fetched, 1),  # of trainings that were not run again
        "device": {
            "type": _lesson.device.type,
            "name": device_name(_lesson.device),
            "threads": torch.get_num_threads(),
        },
        "versions": versions(),
        "sources": sources,
        "fingerprint": source_fingerprint(sources),
    }
    path = (_lesson.out or home() / _lesson.name) / "results.json"
    write_json(path, written)
    holding = sum(record["holds"] for record in _lesson.claims.values())
    counts = f"{holding} claims hold, {len(_lesson.claims) - holding} do not"
    print(f"{path.parent.name}/{path.name} written: {counts}; {duration(seconds)}")
    return path


def plain(value: Any, where: str) -> Any:
    """``value`` as strict JSON takes it: arrays as lists, dataclasses as dicts, NaN and infinity as None.

    Raises:
        TypeError: naming the place, if there is something else in it.

    Example:
        >>> plain({"auroc": np.float32(0.5), "by_size": (1, float("inf"))}, "results")
        {'auroc': 0.5, 'by_size': [1, None]}
    """
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        value = value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry, f"{where}.{key}") for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry, f"{where}[{number}]") for number, entry in enumerate(value)]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{where} must be numbers, text, lists, dicts, arrays or dataclasses, got a {type(value).__name__}")
