"""Cost against size, measured, with the exponents that fit: ``python -m tests.bench scale [--write]``.

Each curve runs in a process of its own, from its smallest size on. A size that would take longer than ``PATIENCE`` or
more memory than is free is not measured, and the page says so.
"""

import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch

from tests.bench import scale_cores

PATIENCE = 240.0  # seconds that one point may take
SHARE = 0.6  # of the memory that is free, which a point may take
MEMORY, HOUR = 24e9, 3600.0  # where things are said to stop
SHORT, MOST = 0.2, 20  # work that is over sooner than that is timed again, at most so often
CORES = "cores"  # a comparison against their number
NOTICED = 50e6  # bytes below which memory is not said to grow


@dataclass(frozen=True)
class Point:
    """One measured size.

    Attributes:
        size: in the unit of its curve.
        seconds: of the work, the shortest of its runs; None: not measured.
        peak: bytes of memory above those of the process before the curve.
        said: why it was not measured.
    """

    size: int
    seconds: float | None = None
    peak: float = 0.0
    said: str = ""


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The b of cost = a · size^b, by least squares of the logarithms; NaN of fewer than two points.

    Example:
        >>> round(exponent([1, 2, 4], [3, 12, 48]), 9)
        2.0
    """
    x, y = ([math.log(value) for value in values] for values in (sizes, costs))
    if len(x) < 2:
        return math.nan
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)


def extrapolated(points: Sequence[Point], size: float, of: str) -> float:
    """A cost at a larger size, by the exponent of the last two points, at least linear."""
    before, last = points[-2:]
    costs = [max(getattr(point, of), 1e-9) for point in (before, last)]
    return costs[1] * (size / last.size) ** max(1.0, exponent([before.size, last.size], costs))


def reach(points: Sequence[Point], limit: float, of: str, power: int = 1) -> float | None:
    """The size at which a cost reaches its limit, by the last two points; None where it does not grow.

    Time grows at least as the size does. Of memory a share is fixed, and one grows with the size to some power.
    """
    before, last = points[-2:]
    costs = [getattr(point, of) for point in (before, last)]
    if min(costs) <= 0 or (growth := exponent([before.size, last.size], costs)) < 0.2:
        return None
    if of == "peak":
        x = [point.size**power for point in (before, last)]
        return (x[1] + (limit - costs[1]) * (x[1] - x[0]) / (costs[1] - costs[0])) ** (1 / power)
    return last.size * (limit / costs[1]) ** (1 / max(growth, 1.0))


def measure(name: str) -> list[Point]:
    """All points of a curve; here, where a process of its own can find it."""
    from tests.bench.scale_curves import CURVES

    curve, points = CURVES[name], []
    rest = _status("VmRSS")
    for size in curve.sizes:
        if said := _refused(points, size):
            points.append(Point(size, said=said))
            continue
        _forget_peak()
        work = curve.prepare(size)
        if not points:
            work()  # threads start, memory is taken, kernels are chosen
        seconds = [_timed(work)]
        while (seconds[0] < SHORT and sum(seconds) < SHORT and len(seconds) < MOST) or len(seconds) < 2 > seconds[0]:
            seconds.append(_timed(work))
        points.append(Point(size, min(seconds), max(_status("VmHWM") - rest, 0.0)))
    return points


def _refused(points: Sequence[Point], size: int) -> str:
    """Why a size is not measured; empty where it is."""
    measured = [point for point in points if point.seconds is not None]
    if len(measured) < 2:
        return ""
    if (seconds := extrapolated(measured, size, "seconds")) > PATIENCE:
        return f"not measured: about {seconds:.0f} s"
    if (peak := extrapolated(measured, size, "peak")) > max(SHARE * _available(), NOTICED):
        return f"not measured: about {peak / 1e9:.0f} GB"
    return ""


def _timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _status(name: str) -> float:
    """Bytes of an entry of this process's status: VmRSS is in memory now, VmHWM the most that was."""
    return _kilobytes(Path("/proc/self/status"), name)


def _available() -> float:
    return _kilobytes(Path("/proc/meminfo"), "MemAvailable")


def _kilobytes(file: Path, name: str) -> float:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith(f"{name}:")]
    return 1024.0 * float(lines[0].split()[1])


def _forget_peak() -> None:
    """Let the largest memory be that from now on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def page(curves: dict[str, list[Point]], cores: scale_cores.Cores | None, machine: str, load: float) -> str:
    """The whole page, of what is measured so far.

    Args:
        curves: name → its points.
        cores: of a comparison; None: not measured yet.
        machine: on which.
        load: its load average before.
    """
    from tests.bench.scale_curves import CURVES

    busy = f"load average {load:.1f} before, {torch.get_num_threads()} thread(s) in each process"
    busy += "; others worked on it too, and times are longer than on a quiet one" if load > 0.5 else ""
    missing = [CURVES[name].what for name in CURVES if name not in curves]
    missing += ["a comparison against cores"] * (cores is None)
    return "\n".join(
        [
            "# Cost against size\n\n`python -m tests.bench scale --write`; every figure here is that script's.\n",
            f"Measured on: {machine}; {busy}.\n",
            *([f"Not measured: {'; '.join(missing)}.\n"] if missing else []),
            "## Where it stops\n",
            "By the last two measured sizes: what an hour allows on this machine, time growing at least as the size "
            f"does, and what {MEMORY / 1e9:.0f} GB of memory allow, a share of it being fixed. The exponents are those "
            "of cost = a · size^b, of all sizes and of the last two.\n",
            "| what | size | exponent (last two) | in an hour | in 24 GB | beyond |",
            "| --- | --- | --- | ---: | ---: | --- |",
            *(_stops(CURVES[name], points) for name, points in curves.items()),
            "\n## What was measured\n",
            *(_table(CURVES[name], points) for name, points in curves.items()),
            *([scale_cores.section(cores)] if cores is not None else []),
        ]
    )


def _stops(curve, points: Sequence[Point]) -> str:
    measured = [point for point in points if point.seconds is not None]
    if len(measured) < 2:
        return f"| {curve.what} | {curve.unit} | not measured | – | – | {curve.beyond} |"
    sizes, seconds = [point.size for point in measured], [point.seconds for point in measured]
    told = f"{exponent(sizes, seconds):.2f} ({exponent(sizes[-2:], seconds[-2:]):.2f})"
    hour = reach(measured, HOUR, "seconds")
    grows = measured[-1].peak > NOTICED and measured[-1].peak > 1.2 * measured[-2].peak
    memory = reach(measured, MEMORY, "peak", curve.power) if grows else None
    # where sizes are missing, the larger ones may still need more
    flat = "does not grow" if len(measured) == len(points) else "not seen"
    ends = [_rounded(hour), _rounded(memory) if memory else "–" if grows else flat]
    return f"| {curve.what} | {curve.unit} | {told} | {' | '.join(ends)} | {curve.beyond} |"


def _rounded(value: float | None) -> str:
    """Two digits that count: an extrapolation has no more."""
    if value is None:
        return "–"
    digits = max(int(math.log10(value)) - 1, 0)
    return f"{round(value, -digits):,.0f}"


def _table(curve, points: Sequence[Point]) -> str:
    lines = [f"### {curve.what[0].upper()}{curve.what[1:]}", ""]
    lines += [f"| {curve.unit} | seconds | a second | memory, MB |", "| ---: | ---: | ---: | ---: |"]
    for point in points:
        if point.seconds is None:
            lines.append(f"| {point.size:,} | {point.said} | – | – |")
        else:
            rate = point.size / point.seconds
            lines.append(f"| {point.size:,} | {point.seconds:.3g} | {rate:,.3g} | {point.peak / 1e6:,.0f} |")
    return "\n".join(lines) + "\n"


def main(machine: str, keep: Callable[[str], None], only: Sequence[str] = ()) -> None:
    """Measure all curves, or some, and then a comparison against cores; progress goes to standard error.

    Args:
        machine: what it is measured on.
        keep: called with the page as soon as there is more of it.
        only: names of curves; empty: all, and the comparison.
    """
    from tests.bench.scale_curves import CURVES

    load, curves, cores = os.getloadavg()[0], {}, None
    for name in [*(only or CURVES), *([] if only else [CORES])]:
        start = time.perf_counter()
        if name == CORES:
            cores = scale_cores.measure()
        else:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                curves[name] = process.submit(measure, name).result()
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        keep(page(curves, cores, machine, load))
