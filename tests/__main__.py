"""All checks in one command, ``python -m tests``: style, unit tests with doctests, every notebook in fast mode."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = [sys.executable, "-m"]
CHECKS = {
    "style": [*PYTHON, "ruff", "check", "."],
    "format": [*PYTHON, "ruff", "format", "--check", "."],
    "unit tests and doctests": [*PYTHON, "pytest", "--doctest-modules", "adkit", "tests"],
    "notebooks in fast mode": [
        *PYTHON, "pytest", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "notebooks",
    ],
}  # fmt: skip


def main() -> int:
    """Run every check, say how long each took, and fail if one failed."""
    failed = []
    with tempfile.TemporaryDirectory() as runs:
        for name, command in CHECKS.items():
            fast = {"ADKIT_FAST": "1"} if "notebooks" in name else {}
            start = time.perf_counter()
            print(f"\n== {name}", flush=True)
            code = subprocess.run(command, cwd=ROOT, env=os.environ | fast | {"ADKIT_HOME": runs}).returncode
            print(f"== {name}: {'failed' if code else 'good'}, {time.perf_counter() - start:.0f} s", flush=True)
            failed += [name] * bool(code)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall good")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
