"""The data of a command: the arguments of :func:`adkit.load_dataset`, as a shell gives them."""

from argparse import ArgumentParser, Namespace
from typing import Any

from adkit.data import NAMES, Splits, load_dataset

FIELDS = ("dataset", "root", "category", "image_size", "channels", "tile", "overlap")


def add_data_arguments(parser: ArgumentParser, sizes: bool = True) -> None:
    """Say which data.

    Args:
        parser: of the command.
        sizes: also how they are prepared; False where a saved detector says it.
    """
    group = parser.add_argument_group("data")
    add = group.add_argument
    add("--root", metavar="DIR", help="where the images lie")
    add(
        "--dataset",
        choices=NAMES,
        metavar="NAME",
        help=f"{', '.join(NAMES)}; default: folder with --root, else textile",
    )
    add("--category", nargs="+", metavar="NAME", help="fabric or object; default: all the set has")
    if sizes:
        add("--image-size", nargs="+", type=int, metavar="N", help="side, or height and width; default: the set's own")
        add("--channels", type=int, choices=(1, 3), help="default: the set's own")
        add(
            "--tile",
            nargs="+",
            type=int,
            metavar="N",
            help="side, or height and width, of tiles; default: whole images",
        )
        add("--overlap", type=int, metavar="N", help="pixels that neighbouring tiles share")


def chosen_data(chosen: Namespace) -> dict[str, Any]:
    """The arguments that were given, by the names of :func:`adkit.load_dataset`, the set among them as ``dataset``.

    Args:
        chosen: what the parser has read.
    """
    given = {name: alone(getattr(chosen, name, None)) for name in FIELDS}
    given["dataset"] = given["dataset"] or ("folder" if given["root"] else "textile")
    return {name: value for name, value in given.items() if value is not None}


def load_chosen(chosen: Namespace, **more: Any) -> Splits:
    """The data that were asked for.

    Args:
        chosen: what the parser has read.
        more: further arguments of :func:`adkit.load_dataset`.
    """
    given = chosen_data(chosen)
    return load_dataset(given.pop("dataset"), **given, **more)


def alone(value: Any) -> Any:
    """The one value of a list of one.

    Args:
        value: anything.

    Example:
        >>> alone([64]), alone([64, 96]), alone("textile")
        (64, [64, 96], 'textile')
    """
    return value[0] if isinstance(value, list) and len(value) == 1 else value
