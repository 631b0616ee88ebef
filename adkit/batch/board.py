"""What a person sees of a batch: a line for each job that is over, and how the rest stands."""

import sys
import time
from collections.abc import Callable

from adkit.batch.jobs import SKIPPED, Done
from adkit.runtime.progress import duration

EVERY = 60.0  # seconds without a job's end after which the state is told all the same


class Board:
    """Tells of each job that is over; plain lines, which read the same in a terminal and in a log.

    Args:
        total: number of jobs.
        workers: how many run at a time; None: unknown.
        quiet: tell nothing.
    """

    def __init__(self, total: int, workers: int | None = None, quiet: bool = False):
        self.total, self.workers, self.quiet = total, workers, quiet
        self.done: list[Done] = []
        self.told = time.monotonic()
        if total:
            self._say(f"{total} jobs" + (f", {workers} at a time" if workers else ""))

    def over(self, done: Done, running: int) -> None:
        """A job is over.

        Args:
            done: that one.
            running: number of jobs that run.
        """
        self.done.append(done)
        place = f"  on {done.host}" + (f", GPU {done.gpus}" if done.gpus else "") if done.host else ""
        error = f"  {done.error}" if done.error else ""
        mark = f"[{len(self.done)}/{self.total}] {done.status:<7}"
        self._say(f"{mark} {done.name}  {duration(done.seconds)}{place}{error}  ({self.state(running)})")

    def again(self, done: Done) -> None:
        """A job is begun again.

        Args:
            done: how its last attempt ended.
        """
        self._say(f"again   {done.name}  {done.error}")

    def tick(self, running: int, workers: Callable[[], int | None] = lambda: None) -> None:
        """Time has passed: tell the state if nothing was told for long.

        Args:
            running: number of jobs that run.
            workers: tells how many there are, None where that is unknown; asked only when there is something to tell.
        """
        if time.monotonic() - self.told > EVERY:
            nobody = "; no worker is there: waiting for one" if workers() == 0 else ""
            self._say(f"[{len(self.done)}/{self.total}] {self.state(running)}{nobody}")

    def state(self, running: int) -> str:
        """Running, failed, and the time that is left.

        Args:
            running: number of jobs that run.
        """
        left = self.total - len(self.done)
        failed = sum(not done.good for done in self.done)
        parts = [f"{running} running, {left - running} waiting" if left else "all over", f"{failed} failed"]
        if left and (seconds := self.seconds_left()) is not None:
            parts.append(f"about {duration(seconds)} left")
        return ", ".join(parts)

    def seconds_left(self) -> float | None:
        """Seconds until all are over, if the rest take as long as those that ran; None before any did.

        Example:
            >>> board = Board(6, workers=2, quiet=True)
            >>> board.done += [Done("a", "ok", 10.0), Done("b", "ok", 30.0), Done("c", "skipped", 0.1)]
            >>> board.seconds_left()
            30.0
        """
        left, ran = self.total - len(self.done), [done.seconds for done in self.done if done.status != SKIPPED]
        return sum(ran) / len(ran) * left / min(self.workers or 1, max(left, 1)) if ran else None

    def _say(self, text: str) -> None:
        self.told = time.monotonic()
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)
