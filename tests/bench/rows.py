"""What the benches share: rows, two works timed in turn, and the table."""

import time
from collections.abc import Callable
from importlib import import_module
from statistics import median

MISSING = "peer not installed: pip install -e .[bench]"
HEADER = ("what", "peer", "ours", "ratio", "to reach", "note")


def rows_of(name: str) -> list[dict]:
    """Run one bench. Here, where a process of its own can find it."""
    return import_module(f"tests.bench.bench_{name}").main()


def row(what: str, peer=None, ours=None, target: str = "", note: str = "", rate: bool = False) -> dict:
    """One line of the table.

    ``peer`` and ``ours`` are seconds, or with ``rate`` things a second; None where not measured. The ratio says how
    many times as fast ours is.
    """
    ratio = (ours / peer if rate else peer / ours) if peer and ours else None
    return {"what": what, "peer": peer, "ours": ours, "ratio": ratio, "target": target, "note": note}


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Mean wall-clock seconds of some runs."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def in_turn(first: Callable[[], object], second: Callable[[], object], rounds: int, times: int = 1) -> list[float]:
    """Median seconds of both, timed in turn after one untimed round; the second runs ``times`` times a round."""
    first(), second()
    measured = [(seconds(first), seconds(second, times)) for _ in range(rounds)]
    return [median(column) for column in zip(*measured, strict=True)]


def markdown(rows: list[dict]) -> str:
    """Rows as a Markdown table."""
    lines = [HEADER, ["---", "---:", "---:", "---:", "---", "---"]]
    for each in rows:
        numbers = ["–" if each[name] is None else f"{each[name]:.3g}" for name in ("peer", "ours")]
        ratio = "–" if each["ratio"] is None else f"{each['ratio']:.3g} ×"
        lines.append([each["what"], *numbers, ratio, each["target"] or "–", each["note"]])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
