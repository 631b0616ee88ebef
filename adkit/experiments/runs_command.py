"""``adkit runs``: what is kept under ADKIT_HOME, and how to be rid of it."""

import time
from argparse import ArgumentParser, Namespace

from adkit.experiments.kept import Kept, list_kept, readable_size, remove_kept
from adkit.runtime import home
from adkit.runtime.console import say

STATES = ("finished", "unfinished", "damaged")
EPILOG = """
Nothing is removed unless --remove says what; a run that is at work is never removed.

  adkit runs                                    list all
  adkit runs --remove 3f2a                      what begins with these letters
  adkit runs --remove unfinished                what killed runs left
  adkit runs --remove all --older-than 30       all that was not touched for 30 days
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--remove", nargs="+", metavar="WHAT", help=f"addresses or their beginnings, {', '.join(STATES)}, or all")
    add("--older-than", type=float, default=0.0, metavar="DAYS", help="only what was not touched for so long")


def run(chosen: Namespace) -> int:
    """List, or remove.

    Args:
        chosen: what the parser has read.

    Raises:
        ValueError: if something is to be removed that is not there, or it is not clear what.
    """
    if not chosen.older_than >= 0:
        raise ValueError(f"--older-than must be 0 or a positive number of days, got {chosen.older_than:g}")
    before = time.time() - 86400 * chosen.older_than
    kept = [entry for entry in list_kept() if entry.when <= before]
    if chosen.remove is None:
        say("\n".join([*map(str, kept), f"{len(kept)} in {home()}, {readable_size(sum(one.size for one in kept))}"]))
        return 0
    wanted = [entry for word in chosen.remove for entry in _meant(word, kept)]
    wanted = list(dict.fromkeys(wanted))
    removed = remove_kept(wanted)
    for entry in wanted:
        say(f"{'removed' if entry in removed else 'at work, kept'}  {entry}")
    say(f"{len(removed)} removed, {readable_size(sum(entry.size for entry in removed))}")
    return 0


def _meant(word: str, kept: list[Kept]) -> list[Kept]:
    if word == "all" or word in STATES:
        return [entry for entry in kept if word in ("all", entry.state)]
    found = [entry for entry in kept if word and entry.address.startswith(word)]
    if not found:
        raise ValueError(f"nothing that is kept begins with {word!r}; adkit runs lists what is there")
    if len(others := {entry.address for entry in found}) > 1:
        raise ValueError(f"{len(others)} addresses begin with {word!r}; write more of the one that is meant, or all")
    return found
