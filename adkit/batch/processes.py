"""End a process with all that it started: a Jupyter kernel leaves its parent's process group, so groups do not do."""

import os
import signal
import subprocess
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

GRACE = 2.0  # seconds to end by itself
LOOK = 0.5  # seconds between two looks at the parent
ORPHANED = 5  # exit status of a process that ended with its parent


def kill_tree(process: subprocess.Popen) -> None:
    """End a process, its group and its descendants: by asking, and after two seconds by force.

    Args:
        process: started in a session of its own.
    """
    family = [process.pid, *descendants(process.pid)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(OSError):
            os.killpg(process.pid, number)
        for pid in family:
            with suppress(OSError):
                os.kill(pid, number)
        deadline = time.monotonic() + GRACE
        while any(map(lives, family)) and time.monotonic() < deadline:
            process.poll()
            time.sleep(0.05)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)


def die_with(parent: int) -> None:
    """From now on, end this process with all that it started once its parent is gone, however that ended.

    Args:
        parent: number of the parent, as this process found it when it began.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    kill_descendants(os.getpid())
    os._exit(ORPHANED)


def kill_descendants(pid: int) -> None:
    """End all that a process started, at once.

    Args:
        pid: of the process, which itself is left alone.
    """
    for child in descendants(pid):
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Numbers of the processes that a process started, and of those that they started.

    Args:
        pid: of the process.
    """
    children = defaultdict(list)
    for child, parent in _parents():
        children[parent].append(child)
    found, waiting = [], [pid]
    while waiting:
        young = children[waiting.pop()]
        found += young
        waiting += young
    return found


def _parents() -> list[tuple[int, int]]:
    """(process, its parent) of all processes of this machine."""
    if Path("/proc/self/stat").exists():
        pairs = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError, IndexError):
                # the name in brackets may hold spaces and brackets
                pairs.append((int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])))
        return pairs
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
    return [(int(words[0]), int(words[1])) for line in listed.splitlines() if len(words := line.split()) == 2]


def lives(pid: int) -> bool:
    """Whether a process runs; one that is over and waits for its parent to notice does not.

    Args:
        pid: of the process.
    """
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
