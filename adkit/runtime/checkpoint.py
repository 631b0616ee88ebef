"""A checkpoint on disk: a plain dict of tensors and numbers, written whole or not at all; it holds no code."""

import pickle
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from adkit.runtime.atomic import atomic_path

# what torch says of a file that is no checkpoint, or half of one
DAMAGE = (RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError, zipfile.BadZipFile)


def write_checkpoint(path: str | Path, state: Mapping) -> None:
    """Write a state, whole or not at all.

    Args:
        path: of the file; one that is there is replaced.
        state: tensors, numbers, texts, and lists and dicts of them.

    Raises:
        OSError: if the disk is full or closed to us; what is there stays as it was.
    """
    import torch  # slow to import, and a small inspection box has none

    with atomic_path(path) as temporary:
        torch.save(dict(state), temporary)


def read_checkpoint(path: str | Path, names: Collection[str]) -> dict | None:
    """The state in a file; None, with a warning, where it is damaged: whoever asks begins afresh then.

    Args:
        path: of the file.
        names: that a whole state has.

    Raises:
        OSError: if the file cannot be opened.

    Warns:
        UserWarning: if it is damaged.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if missing := [name for name in names if not isinstance(state, dict) or name not in state]:
            raise ValueError(f"it lacks {', '.join(missing)}")
    except DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(
            f"the checkpoint {path} is damaged ({reason:.120}) and is passed over: this run begins afresh", stacklevel=4
        )
        return None
    return state
