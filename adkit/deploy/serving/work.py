"""One thread that judges, behind a queue with an end: more threads were no faster, and took twice the memory."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from adkit.deploy.serving.errors import ServiceError

T = TypeVar("T")


class Queue:
    """Work waits here for the one thread; who comes when it is full is told when to come again.

    Args:
        limit: pieces of work that may be here, the one that is being done among them.
    """

    def __init__(self, limit: int):
        self.limit, self.length, self.seconds = limit, 0, 0.1
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="judge")

    def check(self) -> None:
        """Refuse at once if there is no place, before a body is read; raises a ServiceError."""
        if self.length >= self.limit:
            wait = max(1, math.ceil(self.length * self.seconds))
            raise ServiceError(
                "queue_full", f"{self.limit} images are waiting; try again in {wait} s", self.limit,
                {"Retry-After": str(wait)},
            )  # fmt: skip

    async def submit(self, work: Callable[[], T], deadline: float, gone: Awaitable | None = None) -> tuple[T, float]:
        """Do a piece of work on the thread.

        Args:
            work: called without arguments.
            deadline: time of the event loop after which nobody waits; what has not begun by then never does.
            gone: done when the client has gone; its work is dropped if it has not begun. None: clients stay.

        Returns:
            The result, and the seconds that it waited.

        Raises:
            ServiceError: queue_full, deadline or client_gone; whatever ``work`` raises.
        """
        self.check()
        loop, arrived, begun = asyncio.get_running_loop(), time.perf_counter(), []

        def timed() -> T:
            begun.append(time.perf_counter())
            return work()

        self.length += 1
        future = self.executor.submit(timed)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        waiting = asyncio.wrap_future(future)
        others = [asyncio.ensure_future(gone)] if gone is not None else []
        try:
            await asyncio.wait(
                [waiting, *others], timeout=max(deadline - loop.time(), 0), return_when=asyncio.FIRST_COMPLETED
            )
            if not waiting.done():
                left = bool(others and others[0].done())
                waiting.cancel()
                code, words = ("client_gone", "the client has gone") if left else ("deadline", "it took too long")
                raise ServiceError(code, words)
            result = waiting.result()
        finally:
            for other in others:
                other.cancel()
        self.seconds += 0.1 * (time.perf_counter() - begun[0] - self.seconds)
        return result, begun[0] - arrived

    def _leave(self) -> None:
        self.length -= 1

    def close(self) -> None:
        """Finish what has begun, and drop the rest."""
        self.executor.shutdown(wait=True, cancel_futures=True)
