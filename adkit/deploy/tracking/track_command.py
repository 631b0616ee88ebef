"""``adkit track``: finished runs into MLflow."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.deploy.tracking.importing import import_runs
from adkit.runtime import home
from adkit.runtime.console import say

EPILOG = """
Each result is tracked once, however often the command is given. Without --uri all goes to a sqlite file, offline:

  adkit track
  mlflow ui --backend-store-uri sqlite:///runs/mlflow.db      needs the whole of MLflow: pip install mlflow
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("root", type=Path, nargs="?", metavar="DIR", help="where finished runs lie (default: ADKIT_HOME)")
    add("--uri", help="of MLflow (default: a sqlite file under ADKIT_HOME)")
    add("--experiment", default="adkit", help="name of the experiment (default: adkit)")


def run(chosen: Namespace) -> int:
    """Track, and say how many.

    Args:
        chosen: what the parser has read.
    """
    ids = import_runs(chosen.root, chosen.uri, chosen.experiment)
    say(f"{len(ids)} finished run(s) are tracked at {chosen.uri or f'sqlite:///{home()}/mlflow.db'}")
    return 0
