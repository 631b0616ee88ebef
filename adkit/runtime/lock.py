"""A lock between processes, of this machine or of several that share a disk: one works, the others wait for it.

The lock of ``path`` is the file ``path.lockN`` with the highest number N. Its owner touches it every few seconds. An
owner that is gone is overtaken by the next number, and of all that try, only one can make that file.
"""

import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

HEARTBEAT = 10.0  # seconds between two signs of life of an owner
STALE_AFTER = 120.0  # seconds without one; network disks may show a file's time a minute late
POLL = 0.2  # seconds between two looks of a process that waits


@contextmanager
def locked(path: Path, stale_after: float = STALE_AFTER) -> Iterator[bool]:
    """Hold the lock of a path while the body runs; wait, and say so on standard error, while another process holds it.

    The lock of a process that was killed is overtaken: at once where it ran on this machine, after ``stale_after``
    seconds without a sign of life where it ran on another one.

    Args:
        path: what the lock stands for; it need not exist, and the lock lies beside it.
        stale_after: seconds, several times ``HEARTBEAT``.

    Yields:
        True; False where no lock file can be made, so that another process may be at work on the same.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "result"
        >>> with locked(path) as alone:
        ...     alone, [file.name for file in path.parent.iterdir()]
        (True, ['result.lock0'])
        >>> list(path.parent.iterdir())
        []
    """
    lock = _acquire(path, stale_after)
    if lock is None:
        yield False
        return
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(lock, over), daemon=True)
    beating.start()
    try:
        yield True
    finally:
        over.set()
        beating.join()
        # lower numbers first: nobody sees the lock free before the last is gone
        for file in sorted(_lock_files(path), key=_number):
            if _number(file) <= _number(lock):
                file.unlink(missing_ok=True)


def lock_owner(path: Path, stale_after: float = STALE_AFTER) -> dict:
    """Who is at work on a path: ``pid`` and ``host``; empty where nobody is.

    Args:
        path: what the lock stands for.
        stale_after: seconds without a sign of life after which an owner on another machine counts as gone; the clock is
            that of this machine.
    """
    for lock in sorted(_lock_files(path), key=_number, reverse=True)[:1]:
        with suppress(OSError):
            owner, quiet = _owner(lock), time.time() - lock.stat().st_mtime
            gone = owner.get("host") == this_machine() and not is_running(owner["pid"])
            return {} if gone or quiet > stale_after else owner or {"pid": None, "host": "unknown"}
    return {}


def _acquire(path: Path, stale_after: float) -> Path | None:
    """The lock file that this process now owns; None where none can be made."""
    watch = _Watch(path, stale_after)
    while True:
        newest = max(_lock_files(path), key=_number, default=None)
        if newest is not None and not watch.is_stale(newest):
            time.sleep(POLL)
            continue
        lock = path.with_name(f"{path.name}.lock{0 if newest is None else _number(newest) + 1}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(lock)
        except FileExistsError:  # another process was faster
            continue
        except OSError:
            return None
        if newest is None or newest.exists():
            return lock
        # while this process looked away, another one overtook the stale lock, did its work and gave it back
        lock.unlink(missing_ok=True)


def _make(lock: Path) -> None:
    """Make the file with its owner's name in it.

    Raises:
        FileExistsError: if it is there already.
    """
    handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"pid": os.getpid(), "host": this_machine()}, file)


class _Watch:
    """What a process that waits has seen of the owner of a lock."""

    def __init__(self, path: Path, stale_after: float):
        self.path, self.stale_after = path, stale_after
        self.last_sign: tuple[Path, int] | None = None
        self.seen_at = time.monotonic()
        self.told: list[dict] = []

    def is_stale(self, lock: Path) -> bool:
        try:
            sign, owner = (lock, lock.stat().st_mtime_ns), _owner(lock)
        except FileNotFoundError:  # given back just now
            return False
        # two machines' clocks differ: that the file's time changes is a sign of life, which time it is is none
        if sign != self.last_sign:
            self.last_sign, self.seen_at = sign, time.monotonic()
        killed_here = owner.get("host") == this_machine() and not is_running(owner["pid"])
        if killed_here or time.monotonic() - self.seen_at > self.stale_after:
            self._tell(owner, "{} is gone; going on with {}")
            return True
        self._tell(owner, "waiting for {}, which is at work on {}")
        return False

    def _tell(self, owner: dict, text: str) -> None:
        """Say something of an owner, once."""
        if owner and (note := owner | {"text": text}) not in self.told:
            self.told.append(note)
            name = f"process {owner['pid']} on {owner['host'].split()[0]}"
            print(text.format(name, f"{self.path.parent.name}/{self.path.name}"), file=sys.stderr, flush=True)


def _beat(lock: Path, over: threading.Event) -> None:
    """Touch the lock until the work is over."""
    while not over.wait(HEARTBEAT):
        with suppress(OSError):  # a disk that is away for a moment
            os.utime(lock)


def _lock_files(path: Path) -> list[Path]:
    return [file for file in path.parent.glob(f"{escape(path.name)}.lock*") if file.suffix[len(".lock") :].isdigit()]


def _number(lock: Path) -> int:
    return int(lock.suffix[len(".lock") :])


def _owner(lock: Path) -> dict:
    """Who made the lock; empty where that is not yet written."""
    try:
        return json.loads(lock.read_text(encoding="utf-8"))
    except ValueError:
        return {}


def this_machine() -> str:
    """This machine; in a container, whose process numbers are its own, this container."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return f"{platform.node() or 'localhost'} {space}"


def is_running(pid: int) -> bool:
    """Whether a process of this machine lives; True where that cannot be asked, and its heartbeat must tell."""
    if os.name == "nt":  # os.kill would end it there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    return True
