"""The comparison from a shell: ``python -m adkit.compare``, which is ``adkit compare``."""

import sys
from collections.abc import Sequence

from adkit.compare import compare_command
from adkit.runtime.command import Parser, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, write ``results.json`` and ``table.md``, print the table.

    Args:
        argv: words behind the command; None: those of the shell.

    Returns:
        0, or 1 if no method has a result.

    Raises:
        SystemExit: with 2, for wrong use; with 0, after ``--help``.
    """
    parser = Parser(
        prog="python -m adkit.compare",
        description="Every method of the course under one protocol; writes results.json and table.md.",
    )
    compare_command.add_arguments(parser)
    chosen = parser.parse_args(argv)
    return run_command(parser.prog, lambda: compare_command.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
