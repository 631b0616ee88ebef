"""Which of adkit's own sources a result depends on, and a hash of them: a result is as old as the code that made it."""

import ast
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parent


def loaded_modules() -> list[str]:
    """Names of the adkit modules that are loaded, sorted."""
    return sorted(name for name in sys.modules if find_source(name) is not None)


def imported_modules(names: Iterable[str]) -> list[str]:
    """Names of the adkit modules that these import, directly or not, themselves included; read from their sources.

    Example:
        >>> imported_modules(["adkit.losses.divergence"])
        ['adkit.losses.divergence', 'adkit.losses.images']
    """
    seen, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in seen or (path := find_source(name)) is None:
            continue
        seen.add(name)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
    return sorted(seen)


def source_fingerprint(modules: Iterable[str] | None = None) -> str:
    """SHA-256 of adkit's sources: of the modules named, else of every ``.py`` file of the package.

    Args:
        modules: names such as ``adkit.losses``; a package stands for its ``__init__.py`` alone.

    Raises:
        ValueError: if a module is not one of adkit's.

    Example:
        >>> source_fingerprint(["adkit", "adkit.runtime"]) == source_fingerprint(["adkit.runtime", "adkit"])
        True
    """
    files = sorted(PACKAGE.rglob("*.py")) if modules is None else []
    for name in sorted(modules or ()):
        if (path := find_source(name)) is None:
            raise ValueError(f"{name!r} is no module of adkit; expected names such as adkit.losses")
        files.append(path)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def find_source(name: str) -> Path | None:
    """The file of an adkit module; None where the name is none of adkit's modules (a function, or another package)."""
    package, *parts = name.split(".")
    base = PACKAGE.joinpath(*parts)
    candidates = [base.with_suffix(".py")] * bool(parts) + [base / "__init__.py"]
    return next((path for path in candidates if path.is_file()), None) if package == "adkit" else None
