"""One cache for everything that is kept: made once, and found under the hash of all that it depends on.

    ADKIT_HOME/<kind>/<address>/              a finished entry: the files of the work, and result.json
    ADKIT_HOME/<kind>/<address>.unfinished/   what the work has so far; what a killed process leaves for the next one
    ADKIT_HOME/<kind>/<address>.lock0         who is at work on it, see :mod:`adkit.runtime.lock`

An entry appears whole or not at all: the work is done beside it, result.json is written last, and then the folder gets
its name. So processes that work on the same entry because no lock can be had lose time, and nothing else.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from adkit.runtime import home
from adkit.runtime.atomic import told
from adkit.runtime.lock import locked
from adkit.runtime.progress import work as work_done
from adkit.runtime.provenance import versions
from adkit.runtime.serialization import write_json

LAYOUT = 2  # of an entry's folder; a part of every address, so that no version reads what another one wrote
RESULT = "result.json"
FILES = "files"  # of the entry, in result.json: their names and lengths
AT_ONCE = "at_once"  # of the entry, in result.json, where it is not 1: processes that worked side by side
CHECKPOINT = "checkpoint.pt"  # where work may keep its state; taken away when the entry is finished


@dataclass(frozen=True)
class Entry:
    """What is kept under one address.

    Attributes:
        folder: the files that the work left.
        content: what the work returned, as JSON gives it back, with ``address`` and ``machine``.
        from_cache: whether it was there already; False where this call did the work.
    """

    folder: Path
    content: dict
    from_cache: bool


@dataclass
class FetchedTime:
    """What the entries that this process found had taken when they were made: seconds by folder, 0 for those it made.

    Of two that were made side by side, each counts half of its seconds: together they took no longer.
    It is all that the cache remembers from call to call. Entries are fetched deep inside other functions (a search, a
    comparison), and a lesson that tells how long it would take without them cannot be handed each one.
    """

    seconds: dict[Path, float] = field(default_factory=dict)

    def note(self, entry: Entry) -> None:
        """Count an entry, once however often it is fetched."""
        if entry.from_cache:
            seconds = sum(entry.content.get("seconds", {}).values()) / entry.content.get(AT_ONCE, 1)
            self.seconds.setdefault(entry.folder, seconds)
        else:
            self.seconds[entry.folder] = 0.0

    @property
    def total(self) -> float:
        """Seconds of all entries together."""
        return sum(self.seconds.values())


fetched_time = FetchedTime()
_at_once: ContextVar[int] = ContextVar(AT_ONCE, default=1)


@contextmanager
def side_by_side(processes: int) -> Iterator[None]:
    """Within it, entries are made while as many processes as this work at once, and keep that beside their seconds."""
    token = _at_once.set(processes)
    try:
        yield
    finally:
        _at_once.reset(token)


def cached(kind: str, key: Mapping, work: Callable[[Path], Mapping], force: bool = False) -> Entry:
    """Do some work, or fetch what it left where it was done before; of processes that ask at once, one does it.

    Args:
        kind: name of the folder under ``ADKIT_HOME``, such as ``results``.
        key: all that the result depends on, as plain data.
        work: called with a folder to leave files in; files of a killed process may lie there, ``CHECKPOINT`` among
            them, so that it can go on. Returns plain data; ``seconds`` in it, name → number, tells what it took.
        force: do it even if there is a result, and replace it.

    Raises:
        TypeError: if the key or what the work returns is no plain data.

    Example:
        >>> def work(folder):
        ...     (folder / "note.txt").write_text("hard to come by")
        ...     return {"answer": 42}
        >>> entries = [cached("examples", {"question": 1}, work) for _ in range(2)]
        >>> [(entry.content["answer"], entry.from_cache) for entry in entries]
        [(42, False), (42, True)]
        >>> sorted(file.name for file in entries[0].folder.iterdir())
        ['note.txt', 'result.json']
    """
    name = address(key)
    folder = home() / kind / name

    def make(alone: bool) -> None:
        unfinished = folder.with_name(f"{name}.unfinished")
        with told(unfinished):
            folder.parent.mkdir(parents=True, exist_ok=True)
            if not alone:
                unfinished = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder.parent))
            elif force:
                shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True, exist_ok=True)
        if not _is_whole(unfinished, read_result(unfinished / RESULT, name)):
            content = {**work(unfinished), FILES: _sizes(unfinished)}
            beside = {AT_ONCE: _at_once.get()} if _at_once.get() > 1 else {}
            write_result(unfinished / RESULT, name, content | beside)
        _publish(unfinished, folder, force)

    # what lost one of its files, by a hand or by a disk, is made again
    entry = Entry(folder, *once(folder / RESULT, name, make, folder, force, lambda found: _is_whole(folder, found)))
    fetched_time.note(entry)
    work_done.note(entry.from_cache)
    return entry


def once(
    path: Path,
    name: str,
    make: Callable[[bool], None],
    lock: Path,
    force: bool = False,
    whole: Callable[[dict], bool] = lambda content: True,
) -> tuple[dict, bool]:
    """The result at a path, and whether it was there; it is made while no other process does.

    Args:
        path: of the JSON file that :func:`write_result` writes last.
        name: the address of the result.
        make: makes it; called with whether the lock is held, or could not be had.
        lock: what the lock stands for, see :func:`adkit.runtime.lock.locked`.
        force: make it even if it is there.
        whole: tells of what the file holds whether all that belongs to it is there; else it is made again.
    """

    def found() -> dict | None:
        content = None if force else read_result(path, name)
        return content if content is not None and whole(content) else None

    if (content := found()) is not None:
        return content, True
    with locked(lock) as alone:
        # another process may have made it while this one waited
        if (content := found()) is not None:
            return content, True
        make(alone)
    return read_result(path, name), False


def address(key: object) -> str:
    """The name under which a result is kept: 20 letters of the hash of all that it depends on.

    Args:
        key: plain data; the order of a dict's names does not count.

    Example:
        >>> address({"seed": 1, "width": 8}) == address({"width": 8, "seed": 1})
        True
    """
    return hashlib.sha256(json.dumps([LAYOUT, key], sort_keys=True).encode()).hexdigest()[:20]


def read_result(path: Path, name: str) -> dict | None:
    """What a result's JSON file holds; None if it is not there, damaged, or of another address."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("address") == name else None


def write_result(path: Path, name: str, content: Mapping) -> None:
    """Write a result's JSON file, whole or not at all, with its address and the versions that made it."""
    write_json(path, {**content, "address": name, "machine": versions()})


def _sizes(folder: Path) -> dict[str, int]:
    """Length of each file that the work has left, by its name in the folder."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    names = {path.relative_to(folder).as_posix(): path for path in files}
    kept = [name for name in sorted(names) if name != RESULT and not name.startswith(CHECKPOINT)]
    return {name: names[name].stat().st_size for name in kept}


def _is_whole(folder: Path, content: dict | None) -> bool:
    """Whether an entry is finished, and has all files that its work left."""
    if content is None:
        return False
    with suppress(OSError):
        return all((folder / name).stat().st_size == size for name, size in content.get(FILES, {}).items())
    return False


def _publish(unfinished: Path, folder: Path, force: bool) -> None:
    """Give finished work its name; where another process was faster, its work stays and this one's goes."""
    for path in unfinished.glob(f"{CHECKPOINT}*"):  # a method of several parts has several
        path.unlink()
    for path in unfinished.glob(".*"):  # temporary files of a process that was killed
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    finished = _is_whole(folder, read_result(folder / RESULT, folder.name))
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as temporary:
        if folder.exists() and (force or not finished):
            folder.rename(Path(temporary) / "old")
        try:
            unfinished.rename(folder)
        except OSError:
            if read_result(folder / RESULT, folder.name) is None:
                raise
            unfinished.rename(Path(temporary) / "new")
