"""The benches of a GPU in under ten minutes: ``python -m tests.bench --device cuda [--write]``.

Each part has a time limit of its own and a process of its own, and what it measured is printed, and written where that
is asked for, as it ends: whatever happens later, it is kept. ``--tiny`` runs the same lines on the CPU.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence

import torch

from tests.bench.gpu_parts import PARTS
from tests.bench.rows import row

TINY_LIMIT = 300.0  # seconds of a part on a busy CPU


def main(names: Sequence[str], tiny: bool, keep: Callable[[list[dict]], None]) -> list[dict]:
    """Run all parts, or some, and return their rows.

    Args:
        names: of :data:`PARTS`; empty: all.
        tiny: on the CPU, with tiny networks and few steps.
        keep: called after each part with the rows of all so far.
    """
    rows: list[dict] = []
    for name in names or PARTS:
        limit = TINY_LIMIT if tiny else PARTS[name][0]
        began = time.perf_counter()
        if not tiny and not torch.cuda.is_available():
            rows.append(row(name, note="not measured: torch sees no CUDA GPU here"))
        else:
            rows += limited(name, "cpu" if tiny else "cuda", tiny, limit)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        keep(rows)
    return rows


def limited(name: str, device: str, tiny: bool, limit: float) -> list[dict]:
    """The rows of a part; one that says so where it takes too long or fails."""
    spawned = multiprocessing.get_context("spawn")
    here, there = spawned.Pipe(duplex=False)
    process = spawned.Process(target=part, args=(name, device, tiny, there))
    process.start()
    there.close()
    try:
        answer = here.recv() if here.poll(limit) else f"not measured: stopped after {limit:.0f} s"
    except EOFError:
        answer = "not measured: its process died"
    process.join(5)
    if process.is_alive():
        process.kill()
        process.join()
    return [row(name, note=answer)] if isinstance(answer, str) else answer


def part(name: str, device: str, tiny: bool, answer) -> None:
    """Run a part, in a process of its own, and send its rows, or what went wrong."""
    try:
        answer.send(PARTS[name][1](device, tiny))
    except Exception as error:
        answer.send(f"not measured: {type(error).__name__}: {error}")
        raise
