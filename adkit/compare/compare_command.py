"""``adkit compare``, and ``python -m adkit.compare``: every method under one protocol."""

import os
import tempfile
from argparse import ArgumentParser, Namespace
from contextlib import nullcontext
from pathlib import Path

from adkit.batch.executors import WHERE, open_executor
from adkit.compare import compare
from adkit.compare.methods import choose
from adkit.compare.report import page
from adkit.data.data_arguments import add_data_arguments, chosen_data
from adkit.runtime import atomic_path
from adkit.runtime.console import say
from adkit.runtime.serialization import write_json

EPILOG = """
A method that lacks a package or weights is skipped, one that fails is noted, and the others go on. Every run is kept
under ADKIT_HOME, else ./runs: the same command goes on where it was killed.

  adkit compare --dataset textile --category gabardine --out runs/textile
  adkit compare --dataset aitex --root DIR --category 02 --methods vae draem --seeds 5 --out runs/aitex02
  adkit compare --fast --image-size 64 192 --seeds 1 --out runs/fast
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG.replace("adkit compare", parser.prog)
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
    add("--device", default="auto", help="auto (default), cpu, cuda, cuda:N or mps")
    add("--on", metavar="WHERE", help=f"where the trainings run: {WHERE}; default: here, one after the other")
    add("--draws", type=int, default=1000, metavar="N", help="draws of seeds and test images (default 1000)")
    add("--fast", action="store_true", help="tiny networks and four steps, to see that all runs; so does ADKIT_FAST=1")
    add("--quiet", action="store_true", help="no progress")
    add_data_arguments(parser)


def run(chosen: Namespace) -> int:
    """Compare, write ``results.json`` and ``table.md``, print the table.

    Args:
        chosen: what the parser has read.

    Returns:
        0, or 1 if no method has a result.

    Raises:
        ValueError: if an argument is wrong.
    """
    out = chosen.out.expanduser()
    if chosen.fast:
        os.environ["ADKIT_FAST"] = "1"
    check_writable(out)
    options = {"seeds": chosen.seeds, "device": chosen.device, "draws": chosen.draws, "quiet": chosen.quiet}
    methods = chosen.methods[0] if len(chosen.methods) == 1 else chosen.methods
    with open_executor(chosen.on) if chosen.on else nullcontext() as executor:
        comparison = compare(methods, executor=executor, **options, **chosen_data(chosen))
    text = page(comparison)
    write_json(out / "results.json", comparison.as_dict())
    with atomic_path(out / "table.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    say(text)
    say(f"written: {out / 'results.json'}, {out / 'table.md'}")
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
