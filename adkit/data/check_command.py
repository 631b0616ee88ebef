"""``adkit check DIR``: what lies in a folder of images, and what of it will be used."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.runtime.console import say

EPILOG = """
  adkit check photos
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    parser.add_argument("root", metavar="DIR", help="where the images lie")


def run(chosen: Namespace) -> int:
    """Look, and print what was found.

    Args:
        chosen: what the parser has read.
    """
    from adkit import data

    if not Path(chosen.root).expanduser().is_dir():
        raise ValueError(f"no folder {chosen.root}; expected one with images")
    say(str(data.check(Path(chosen.root).expanduser())))
    return 0
