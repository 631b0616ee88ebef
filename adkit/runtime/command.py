"""What all commands of a shell share: a page of help, errors of one line, and exit codes that mean something."""

import argparse
import sys
import warnings
from collections.abc import Callable

from adkit.runtime.console import printable, say
from adkit.runtime.values import did_you_mean

WRONG_USE, FAILED, INTERRUPTED = 2, 1, 130  # exit codes


class Parser(argparse.ArgumentParser):
    """Arguments of a command; what is wrong with them is said in one line, and the exit code is 2."""

    def __init__(self, *arguments, **options):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, allow_abbrev=False, **options)

    def error(self, message: str):
        """Say what is wrong, and leave with exit code 2.

        Args:
            message: in words.
        """
        complain(self.prog, f"{message}; see {self.prog} --help")
        raise SystemExit(WRONG_USE)

    def print_help(self, file=None):
        """Print the page, on a stream of any encoding.

        Args:
            file: where to; None: standard output.
        """
        say(self.format_help(), file, end="")


def closest(parser: argparse.ArgumentParser, word: str) -> str:
    """A question after the option that may have been meant; empty where none is like it.

    Args:
        parser: of the command.
        word: that it does not know.

    Example:
        >>> parser = Parser(prog="adkit")
        >>> _ = parser.add_argument("--device")
        >>> closest(parser, "--devcie=cpu"), closest(parser, "other")
        ("; did you mean '--device'?", '')
    """
    known = [option for action in parser._actions for option in action.option_strings]
    return did_you_mean(word.partition("=")[0], known)


def complain(program: str, message: object) -> None:
    """One line on standard error.

    Args:
        program: whose line it is.
        message: what is wrong; line breaks become blanks.
    """
    print(printable(f"{program}: error: {' '.join(str(message).split())}", sys.stderr), file=sys.stderr, flush=True)


def interrupted(program: str) -> int:
    """Say that somebody has stopped the program, and return the exit code.

    Args:
        program: whose line it is.
    """
    complain(program, "interrupted; the same command goes on where this one stopped")
    return INTERRUPTED


def run_command(program: str, work: Callable[[], int]) -> int:
    """Run a command; what it raises becomes one line on standard error.

    Args:
        program: name of the command.
        work: does it, and returns the exit code.

    Returns:
        What the work returned; 1 where the work itself failed, 130 where somebody interrupted it.

    Raises:
        SystemExit: with 2, where an argument, a file or a missing package is to blame.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = lambda message, *_, **__: print(
            printable(f"{program}: warning: {' '.join(str(message).split())}", sys.stderr), file=sys.stderr, flush=True
        )
        try:
            return work()
        except BrokenPipeError:  # whoever read our output has seen enough
            sys.stderr.close()
            return FAILED
        except (ValueError, TypeError, OSError, ImportError) as error:
            complain(program, error)
            raise SystemExit(WRONG_USE) from error
        except RuntimeError as error:
            complain(program, error)
            return FAILED
        except KeyboardInterrupt:
            return interrupted(program)
