"""All benches, or the ones named, as one Markdown table: ``python -m tests.bench [metrics ssim …] [--write]``.

Each bench runs in a process of its own, one after the other; a peer and ours always share one. ``python -m tests.bench
scale`` measures cost against size, and ``--device cuda`` what is worth measuring on a GPU, in under ten minutes.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from tests.bench import gpu, scale
from tests.bench.gpu_parts import PARTS
from tests.bench.rows import markdown, rows_of

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
SCALE = "scale"


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
    add = parser.add_argument
    add("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; {SCALE} alone; on a GPU, of its parts")
    add("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: the parts of a GPU, each with a time limit")
    add("--tiny", action="store_true", help="with --device cuda: prove on the CPU that every part runs")
    add("--write", action="store_true", help="keep it in RESULTS.md, SCALE.md or GPU.md beside this file")
    options = parser.parse_args(arguments)
    known = [SCALE] if SCALE in options.names else list(PARTS) if options.device == "cuda" else NAMES
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(known)}")
    if options.write and (options.tiny or (options.names and known != [SCALE])):
        parser.error("--write keeps the whole table; leave names and --tiny out")
    if options.tiny and options.device == "cpu":
        parser.error("--tiny belongs to --device cuda")
    if known == [SCALE]:
        scale.main(machine(), lambda page: write("SCALE.md", page) if options.write else print(page))
    elif options.device == "cuda":
        head = "# On a GPU\n\n`python -m tests.bench --device cuda --write`\n\n"
        head = "Tiny, on a CPU: every part runs, and the figures mean nothing.\n\n" if options.tiny else head

        def keep(rows: list[dict]) -> None:
            text = f"{head}{markdown(rows)}\nMeasured on: {machine()}\n"
            write("GPU.md", text) if options.write else print(text, flush=True)

        gpu.main(options.names, options.tiny, keep)
    else:
        text = f"{markdown(measured(options.names or NAMES))}\nMeasured on: {machine()}\n"
        print(text)
        if options.write:
            write("RESULTS.md", f"# Benchmarks\n\n`python -m tests.bench --write`\n\n{text}")


def measured(names: Sequence[str]) -> list[dict]:
    """The rows of some benches."""
    rows = []
    for name in names:
        start = time.perf_counter()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            rows += process.submit(rows_of, name).result()
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return rows


def write(name: str, text: str) -> None:
    """Write a page beside this file, whole or not at all."""
    from adkit.runtime import atomic_path

    with atomic_path(FOLDER / name) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
