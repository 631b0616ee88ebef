"""Files that appear whole or not at all, also where a process is killed, the power fails or the disk is full.

What is written gets a temporary name beside its place first. That name tells which process of which machine writes it,
so that the next one can clear away what a killed one left.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from adkit.runtime.lock import is_running, this_machine

# what a disk says that takes no more: full, over quota, read-only, closed to us
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
FULL = 2**20  # bytes; with fewer left, a write that failed failed for want of room


@contextmanager
def atomic_path(path: str | os.PathLike, durable: bool = True) -> Iterator[Path]:
    """Give a temporary name beside ``path`` and rename it at the end, so that no reader ever sees half a file.

    Args:
        path: of the file; folders above it are made.
        durable: bring it to the disk before it gets its name, so that a power cut leaves the old file or the new one,
            and clear away what killed processes left of it; False for many files that are easily made again.

    Raises:
        OSError: if the disk is full or closed to us; the message says so, and what is there stays as it was.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> with atomic_path(folder / "note.txt") as temporary:
        ...     _ = temporary.write_text("whole or not at all")
        >>> [file.name for file in folder.iterdir()]
        ['note.txt']
    """
    path = Path(path)
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if durable:
            clear_leftovers(path)
        handle, name = tempfile.mkstemp(prefix=temporary_prefix(path.stem), suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            os.chmod(temporary, 0o644)
            if durable:
                flush_to_disk(temporary)
            os.replace(temporary, path)
            if durable:
                flush_to_disk(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Make an error of a full or closed disk say so, whatever the library that wrote made of it.

    Args:
        path: what the body writes.

    Raises:
        OSError: in the place of such an error.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        number = error.errno if isinstance(error, OSError) else None
        # no file or folder there, or a name too long, is none of a disk's troubles, full or not
        if number in (None, errno.EIO) and _is_full(path):
            number = errno.ENOSPC
        if number not in REFUSALS:
            raise
        raise OSError(
            number,
            f"{os.strerror(number)}: cannot write {path}; what was there before is whole. Free some space or choose a "
            "folder that can be written to (ADKIT_HOME names the one for results that are kept), and run again",
        ) from error


def _is_full(path: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(next(folder for folder in path.absolute().parents if folder.is_dir())).free < FULL
    return False


def flush_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; where a system cannot do that, go on.

    Args:
        path: a file or a folder.
    """
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def temporary_prefix(name: str) -> str:
    """How the temporary names of this process begin.

    Args:
        name: of what is written.
    """
    return f"{_prefix(name)}{os.getpid()}-"


def clear_leftovers(path: Path) -> None:
    """Remove what processes of this machine that are gone were writing when they were killed.

    Args:
        path: that they were writing to.
    """
    prefix = _prefix(path.stem)
    with suppress(OSError):
        names = [entry.name for entry in os.scandir(path.parent) if entry.name.startswith(prefix)]
        for name in names:
            pid = name.removeprefix(prefix).partition("-")[0]
            if pid.isdigit() and not is_running(int(pid)):
                leftover = path.with_name(name)
                shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def clear_folder(folder: Path) -> None:
    """As :func:`clear_leftovers`, of everything in a folder and below it, in one pass.

    Args:
        folder: that many files were being written to.
    """
    machine = _prefix("").lstrip(".")  # -machine-
    for leftover in [path for path in folder.rglob(".*") if machine in path.name]:
        pid = leftover.name.rpartition(machine)[2].partition("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def _prefix(name: str) -> str:
    """Hidden; the machine is in it, for its process numbers say nothing on another one."""
    name = name if len(name.encode()) <= 150 else name[:37]  # a file system takes 255 bytes in all
    return f".{name}-{hashlib.sha256(this_machine().encode()).hexdigest()[:6]}-"
