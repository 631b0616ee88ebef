"""``adkit retune``: new thresholds proposed from normal images that a person has confirmed."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.deploy.arguments import add_shared
from adkit.deploy.monitoring.retuning import retune_folder
from adkit.runtime.console import say

EPILOG = """
Nothing is written without --out; the old policy stays beside the new one.

  adkit retune runs/detector fresh_normals --confirmed
  adkit retune runs/detector fresh_normals --confirmed --out runs/detector/policy.json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add_shared(parser, "detector")
    add("normals", type=Path, metavar="FOLDER", help="at least 20 fresh normal images")
    add(
        "--confirmed",
        action="store_true",
        help="a person has looked at these images and found them normal; refused without it",
    )
    add("--out", type=Path, metavar="FILE", help="where the new policy goes (default: nowhere)")
    add("--policy", type=Path, metavar="FILE", help="of today (default: policy.json beside the detector)")
    add("--cap", type=float, default=0.2, help="largest change in one step, as a share (default: 0.2)")
    add_shared(parser, "--quiet")


def run(chosen: Namespace) -> int:
    """Propose, and write where that is asked.

    Args:
        chosen: what the parser has read.
    """
    proposal = retune_folder(
        chosen.detector.expanduser(), chosen.normals.expanduser(), chosen.out, chosen.policy, chosen.confirmed,
        chosen.cap, chosen.quiet,
    )  # fmt: skip
    say(proposal.recommendation)
    say(f"flagged of these normals: {proposal.alarms_before:.1%} before, {proposal.alarms_after:.1%} after")
    say(f"verdicts that change: {', '.join(proposal.flips) or 'none'}")
    say(f"written: {chosen.out}" if chosen.out else "nothing was written; --out FILE writes the new policy")
    return 0
