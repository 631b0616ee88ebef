"""What a person sees of a batch: a line for each job that is over, and how the rest stands."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future

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

    def over(self, done: Done, pending: Sequence[Future]) -> None:
        """A job is over.

        Args:
            done: that one.
            pending: of those that are not.
        """
        self.done.append(done)
        place = f"  on {done.host}" + (f", GPU {done.gpus}" if done.gpus else "") if done.host else ""
        error = f"  {done.error}" if done.error else ""
        mark = f"[{len(self.done)}/{self.total}] {done.status:<7}"
        self._say(f"{mark} {done.name}  {duration(done.seconds)}{place}{error}  ({self.state(pending)})")

    def again(self, done: Done) -> None:
        """A job is begun again.

        Args:
            done: how its last attempt ended.
        """
        self._say(f"again   {done.name}  {done.error}")

    def tick(self, pending: Sequence[Future]) -> None:
        """Time has passed: tell the state if nothing was told for long.

        Args:
            pending: of the jobs that are not over.
        """
        if pending and time.monotonic() - self.told > EVERY:
            self._say(f"[{len(self.done)}/{self.total}] {self.state(pending)}")

    def state(self, pending: Sequence[Future]) -> str:
        """Running, failed, and the time that is left.

        Args:
            pending: of the jobs that are not over.
        """
        running = sum(future.running() for future in pending) or min(len(pending), self.workers or 1)
        failed = sum(not done.good for done in self.done)
        parts = [f"{running} running" if pending else "all over", f"{failed} failed"]
        if pending and (left := self.seconds_left(len(pending))) is not None:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)

    def seconds_left(self, pending: int) -> float | None:
        """Seconds until all are over, if the rest take as long as those that ran; None before any did.

        Args:
            pending: number of jobs that are not over.

        Example:
            >>> board = Board(6, workers=2, quiet=True)
            >>> board.done += [Done("a", "ok", 10.0), Done("b", "ok", 30.0), Done("c", "skipped", 0.1)]
            >>> board.seconds_left(3)
            30.0
        """
        ran = [done.seconds for done in self.done if done.status != SKIPPED]
        return sum(ran) / len(ran) * pending / min(self.workers or 1, pending) if ran else None

    def _say(self, text: str) -> None:
        self.told = time.monotonic()
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)
