"""``adkit report``: a folder of images judged, as one HTML page."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.deploy.arguments import add_shared
from adkit.deploy.report.write import write_report
from adkit.runtime.console import say

EPILOG = """
The page needs nothing but itself; beside it lie its content as JSON, and every suppressed region as CSV.

  adkit report runs/detector incoming --out report.html
  adkit report runs/detector incoming --out report.html --policy strict.json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add_shared(parser, "detector")
    add("images", type=Path, metavar="FOLDER", help="images, in it or below it")
    add("--out", type=Path, default=Path("report.html"), metavar="FILE", help="the page (default: report.html)")
    add("--title", default="", help="of the page")
    add("--pictures", type=int, default=200, metavar="N", help="so many of the worst images are shown (default: 200)")
    add_shared(parser, "--policy", "--device", "--quiet")


def run(chosen: Namespace) -> int:
    """Write the page, and say where it is.

    Args:
        chosen: what the parser has read.
    """
    out = write_report(
        chosen.detector.expanduser(), chosen.images.expanduser(), chosen.out.expanduser(), chosen.policy, chosen.title,
        chosen.pictures, chosen.quiet, chosen.device,
    )  # fmt: skip
    say(f"written: {out}")
    return 0
