"""``adkit predict``: judge images, or whole folders, with a saved detector."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.detectors.storage import load_detector
from adkit.runtime.console import say

EPILOG = """
Of a folder come tables and pictures, see --out. A command that was killed goes on where it was when it is given again.

  adkit predict runs/detector photo.png other.png
  adkit predict runs/detector photo.png --json
  adkit predict runs/detector photo.png --save result.png
  adkit predict runs/detector photo.png --percentile 99
  adkit predict runs/detector incoming --out verdicts
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("detector", type=Path, metavar="DETECTOR", help="folder of a saved detector")
    add("images", nargs="+", type=Path, metavar="IMAGE", help="images, or one folder of them")
    add("--out", type=Path, metavar="DIR", help="of a folder: where tables and pictures go")
    add("--save", type=Path, metavar="FILE", help="of one image: a picture of it beside its map and mask, as PNG")
    add(
        "--percentile",
        type=float,
        metavar="Q",
        help="image threshold at this percentile of the validation normals, such as 90, 95 or 99 (default: the "
        "detector's own)",
    )
    add("--json", action="store_true", help="print one JSON object an image")
    add("--device", default="auto", help="auto (default), cpu, cuda, cuda:N or mps")
    add("--quiet", action="store_true", help="no progress")


def run(chosen: Namespace) -> int:
    """Judge, and print the verdicts.

    Args:
        chosen: what the parser has read.
    """
    paths = [path.expanduser() for path in chosen.images]
    folders = [path for path in paths if path.is_dir()]
    if folders and (len(paths) > 1 or chosen.out is None):
        raise ValueError("a folder is judged alone, and needs --out DIR for its tables and pictures")
    if chosen.save and (folders or len(paths) > 1):
        raise ValueError("--save is the picture of one image; of a folder, --out DIR holds a picture of each")
    if missing := [str(path) for path in paths if not path.exists()]:
        raise FileNotFoundError(f"no such image or folder: {', '.join(missing)}")
    detector = load_detector(chosen.detector.expanduser(), device=chosen.device)
    detector = detector if chosen.percentile is None else detector.at_percentile(chosen.percentile)
    detector.quiet = chosen.quiet
    if folders:
        rows = detector.predict_folder(folders[0], chosen.out.expanduser())
    else:
        rows = []
        for path in paths:
            seen = detector.predict(path, save=chosen.save)
            rows.append({"path": str(path), "score": seen.score, "threshold": seen.threshold})
            rows[-1] |= {"is_anomalous": seen.is_anomalous, "mask_share": float(seen.mask.mean())}
    for row in rows:
        say(json.dumps(row) if chosen.json else verdict(row))
    flagged = sum(row["is_anomalous"] for row in rows)
    if folders and not chosen.json:
        say(f"{flagged} of {len(rows)} images are anomalous; tables and pictures: {chosen.out}")
    return 0


def verdict(row: dict) -> str:
    """A row of the tables as a line.

    Args:
        row: ``path``, ``score``, ``threshold`` and ``is_anomalous``.

    Example:
        >>> verdict({"path": "a.png", "score": 0.5, "threshold": 0.25, "is_anomalous": True})
        'ANOMALOUS  score 0.5      threshold 0.25     a.png'
    """
    word = "ANOMALOUS" if row["is_anomalous"] else "good"
    return f"{word:<9}  score {row['score']:<8.4g} threshold {row['threshold']:<8.4g} {row['path']}"
