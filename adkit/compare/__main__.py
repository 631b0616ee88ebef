"""The comparison from a shell: ``python -m adkit.compare``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from adkit.batch.executors import WHERE, open_executor
from adkit.compare import compare
from adkit.compare.methods import choose
from adkit.compare.report import page
from adkit.data import NAMES
from adkit.runtime import atomic_path
from adkit.runtime.serialization import write_json

EXAMPLES = """
A method that lacks a package or weights is skipped, one that fails is noted, and the others go on. Every run is kept
under ADKIT_HOME, else ./runs: the same command goes on where it was killed.

  python -m adkit.compare --dataset textile --category gabardine --out runs/textile
  python -m adkit.compare --dataset aitex --root DIR --category 02 --methods vae draem --seeds 5 --out runs/aitex02
  python -m adkit.compare --fast --image-size 64 192 --seeds 1 --out runs/fast
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, write ``results.json`` and ``table.md``, print the table.

    Returns:
        0, or 1 if no method has a result.
    """
    parser = _parser()
    chosen = vars(parser.parse_args(argv))
    out, fast, where = chosen.pop("out").expanduser(), chosen.pop("fast"), chosen.pop("on")
    if fast:
        os.environ["ADKIT_FAST"] = "1"
    try:
        check_writable(out)
        methods = chosen.pop("methods")
        arguments = {name: _alone(value) for name, value in chosen.items()}
        with open_executor(where) if where else nullcontext() as executor:
            comparison = compare(methods, executor=executor, **arguments)
    except (ValueError, OSError, ImportError) as error:
        parser.error(str(error))
    text = page(comparison)
    write_json(out / "results.json", comparison.as_dict())
    with atomic_path(out / "table.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text)
    print(f"written: {out / 'results.json'}, {out / 'table.md'}")
    return 0 if comparison.results else 1


def check_writable(folder: Path) -> None:
    """Make a folder, or find out now, not after hours of work, that nothing can be written there.

    Raises:
        ValueError: if nothing can.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"out must be a folder to write to, got {folder} ({error.strerror}); name another") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adkit.compare",
        description="Every method of the course under one protocol; writes results.json and table.md.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder for results.json and table.md")
    add(
        "--methods",
        nargs="+",
        default=["all"],
        metavar="NAME",
        help=f"all (default), or some of {', '.join(choose('all'))}",
    )
    add("--seeds", type=int, default=3, metavar="N", help="trainings of each method (default 3)")
    add("--dataset", choices=NAMES, default="textile", help="default: textile, which needs no files")
    add("--root", metavar="DIR", help="where the images lie")
    add("--category", nargs="+", metavar="NAME", help="fabric or object; default: all the set has")
    add("--image-size", nargs="+", type=int, metavar="N", help="side, or height and width; default: the set's own")
    add("--channels", type=int, choices=(1, 3), help="default: the set's own")
    add("--tile", nargs="+", type=int, metavar="N", help="side, or height and width, of tiles; default: whole images")
    add("--overlap", type=int, default=0, metavar="N", help="pixels that neighbouring tiles share (default 0)")
    add("--device", default="auto", help="auto (default), cpu, cuda or mps")
    add("--on", metavar="WHERE", help=f"where the trainings run: {WHERE}; default: here, one after the other")
    add("--draws", type=int, default=1000, metavar="N", help="test sets of the paired bootstrap (default 1000)")
    add("--fast", action="store_true", help="tiny networks and four steps, to see that all runs; so does ADKIT_FAST=1")
    add("--quiet", action="store_true", help="no progress")
    return parser


def _alone(value: object) -> object:
    """The one value of a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


if __name__ == "__main__":
    sys.exit(main())
