"""Arguments that several commands of this room take, in one wording."""

from argparse import ArgumentParser
from pathlib import Path

SHARED = {
    "detector": {"type": Path, "metavar": "DETECTOR", "help": "folder of a saved or an exported detector"},
    "--policy": {"type": Path, "metavar": "FILE", "help": "where to cut (default: policy.json beside the detector)"},
    "--device": {"default": "auto", "help": "auto (default), cpu, cuda, cuda:N or mps"},
    "--quiet": {"action": "store_true", "help": "no progress"},
}


def add_shared(parser: ArgumentParser, *names: str) -> None:
    """Add some of them to a command.

    Args:
        parser: of the command.
        names: of ``SHARED``.

    Example:
        >>> parser = ArgumentParser()
        >>> add_shared(parser, "detector", "--quiet")
        >>> parser.parse_args(["runs/detector", "--quiet"]).quiet
        True
    """
    for name in names:
        parser.add_argument(name, **SHARED[name])
