"""Packages that not everybody needs: an error that says how to get one, instead of the name of a module."""

from importlib import import_module
from types import ModuleType


def require(module: str, extra: str) -> ModuleType:
    """Import a package that belongs to an extra.

    Args:
        module: such as ``fastapi``.
        extra: such as ``serve``.

    Raises:
        ImportError: if it is not installed; it says what to install.

    Example:
        >>> require("json", "serve").__name__
        'json'
    """
    try:
        return import_module(module)
    except ImportError as error:
        told = f'{module} is not installed; pip install "FOLDER[{extra}]" brings it, with the folder of adkit'
        raise ImportError(told) from error
