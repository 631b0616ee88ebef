"""All checks in one command, ``python -m tests``: style, unit tests with doctests, every notebook in fast mode.

``python -m tests --fast``, in under two minutes on two cores, is for while you work: style, and the unit tests that are
not marked ``slow``, on all cores.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = [sys.executable, "-m"]
STYLE = {
    "style": [*PYTHON, "ruff", "check", "."],
    "format": [*PYTHON, "ruff", "format", "--check", "."],
}
UNIT = [*PYTHON, "pytest", "-p", "no:nbval", "-p", "no:cacheprovider"]
CHECKS = STYLE | {
    "doctests": [*UNIT, "--doctest-modules", "adkit"],
    "unit tests": UNIT,
    "notebooks in fast mode": [
        *PYTHON, "pytest", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300",
    ],
}  # fmt: skip
FAST_CHECKS = STYLE | {
    # what takes over two seconds is named at the end: it should be marked slow
    "unit tests that are not slow": [
        *UNIT, "-m", "not slow", "--durations=5", "--durations-min=2",
    ],
}  # fmt: skip


def shares(files: Sequence[Path], count: int) -> list[list[str]]:
    """Test files in ``count`` lists of about equal length in bytes, for processes side by side."""
    by_size = sorted(files, key=lambda file: (file.stat().st_size, file))
    return [[str(file) for file in by_size[start::count]] for start in range(min(count, len(by_size)))]


def run(name: str, command: Sequence[str], environment: dict[str, str]) -> int:
    """Run one check; returns its exit code."""
    environment = environment | ({"ADKIT_FAST": "1"} if "notebooks" in name else {})
    if parts := files_of(name):
        return run_side_by_side(command, parts, environment)
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def files_of(name: str) -> list[list[str]]:
    """The files of a check that goes side by side, in shares for one process each; none of another check."""
    cores = os.cpu_count() or 1
    if "unit tests" in name:  # more shares than cores: one that ends early takes another
        return shares(list(ROOT.glob("tests/test_*.py")), cores if "slow" in name else 2 * cores)
    return [[str(path)] for path in sorted(ROOT.glob("notebooks/*.ipynb"))] if "notebooks" in name else []


def run_side_by_side(command: Sequence[str], parts: list[list[str]], environment: dict[str, str]) -> int:
    """Run a check in one process a core, the output of each when it is over; returns the highest exit code."""

    def run_share(files: Sequence[str]) -> int:
        # one thread a process: or each would take all cores
        environ = environment | {"OMP_NUM_THREADS": "1"}
        result = subprocess.run([*command, *files], cwd=ROOT, env=environ, capture_output=True, text=True)
        print(result.stdout + result.stderr, end="", flush=True)
        return result.returncode

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return max(pool.map(run_share, parts))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every check, say how long each took, and fail if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests", description="style, unit tests, doctests and notebooks")
    parser.add_argument("--fast", action="store_true", help="style and the unit tests that are not slow, on all cores")
    checks = FAST_CHECKS if parser.parse_args(arguments).fast else CHECKS
    failed = []
    with tempfile.TemporaryDirectory() as runs:
        environment = os.environ | {"ADKIT_HOME": runs}
        for name, command in checks.items():
            start = time.perf_counter()
            print(f"\n== {name}", flush=True)
            code = run(name, command, environment)
            print(f"== {name}: {'failed' if code else 'good'}, {time.perf_counter() - start:.0f} s", flush=True)
            failed += [name] * bool(code)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall good")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
