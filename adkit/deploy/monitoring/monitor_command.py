"""``adkit monitor``: a folder of images watched as if they came one after the other."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.deploy.arguments import add_shared
from adkit.deploy.monitoring.folder import monitor_folder
from adkit.runtime.console import say

EPILOG = """
Exit code 1 says that there is an alert in the state, of this folder or of an earlier one.

  adkit monitor runs/detector monday --normals photos/good --out line.json
  adkit monitor runs/detector tuesday --out line.json       goes on with the state of Monday
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add_shared(parser, "detector")
    add("images", type=Path, metavar="FOLDER", help="images, in the order of their names")
    add(
        "--normals",
        type=Path,
        metavar="DIR",
        help="normal images to compare with, not those of the training; kept beside the detector",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="JSON file of the state; one that is there is gone on with, with its own window, alpha and normals",
    )
    add("--window", type=int, default=200, metavar="N", help="images of a window (default: 200)")
    add("--alpha", type=float, default=1e-3, help="chance of a false alarm in a window (default: 0.001)")
    add("--json", action="store_true", help="print the state as JSON")
    add_shared(parser, "--policy", "--quiet")


def run(chosen: Namespace) -> int:
    """Watch, and say what there is to know.

    Args:
        chosen: what the parser has read.
    """
    monitor = monitor_folder(
        chosen.detector.expanduser(), chosen.images.expanduser(), chosen.out, chosen.policy, chosen.normals,
        chosen.window, chosen.alpha, chosen.quiet,
    )  # fmt: skip
    state = monitor.state()
    if chosen.json:
        say(json.dumps(state))
        return int(bool(state["alerts"]))
    counts = ", ".join(f"{count} {verdict}" for verdict, count in state["verdicts"].items())
    say(f"{state['seen']} images seen: {counts}; {state['windows']} whole window(s) of {state['window']}")
    for alert in state["alerts"]:
        say(f"ALERT at image {alert['at']}: {alert['text']}")
    if not state["alerts"]:
        say(f"no alert; a rate of alarms below {state['alarm_rate_seen_from']:.0%} cannot be told from chance")
    return int(bool(state["alerts"]))
