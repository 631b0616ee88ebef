"""``adkit evaluate``: judge a saved detector on a test set."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.data.data_arguments import add_data_arguments, load_chosen
from adkit.detectors.storage import load_detector
from adkit.experiments.evaluation import Evaluation, evaluate
from adkit.runtime.console import say
from adkit.runtime.serialization import write_json

EPILOG = """
The images are prepared as those of the training were.

  adkit evaluate runs/detector --root photos
  adkit evaluate runs/detector --dataset aitex --root DIR --category 02 --json runs/aitex02.json
"""
SHOWN = ("image_auroc", "image_ap", "false_positive_rate", "recall", "pixel_auroc", "pixel_ap", "pro", "pro_macro")


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("detector", type=Path, metavar="DETECTOR", help="folder of a saved detector")
    add("--json", type=Path, metavar="FILE", help="write all numbers to a file")
    add("--bootstrap", type=int, default=1000, metavar="N", help="samples behind the intervals; 0: none (default 1000)")
    add("--fpr-limit", type=float, default=0.3, metavar="X", help="up to which PRO is integrated (default 0.3)")
    add("--device", default="auto", help="auto (default), cpu, cuda, cuda:N or mps")
    add_data_arguments(parser, sizes=False)


def run(chosen: Namespace) -> int:
    """Judge, and print the numbers.

    Args:
        chosen: what the parser has read.
    """
    detector = load_detector(chosen.detector.expanduser(), device=chosen.device)
    seen = detector.preprocessing
    prepared = {"image_size": seen.resize, "channels": seen.channels, "tile": seen.tile, "overlap": seen.overlap}
    if getattr(seen, "bits", None) is not None:
        prepared["bits"] = seen.bits
    splits = load_chosen(chosen, **prepared, foreground=seen.foreground)
    found = evaluate(detector, splits.test, fpr_limit=chosen.fpr_limit, bootstrap=chosen.bootstrap)
    if chosen.json:
        write_json(chosen.json.expanduser(), found.as_dict())
    say("\n".join(lines(found)))
    return 0


def lines(found: Evaluation) -> list[str]:
    """The numbers of an evaluation, one a line, with their intervals; then by defect type, and what is missing.

    Args:
        found: of :func:`adkit.evaluate`.

    Example:
        >>> lines(Evaluation(pro=0.5, intervals={"pro": (0.4, 0.6)}, notes={"masks": "2 have no mask"}))
        ['pro                  0.500 [0.40, 0.60]', 'masks: 2 have no mask']
    """
    said = []
    for name in SHOWN:
        if (value := getattr(found, name, None)) is not None:
            low, high = found.intervals.get(name, (None, None))
            said.append(f"{name:<20} {value:.3f}" + (f" [{low:.2f}, {high:.2f}]" if low is not None else ""))
    for kind, row in found.by_kind.items():
        numbers = {name: row.get(name) for name in ("recall", "image_auroc", "pro")}
        shown = ", ".join(f"{name} {value:.3f}" for name, value in numbers.items() if value is not None)
        said.append(f"  {kind} ({row['n']}): {shown}")
    return [*said, *(f"{name}: {reason}" for name, reason in found.notes.items())]
