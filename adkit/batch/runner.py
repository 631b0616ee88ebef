"""Run jobs on any executor: each until it has an answer, and none is lost because a worker was."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import replace
from functools import partial

from adkit.batch.board import Board
from adkit.batch.jobs import AGAIN, FAILED, LOST, Done, Job, perform, tell

LOOK = 1.0  # seconds between two looks at the clock while nothing ends
GONE = ("KilledWorker", "CommClosedError", "FutureCancelledError", "CancelledError")  # of Dask, which is an extra


def run_jobs(
    jobs: Iterable[Job],
    executor: Executor,
    *,
    devices: Sequence[str] | None = None,
    retries: int = 1,
    on_done: Callable[[Done], None] | None = None,
    quiet: bool = False,
) -> list[Done]:
    """Run jobs on an executor, and tell of each what became of it.

    A job that fails or runs out of time is over, and the others go on. One whose kernel or worker died is begun again.

    Args:
        jobs: with different names.
        executor: any of ``concurrent.futures``, or of :func:`adkit.batch.open_executor`, which outlives its workers.
        devices: GPUs of each machine, as CUDA_VISIBLE_DEVICES names them; None: those that a machine has.
        retries: how often more a job is begun whose kernel or worker died, at least 0.
        on_done: called with each job that is over, in this thread.
        quiet: show no progress.

    Returns:
        One for each job, in their order.

    Raises:
        ValueError: if two jobs have one name, or ``retries`` is negative.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from adkit.batch import Job, Outcome
        >>> class Square(Job):
        ...     def __init__(self, number):
        ...         self.name, self.number = f"square of {number}", number
        ...
        ...     def run(self, lease):
        ...         return Outcome(figures={"square": self.number**2})
        >>> with ThreadPoolExecutor(2) as executor:
        ...     done = run_jobs([Square(2), Square(3)], executor, quiet=True)
        >>> [(one.name, one.status, one.figures) for one in done]
        [('square of 2', 'ok', {'square': 4}), ('square of 3', 'ok', {'square': 9})]
    """
    jobs = list(jobs)
    _check(jobs, retries)
    finished: dict[int, Done] = {}
    attempts = dict.fromkeys(range(len(jobs)), 0)
    waiting, pending = deque(attempts), {}
    board = Board(len(jobs), workers_of(executor), quiet)
    try:
        while waiting or pending:
            # no more than can run: a scheduler suspects all jobs that a dead worker had, also those it had not begun
            while waiting and len(pending) < _at_a_time(executor, len(jobs)):
                number = waiting.popleft()
                attempts[number] += 1
                pending[_submit(executor, jobs[number], devices)] = number
            over, _ = wait(pending, timeout=LOOK, return_when=FIRST_COMPLETED)
            for future in over:
                number = pending.pop(future)
                done = replace(_answer(future, jobs[number]), attempts=attempts[number])
                if done.status in AGAIN and attempts[number] <= retries:
                    board.again(done)
                    waiting.append(number)
                    continue
                finished[number] = done = _kept(jobs[number], done)
                board.over(done, len(pending))
                if on_done:
                    on_done(done)
            board.tick(len(pending), partial(workers_of, executor))
    finally:
        for future in pending:
            future.cancel()
    return [finished[number] for number in range(len(jobs))]


def workers_of(executor: Executor) -> int | None:
    """How many jobs an executor runs at a time, 0 while a cluster has no worker; None where it does not tell.

    Args:
        executor: any.
    """
    return getattr(executor, "workers", getattr(executor, "_max_workers", None))


def _at_a_time(executor: Executor, total: int) -> int:
    """How many jobs to hand to an executor: one where nobody is there yet, all where it does not tell."""
    workers = workers_of(executor)
    return total if workers is None else max(workers, 1)


def _check(jobs: Sequence[Job], retries: int) -> None:
    names = [job.name for job in jobs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"jobs need different names, got {', '.join(twice)} more than once")
    if retries < 0:
        raise ValueError(f"retries must be at least 0, got {retries}")


def _submit(executor: Executor, job: Job, devices: Sequence[str] | None) -> Future:
    try:
        return executor.submit(perform, job, devices)
    except BrokenExecutor as error:  # a plain pool that one dead worker has broken for good
        failed: Future = Future()
        failed.set_exception(error)
        return failed


def _answer(future: Future, job: Job) -> Done:
    """What became of a job; also where its worker never answered."""
    try:
        return future.result()
    except (BrokenExecutor, CancelledError) as error:
        return Done(job.name, LOST, error=f"its worker is gone: {tell(error)}")
    except Exception as error:
        status = LOST if type(error).__name__ in GONE else FAILED
        return Done(job.name, status, error=tell(error))


def _kept(job: Job, done: Done) -> Done:
    """The same after the job has stored what was sent back."""
    if not done.files:
        return done
    try:
        job.keep(done.files)
    except Exception as error:
        return replace(done, status=FAILED, error=f"could not store what was sent back: {tell(error)}", files={})
    return replace(done, files={})
