"""What is kept on disk: strict JSON, and folders that hold a trained thing, ``weights.safetensors`` and a readable JSON
file; no pickle, no code.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from adkit.runtime.environment import atomic_path

if TYPE_CHECKING:  # torch is slow to import, and a small inspection box has none
    from torch import Tensor

WEIGHTS = "weights.safetensors"


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


def write_folder(path: str | Path, kind: str, description: Mapping, tensors: Mapping[str, "Tensor"]) -> Path:
    """Write a folder, which appears whole or not at all; one of the same kind that is there is replaced.

    Args:
        path: the folder; folders above it are made.
        kind: what it holds, such as ``detector``: the JSON file is named after it.
        description: strict JSON.
        tensors: name → tensor, on any device.

    Raises:
        FileExistsError: if the path is taken by something else.
    """
    from safetensors.torch import save_file

    path = Path(path)
    if path.exists() and not (path / f"{kind}.json").exists():
        raise FileExistsError(f"{path} exists and is no saved {kind}; choose another path")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as temporary:
        folder = Path(temporary) / "new"
        folder.mkdir()
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, folder / WEIGHTS)
        # safetensors writes it for its owner alone, and a service runs as somebody else
        (folder / WEIGHTS).chmod(0o644)
        (folder / f"{kind}.json").write_text(json.dumps(description, indent=2, allow_nan=False) + "\n")
        if path.exists():
            path.rename(Path(temporary) / "old")
        folder.rename(path)
    return path


def read_folder(path: str | Path, kind: str) -> "tuple[dict, dict[str, Tensor]]":
    """The description and the tensors (on the CPU) of a folder that :func:`write_folder` wrote.

    Args:
        path: the folder.
        kind: what it holds, such as ``detector``; the JSON file is named after it.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is damaged.
    """
    from safetensors.torch import load_file

    path = Path(path)
    if not (path / f"{kind}.json").exists():
        raise FileNotFoundError(f"no saved {kind} at {path}: expected a folder with {kind}.json, as save(path) writes")
    try:
        # copies: memory that a file is mapped to starts at any byte, and some processors then add in another order
        tensors = {name: value.clone() for name, value in load_file(path / WEIGHTS).items()}
        return json.loads((path / f"{kind}.json").read_text()), tensors
    except (ValueError, SafetensorError, FileNotFoundError) as error:
        raise ValueError(f"the {kind} at {path} is damaged ({error}); save it again") from error
