"""Names that a package hands on without importing what defines them until somebody asks."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_exports(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package whose public names live in other modules.

    Args:
        package: its ``__name__``.
        homes: name → the module that defines it.

    Returns:
        The two functions; a name is imported once, and then lies in the package.

    Raises:
        AttributeError: by ``__getattr__``, for a name that is none of them; it lists those that are.
    """

    def __getattr__(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it offers {', '.join(sorted(homes))}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__, lambda: sorted(homes)
