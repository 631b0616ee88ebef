"""The command line: ``adkit COMMAND``, or ``python -m adkit COMMAND``.

Each command is a module of the room that does its work, with ``add_arguments(parser)`` and ``run(chosen)``, which
returns the exit code; it is imported when it is asked for.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from adkit.runtime import VERSION
from adkit.runtime.command import Parser, closest, interrupted, run_command

# command → its module, and what it does
COMMANDS = {
    "check": ("adkit.data.check_command", "look at a folder of images before anything learns from it"),
    "recommend": ("adkit.compare.recommend_command", "try methods within a budget, and say which one fits"),
    "fit": ("adkit.detectors.fit_command", "train a detector on good images, and save it"),
    "train": (
        "adkit.experiments.train_command",
        "train a network, with curves, pictures and thresholds recorded",
    ),
    "predict": ("adkit.detectors.predict_command", "judge images, or whole folders, with a saved detector"),
    "evaluate": ("adkit.experiments.evaluate_command", "judge a saved detector on a test set"),
    "compare": ("adkit.compare.compare_command", "every method under one protocol"),
    "synthesise": ("adkit.defects.synthesise_command", "draw defects on good images: a test set with masks, on disk"),
    "report": ("adkit.deploy.report.report_command", "a folder of images judged, as one HTML page"),
    "serve": ("adkit.deploy.serving.serve_command", "a detector as a service, with a page to drop images on"),
    "monitor": ("adkit.deploy.monitoring.monitor_command", "drift, rate of alarms, and a camera that fails"),
    "retune": ("adkit.deploy.monitoring.retune_command", "propose new thresholds from confirmed normal images"),
    "export": ("adkit.deploy.export.export_command", "a detector as ONNX, for a box without torch"),
    "track": ("adkit.deploy.tracking.track_command", "finished runs into MLflow"),
    "batch": ("adkit.batch.batch_command", "a plan of notebooks, on this machine or a cluster"),
    "runs": ("adkit.experiments.runs_command", "list what is kept under ADKIT_HOME, and remove what is asked"),
}
EXAMPLES = """
From a folder of photographs to verdicts:

  adkit check photos                              what is there, and what of it will be used
  adkit fit --root photos --out runs/detector     learn what good looks like
  adkit evaluate runs/detector --root photos      how good is it, where defects are known
  adkit predict runs/detector new_photo.png       one image
  adkit predict runs/detector incoming --out verdicts

adkit COMMAND --help explains a command. Results are kept under ADKIT_HOME, else ./runs.
Exit codes: 0 done, 1 the work failed, 2 wrong use.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: words behind ``adkit``; None: those of the shell.

    Returns:
        The exit code: 0, or 1 where the work failed.

    Raises:
        SystemExit: with 2, for wrong use; with 0, after ``--help``.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = words[0] if words else ""
    parser, parsers = _parser()
    if not words:
        parser.print_help()
        return 0
    if chosen not in COMMANDS:
        parser.parse_args(words)  # help, version, or an error
    command = parsers[chosen]
    try:
        module = import_module(COMMANDS[chosen][0])
    except KeyboardInterrupt:  # what is imported takes seconds
        return interrupted(command.prog)
    module.add_arguments(command)
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        command.error(f"unrecognized arguments: {' '.join(unknown)}{closest(command, unknown[0])}")
    return run_command(command.prog, lambda: module.run(arguments))


def _parser() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(
        prog="adkit",
        description="Find defects by learning from good images alone.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"adkit {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    return parser, {
        name: commands.add_parser(name, help=text, description=text) for name, (_, text) in COMMANDS.items()
    }


if __name__ == "__main__":
    sys.exit(main())
