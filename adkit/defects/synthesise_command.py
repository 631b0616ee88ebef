"""``adkit synthesise DIR``: good images and drawn defects as a test set on disk, in the layout of MVTec AD."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.data import load_dataset
from adkit.defects.registry import DEFECT_TYPES
from adkit.defects.synthesise import synthesise
from adkit.runtime.console import say

EPILOG = f"""
Types: {", ".join(DEFECT_TYPES)}.
Defects are drawn on held-out images, whose sources are not in train. A command that was killed goes on where it was
when it is given again. The set is read as any other: --dataset mvtec --root DIR.

  adkit synthesise photos --out drawn --n 200
  adkit synthesise photos --out drawn --n 50 --kinds stain line --contrast 0.05 0.2 --seed 1
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("root", metavar="DIR", help="where the good images lie; folders of defects beside them are not used")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the set: new, or holding this very set")
    add("--n", type=int, default=200, metavar="N", help="images with a defect (default 200)")
    add("--kinds", nargs="+", metavar="NAME", help="types of defect, which take turns (default: all)")
    span = {"nargs": 2, "type": float, "metavar": "X"}
    add("--size", default=[0.05, 0.3], **span, help="from and to, shares of the shorter side (default 0.05 0.3)")
    add("--contrast", default=[0.1, 0.6], **span, help="from and to, in [0, 1] (default 0.1 0.6)")
    add("--seed", type=int, default=0, metavar="N", help="of what is drawn (default 0)")
    add("--dataset", default="folder", metavar="NAME", help="layout of DIR (default: recognised)")
    add("--category", nargs="+", metavar="NAME", help="fabric or object, where DIR holds several")
    add("--quiet", action="store_true", help="no progress")


def run(chosen: Namespace) -> int:
    """Draw, write, and say what there is.

    Args:
        chosen: what the parser has read.
    """
    root = Path(chosen.root).expanduser()
    category = chosen.category[0] if chosen.category and len(chosen.category) == 1 else chosen.category
    splits = load_dataset(chosen.dataset, root=root, category=category)
    drawn = {"seed": chosen.seed, "size": tuple(chosen.size), "contrast": tuple(chosen.contrast)}
    made = synthesise(splits, chosen.out, chosen.n, chosen.kinds, **drawn, quiet=chosen.quiet)
    counts = ", ".join(f"{count} {name}" for name, count in made.images.items())
    say(f"{'written' if made.fresh else 'already there'}: {made.folder} ({counts})")
    return 0
