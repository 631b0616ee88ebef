"""Several processes that run one program together, as ``accelerate launch`` (on GPUs) and ``torchrun`` start them.

All of them train, each on its share of the images; the first one alone chooses, writes and keeps. What it has come to,
the others take over, so that all end with the same. Where one process runs, every function here does just its work.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
V = TypeVar("V")
PART, OVER, FAILED = "part", "over", "failed"  # what the first process tells the others

_alone: list[bool] = []  # not empty while the first process does what the others wait for


def process_count() -> int:
    """How many processes were launched together; 1 where the program was started by itself."""
    return int(os.environ.get("WORLD_SIZE", 1)) if _launched() else 1


def process_rank() -> int:
    """The number of this process among them, from 0."""
    return int(os.environ.get("RANK", 0)) if _launched() else 0


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return process_rank() == 0


def together() -> bool:
    """Whether what is asked for now is asked for in several processes at once; the first call joins them.

    Every process must come to the same calls in the same order; one that does not keeps the others waiting.
    """
    if process_count() == 1 or _alone:
        return False
    from accelerate import PartialState  # takes a second to import: only who trains in several processes pays

    PartialState()
    return True


def by_first(work: Callable[[], T]) -> T:
    """Let the first process do some work, while the others wait; all get what it returns.

    Args:
        work: done once; what it returns must go through pickle.

    Raises:
        RuntimeError: in the others, if the work raised an error in the first, which has the error itself.

    Example:
        >>> by_first(lambda: 42)
        42
    """
    return led(lambda part: work(), lambda value: None)


def led(work: Callable[[Callable[[V], Any]], T], part: Callable[[V], Any]) -> T:
    """Let the first process do some work of which all do a part together, such as the training; all get the result.

    Args:
        work: ``work(part)``, done by the first; where it calls ``part(value)``, all processes do that part, with its
            value. Value and result must go through pickle.
        part: what is done together.

    Raises:
        RuntimeError: in the others, if the work raised an error in the first, which has the error itself.

    Example:
        >>> led(lambda part: 1 + part(20), lambda value: 2 * value)
        41
    """
    if not together():
        return work(part)
    if is_first():
        return _lead(work, part)
    while True:
        said, value = _from_first(None)
        if said == PART:
            part(value)
        elif said == FAILED:
            raise RuntimeError(f"the first of {process_count()} processes failed: {value}")
        else:
            return value


def share_tensors(tensors: list) -> None:
    """Give the others what the first process has in some tensors of equal shapes, in place."""
    if together():
        from torch import distributed

        for tensor in tensors:
            distributed.broadcast(tensor, 0)


def _lead(work: Callable[[Callable[[V], Any]], T], part: Callable[[V], Any]) -> T:
    def done_together(value: V) -> Any:
        _alone.pop()
        try:
            _from_first((PART, value))
            return part(value)
        finally:
            _alone.append(True)

    _alone.append(True)
    try:
        result = work(done_together)
    except Exception as error:
        _from_first((FAILED, f"{type(error).__name__}: {error}"))
        raise
    finally:
        _alone.pop()
    _from_first((OVER, result))
    return result


def _from_first(message: tuple[str, Any] | None) -> tuple[str, Any]:
    from torch import distributed

    box = [message]
    distributed.broadcast_object_list(box, 0)
    return box[0]


def _launched() -> bool:
    """Accelerate, too, knows by this variable that it is one of several."""
    return os.environ.get("LOCAL_RANK", "-1") != "-1"
