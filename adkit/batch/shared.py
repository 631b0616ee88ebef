"""Does a worker see the caller's folder? If not, its files travel."""

import uuid
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from adkit.runtime import atomic_path
from adkit.runtime.atomic import clear_leftovers, temporary_prefix


def leave_token(folder: Path) -> str:
    """Leave a small file by which a worker knows a shared folder, and return its name; the caller takes it away.

    Those of callers that were killed before they could go, too.

    Args:
        folder: made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder / "shared")
    name = f"{temporary_prefix('shared')}{uuid.uuid4().hex}"
    (folder / name).touch()
    return name


def is_shared(folder: str | Path, token: str) -> bool:
    """Whether this process sees the caller's folder, and not another one at the same path.

    Args:
        folder: of the caller.
        token: what :func:`leave_token` returned; empty: nothing travels, the folder counts as shared.
    """
    return not token or (Path(folder) / token).is_file()


def pack(folder: Path) -> dict[str, bytes]:
    """Relative path → content of all files in a folder.

    Args:
        folder: with files and folders, no links.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def unpack(files: Mapping[str, bytes], folder: Path) -> None:
    """Write what :func:`pack` gave.

    Args:
        files: relative path → content.
        folder: where to.

    Raises:
        ValueError: if a path leads out of the folder; nothing is written then.
    """
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise ValueError(f"a file that was sent back would lie outside {folder}: {name!r}")
    for name, content in files.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(content)
