"""``adkit recommend``: try methods within a budget of time, and say which one fits."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.data.data_arguments import add_data_arguments, load_chosen
from adkit.runtime.console import say

EPILOG = """
  adkit recommend --root photos
  adkit recommend --root photos --budget "1 h" --out runs/detector
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    parser.add_argument("--budget", default="10 min", metavar="TIME", help='such as "30 s" or "2 h" (default "10 min")')
    parser.add_argument(
        "--drift", type=float, default=1.0, metavar="N",
        help="how much light and focus will change; 0: camera and light never do (default 1)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="save the detector that is recommended")
    add_data_arguments(parser)


def run(chosen: Namespace) -> int:
    """Try, and print what fits and why.

    Args:
        chosen: what the parser has read.
    """
    import adkit

    found = adkit.recommend(load_chosen(chosen), budget=chosen.budget, drift=chosen.drift)
    say(f"{found.method}: {found.reason}\n\n{found.table}")
    if chosen.out:
        say(f"saved: {found.detector.save(chosen.out.expanduser())}")
    return 0
