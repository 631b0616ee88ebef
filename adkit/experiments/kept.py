"""What is kept under ``ADKIT_HOME``: listed, and removed where that is asked."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adkit.experiments.cache import CHECKPOINT, RESULT
from adkit.runtime import home
from adkit.runtime.lock import lock_owner

ENTRY = re.compile(r"([0-9a-f]{20})(\.unfinished|\.[a-z0-9_]{8})?")  # an address, and what its work has so far


@dataclass(frozen=True)
class Kept:
    """One folder of the cache.

    Attributes:
        folder: where it lies.
        kind: of the entry, such as ``results``.
        state: ``finished``, ``unfinished`` (a killed run that can go on), ``running``, or ``damaged``.
        what: the experiment in words; empty where nothing tells it.
        when: time of the last change, seconds since 1970.
        size: bytes on disk; files that several entries share count in each.
    """

    folder: Path
    kind: str
    state: str
    what: str
    when: float
    size: int

    @property
    def address(self) -> str:
        """The 20 letters that name it."""
        return self.folder.name[:20]

    def __str__(self) -> str:
        day = datetime.fromtimestamp(self.when).strftime("%Y-%m-%d %H:%M")
        return f"{self.kind:<10} {self.address}  {self.state:<10}  {day}  {readable_size(self.size):>9}  {self.what}"


def list_kept(root: Path | None = None) -> list[Kept]:
    """All that the cache holds, the oldest first.

    Args:
        root: the folder that keeps runs; None: ``ADKIT_HOME``.
    """
    root = root or home()
    return sorted((_look(folder) for folder in _entries(root)), key=lambda kept: kept.when)


def remove_kept(chosen: Sequence[Kept]) -> list[Kept]:
    """Remove entries, but for those on which a process is at work.

    Args:
        chosen: some of :func:`list_kept`.

    Returns:
        Those that were removed.
    """
    removed = []
    for kept in chosen:
        if _look(kept.folder).state != "running":
            shutil.rmtree(kept.folder)
            removed.append(kept)
    return removed


def readable_size(size: int) -> str:
    """Bytes as a person says them.

    Example:
        >>> readable_size(900), readable_size(1_500_000)
        ('0.9 kB', '1.5 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"


def _entries(root: Path) -> Iterator[Path]:
    for kind in sorted(path for path in root.iterdir() if path.is_dir()):
        yield from (path for path in kind.iterdir() if path.is_dir() and ENTRY.fullmatch(path.name))


def _look(folder: Path) -> Kept:
    content: dict = {}
    with suppress(OSError, ValueError):
        content = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    finished = ENTRY.fullmatch(folder.name).group(2) is None
    state = "finished" if content else "damaged"
    if not finished:
        state = "unfinished"
        if lock_owner(folder.with_name(folder.name[:20])):
            state = "running"
    sizes, times = [], [folder.stat().st_mtime]
    for file in folder.rglob("*"):
        with suppress(OSError):
            if file.is_file():
                sizes.append(file.stat().st_size)
                times.append(file.stat().st_mtime)
    return Kept(folder, folder.parent.name, state, _in_words(content, folder), max(times), sum(sizes))


def _in_words(content: dict, folder: Path) -> str:
    """What an entry is about: method, data, seed; of work that is not finished, how far it is."""
    described = content.get("experiment")
    if isinstance(described, dict):
        data = [described.get("dataset"), described.get("category")]
        names = [str(described.get("method")), *(str(name) for name in data if name)]
        return ", ".join([*names, f"seed {described.get('seed')}"])
    return "has a checkpoint" if (folder / CHECKPOINT).exists() else ""
