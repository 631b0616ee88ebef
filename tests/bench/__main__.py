"""All benches, or the ones named, as one Markdown table: ``python -m tests.bench [metrics ssim …] [--write]``.

Each bench runs in a process of its own, one after the other; a peer and ours always share one.
"""

import argparse
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from tests.bench.rows import markdown, rows_of

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def machine() -> str:
    """Processor, cores, versions and date: what a number means nothing without."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy"))
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}, {date.today()}"


def main(arguments: list[str] | None = None) -> None:
    """Run, print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="measure adkit beside its peers")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: training and scoring there too")
    parser.add_argument("--write", action="store_true", help="keep the table of all benches in tests/bench/RESULTS.md")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(NAMES)):
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if options.write and options.names:
        parser.error("--write keeps the whole table; leave the names out")
    rows = []
    for name in options.names or NAMES:
        start = time.perf_counter()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            rows += process.submit(rows_of, name, options.device).result()
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    text = f"{markdown(rows)}\nMeasured on: {machine()}\n"
    print(text)
    if options.write:
        from adkit.runtime import atomic_path

        with atomic_path(FOLDER / "RESULTS.md") as temporary:
            temporary.write_text(f"# Benchmarks\n\n`python -m tests.bench --write`\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
