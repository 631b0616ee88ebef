"""What is kept on disk: strict JSON, and folders that hold a trained thing, ``weights.safetensors`` and a readable JSON
file; no pickle, no code.

The JSON file has a checksum of the weights and one of itself. A folder that is saved over changes in one moment: the
new weights are laid beside the old ones under a name from their checksum, the JSON file is replaced, and then they take
the old ones' name. Whoever reads takes the weights that the JSON file means.
"""

import hashlib
import json
import re
import tempfile
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adkit.runtime.atomic import atomic_path, clear_leftovers, flush_to_disk, temporary_prefix, told
from adkit.runtime.lock import locked

if TYPE_CHECKING:  # torch is slow to import, and a small inspection box has none
    from torch import Tensor

WEIGHTS = "weights.safetensors"
CHECKSUMS = "checksums"
ATTEMPTS = 5  # at reading a folder that another process is saving over


def write_json(path: str | Path, content: object) -> None:
    """Write plain data as strict JSON, whole or not at all; folders above the file are made.

    Args:
        path: of the file; one that is there is replaced.
        content: dicts, lists, texts, finite numbers, bools and None.

    Raises:
        TypeError: if the content is no plain data.
        ValueError: if it holds NaN or an infinity, which JSON does not know.
    """
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class Saved(NamedTuple):
    """What a folder holds.

    Attributes:
        description: content of its JSON file, without the checksums.
        tensors: name → tensor, on the CPU.
        problem: what its checksums say against it, in words; empty where they are right, None where it has none.
    """

    description: dict
    tensors: "dict[str, Tensor]"
    problem: str | None


def write_folder(path: str | Path, kind: str, description: Mapping, tensors: Mapping[str, "Tensor"]) -> Path:
    """Write a folder, which appears whole or not at all; one of the same kind that is there is replaced in one moment.

    Args:
        path: the folder; folders above it are made.
        kind: what it holds, such as ``detector``: the JSON file is named after it.
        description: strict JSON.
        tensors: name → tensor, on any device.

    Raises:
        FileExistsError: if the path is taken by something else.
        OSError: if the disk is full or closed to us; what is there stays as it was.
    """
    path, name = Path(path), f"{kind}.json"
    if (path.exists() or path.is_symlink()) and not (path / name).is_file():
        raise FileExistsError(f"{path} exists and is no saved {kind}; choose another path")
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(path.with_name(f"{path.name}.folder"))
        with tempfile.TemporaryDirectory(prefix=temporary_prefix(path.name), dir=path.parent) as temporary:
            new = Path(temporary) / "new"
            new.mkdir()
            _write_files(new, name, description, tensors)
            if not path.exists():
                try:
                    new.rename(path)
                    flush_to_disk(path.parent)
                    return path
                except OSError:  # another process saved there in the meantime
                    if not (path / name).is_file():
                        raise
            with locked(path):
                _replace_files(new, path, name)
    return path


def _write_files(folder: Path, name: str, description: Mapping, tensors: Mapping[str, "Tensor"]) -> None:
    from safetensors.torch import save_file

    save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, folder / WEIGHTS)
    # safetensors writes it for its owner alone, and a service runs as somebody else
    (folder / WEIGHTS).chmod(0o644)
    with (folder / WEIGHTS).open("rb") as file:
        weights = hashlib.file_digest(file, "sha256").hexdigest()
    content = {**description, CHECKSUMS: {"weights": weights, "description": description_hash(description)}}
    (folder / name).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    for file in folder.iterdir():
        flush_to_disk(file)


def _replace_files(new: Path, path: Path, name: str) -> None:
    """Put new files in the place of those of a folder; killed at any moment, it leaves the old ones or the new ones."""
    checksum = json.loads((new / name).read_text(encoding="utf-8"))[CHECKSUMS]["weights"]
    waiting = path / _waiting_name(checksum)
    (new / WEIGHTS).replace(waiting)
    flush_to_disk(path)
    (new / name).replace(path / name)
    flush_to_disk(path)
    waiting.replace(path / WEIGHTS)
    for left in path.glob(_waiting_name("*")):  # by processes that were killed
        left.unlink()


def _waiting_name(checksum: str) -> str:
    """Name of weights that wait for that of the old ones."""
    return f"weights-{checksum[:16]}.safetensors"


def read_folder(path: str | Path, kind: str, verify: bool = True) -> "tuple[dict, dict[str, Tensor]]":
    """The description and the tensors (on the CPU) of a folder that :func:`write_folder` wrote.

    Args:
        path: the folder.
        kind: what it holds, such as ``detector``; the JSON file is named after it.
        verify: refuse what was changed since it was saved.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is damaged or was changed.

    Warns:
        UserWarning: if it has no checksums, as older versions wrote none.
    """
    saved = read_saved(path, kind)
    if verify and saved.problem:
        raise ValueError(saved.problem)
    return saved.description, saved.tensors


def read_saved(path: str | Path, kind: str) -> Saved:
    """The content of a folder that :func:`write_folder` wrote, and what its checksums say of it.

    Args:
        path: the folder.
        kind: what it holds, such as ``detector``; the JSON file is named after it.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is damaged.

    Warns:
        UserWarning: if it has no checksums, as older versions wrote none.
    """
    path = Path(path)
    described = path / f"{kind}.json"
    if not described.exists():
        raise FileNotFoundError(f"no saved {kind} at {path}: expected a folder with {kind}.json, as save(path) writes")
    for _ in range(ATTEMPTS):
        text, found = _read_bytes(described, path, kind), None
        with suppress(ValueError):
            found = _parsed(path, kind, text)
        # another process may have saved over it between our two looks
        if (found is not None and not found.problem) or _read_bytes(described, path, kind) == text:
            break
        time.sleep(0.05)
    found = found or _parsed(path, kind, text)
    if found.problem is None:
        warnings.warn(
            f"the {kind} at {path} has no checksums, as an older version saved it: nothing tells whether it was "
            "changed; save it again to give it some",
            stacklevel=3,
        )
    return found


def _parsed(path: Path, kind: str, text: bytes) -> Saved:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        description = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
        if not isinstance(description, dict):
            raise ValueError(f"{kind}.json must hold an object, got a {type(description).__name__}")
        sums = description.pop(CHECKSUMS, None)
        weights = _read_weights(path, sums)
        # copies: memory that a file is mapped to starts at any byte, and some processors then add in another order
        tensors = {name: value.clone() for name, value in load(weights).items()}
    except (ValueError, SafetensorError, OSError, RecursionError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"the {kind} at {path} is damaged ({error}); save it again") from error
    if sums is None:
        return Saved(description, tensors, None)
    right = {WEIGHTS: hashlib.sha256(weights).hexdigest() == sums["weights"]}
    right[f"{kind}.json"] = description_hash(description) == sums.get("description")
    changed = [name for name, is_right in right.items() if not is_right]
    return Saved(description, tensors, _complaint(path, kind, changed) if changed else "")


def _read_weights(path: Path, sums: object) -> bytes:
    """The weights that a JSON file means: those of its checksum, also where they wait for their name."""
    if sums is not None:
        checksum = sums.get("weights") if isinstance(sums, dict) else None
        if not (isinstance(checksum, str) and re.fullmatch("[0-9a-f]{64}", checksum)):
            raise ValueError(f"its {CHECKSUMS} are no checksums: {sums!r}")
        with suppress(FileNotFoundError):
            return (path / _waiting_name(checksum)).read_bytes()
    return (path / WEIGHTS).read_bytes()


def _complaint(path: Path, kind: str, changed: list[str]) -> str:
    return (
        f"the {kind} at {path} is not what was saved: {' and '.join(changed)} changed since then, by a hand or by a "
        "damaged disk (the checksum differs). Save it again from where it was trained. Thresholds are changed by "
        "calibrate or by a policy, settings by with_settings, and then saved. verify=False loads it as it is"
    )


def description_hash(description: Mapping) -> str:
    """SHA-256 of plain data, whatever the order of its names and the layout of its file.

    Args:
        description: strict JSON.

    Example:
        >>> description_hash({"a": 1, "b": 2}) == description_hash({"b": 2, "a": 1})
        True
    """
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def tensors_hash(tensors: "Mapping[str, Tensor]") -> str:
    """SHA-256 of tensors, with their names, types and shapes.

    Args:
        tensors: name → tensor, on any device.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.view(-1).numpy().tobytes() if value.numel() else b"")
    return digest.hexdigest()


def _read_bytes(file: Path, path: Path, kind: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"the {kind} at {path} is damaged ({error}); save it again") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is no number")
