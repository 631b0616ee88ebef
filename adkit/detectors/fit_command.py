"""``adkit fit``: train a detector on good images, and save it."""

import ast
import hashlib
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from glob import escape
from pathlib import Path
from typing import Any

from adkit.data.data_arguments import add_data_arguments, load_chosen
from adkit.detectors.base import Detector
from adkit.detectors.registry import detector_class, known_methods
from adkit.detectors.settings import OF_A_RUN
from adkit.runtime.console import say
from adkit.runtime.processes import is_first, process_count

EPILOG = """
A command that was killed goes on where it was when it is given again. Several GPUs train one network together where
the command is launched by accelerate: accelerate launch --num_processes 4 -m adkit fit …

  adkit fit --root photos --out runs/detector
  adkit fit --root photos --method patchcore --out runs/patchcore
  adkit fit --root photos --image-size 256 256 --set steps=2000 loss="mse + 0.5*ssim" --out runs/long
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the detector; one that is there is replaced")
    add(
        "--method",
        choices=known_methods(),
        default="autoencoder",
        metavar="NAME",
        help=f"{', '.join(known_methods())} (default autoencoder)",
    )
    add_training_arguments(parser, "steps=2000")
    add_data_arguments(parser)


def run(chosen: Namespace) -> int:
    """Train and save.

    Args:
        chosen: what the parser has read.
    """
    detector = chosen_detector(chosen)
    out = chosen.out.expanduser()
    if out.exists() and not (out / "detector.json").is_file():
        raise ValueError(f"{out} exists and is no saved detector; choose another path")
    splits = load_chosen(chosen)
    processes = [process_count()] if process_count() > 1 else []
    described = [chosen.method, asdict(detector.settings), splits.fingerprint, *processes]
    key = json.dumps(described, sort_keys=True, default=str)
    detector.checkpoint = out.with_name(f"{out.name}.{hashlib.sha256(key.encode()).hexdigest()[:12]}.checkpoint")
    detector.fit(splits.train, splits.validation).save(out)
    if is_first():
        for path in out.parent.glob(f"{escape(detector.checkpoint.name)}*"):  # a method of several parts has several
            path.unlink()
        say(f"{out}: {detector!r}")
    return 0


def add_training_arguments(parser: ArgumentParser, example: str) -> None:
    """The settings of a method, and those of a run; :func:`chosen_detector` reads them.

    Args:
        parser: of a command that also has ``--method``.
        example: of a setting.
    """
    add = parser.add_argument
    add("--set", nargs="+", default=[], metavar="NAME=VALUE", help=f"settings of the method, such as {example}")
    add("--seed", type=int, default=0, metavar="N", help="of the training (default 0)")
    add("--device", default="auto", help="auto (default), cpu, cuda, cuda:N or mps")
    add("--quiet", action="store_true", help="no progress")


def chosen_detector(chosen: Namespace) -> Detector:
    """The detector that a command's arguments describe, not fitted.

    Args:
        chosen: what the parser has read.

    Raises:
        ValueError: if a setting is unknown, out of its range, or has an option of its own.
    """
    settings = settings_of(chosen.set)
    if taken := set(OF_A_RUN) & settings.keys():
        raise ValueError(f"{', '.join(sorted(taken))} has an option of its own: write --{min(taken)} …")
    return detector_class(chosen.method)(**settings, seed=chosen.seed, device=chosen.device, quiet=chosen.quiet)


def settings_of(words: Sequence[str]) -> dict[str, Any]:
    """Settings from words such as ``steps=2000``; a value that is no Python literal is a text.

    Args:
        words: name and value, with ``=`` between them.

    Raises:
        ValueError: if a word has no ``=``.

    Example:
        >>> settings_of(["steps=2000", "loss=mse + 0.5*ssim", "defects=None"])
        {'steps': 2000, 'loss': 'mse + 0.5*ssim', 'defects': None}
    """
    settings = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise ValueError(f"a setting must read like steps=2000, got {word!r}")
        try:
            settings[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[name] = value
    return settings
