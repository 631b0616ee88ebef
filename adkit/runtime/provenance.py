"""Which of adkit's own sources a result depends on, and a hash of what they do: a result is as old as its code.

What counts is a module's syntax tree without docstrings, comments and imports of other modules of adkit, which are
followed instead. Neither the name of a file nor its place counts: a move, a comment or a better docstring keeps what
was computed, a changed operator does not.
"""

import ast
import hashlib
import platform
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from adkit.runtime import VERSION

PACKAGE = Path(__file__).parents[1]
# packages that only hand names on and say the version
FACADES = ("adkit", "adkit.runtime")
# modules that show or keep a result, and cannot change it; what lies below one of them neither
NO_EFFECT = (
    "adkit.batch",
    "adkit.experiments.cache",
    "adkit.figures",
    "adkit.runtime.atomic",
    "adkit.runtime.checkpoint",
    "adkit.runtime.console",
    "adkit.runtime.lazy",
    "adkit.runtime.lock",
    "adkit.runtime.progress",
    "adkit.runtime.provenance",
    "adkit.runtime.serialization",
)


def versions() -> dict[str, str]:
    """The versions of adkit, torch and Python that made a result."""
    import torch  # slow to import, and a small inspection box has none

    return {"adkit": VERSION, "torch": torch.__version__, "python": platform.python_version()}


def loaded_modules() -> list[str]:
    """Names of the adkit modules that are loaded, sorted."""
    return sorted(name for name in sys.modules if find_source(name) is not None)


def imported_modules(names: Iterable[str]) -> list[str]:
    """Names of the adkit modules whose code these can run, themselves included; read from their sources.

    A name that a package hands on is followed to the module that defines it. Modules that only show or keep results
    (``NO_EFFECT``) are left out, and so are imports that serve a type checker alone.

    Args:
        names: modules such as ``adkit.losses.divergence``; what is no module of adkit is passed over.

    Example:
        >>> imported_modules(["adkit.losses.divergence"])
        ['adkit.losses.divergence', 'adkit.losses.images']
    """
    seen, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen and find_source(name) is not None and not _has_no_effect(name):
            seen.add(name)
            waiting += _imports(name)
    return sorted(seen)


def source_fingerprint(modules: Iterable[str] | None = None) -> str:
    """SHA-256 of what adkit's modules do: of those named, else of the whole package; in whichever file it stands.

    Args:
        modules: names such as ``adkit.losses``; a package stands for its ``__init__.py`` alone.

    Raises:
        ValueError: if a module is not one of adkit's.

    Example:
        >>> source_fingerprint(["adkit", "adkit.runtime"]) == source_fingerprint(["adkit.runtime", "adkit"])
        True
    """
    files = sorted(PACKAGE.rglob("*.py")) if modules is None else []
    for name in modules or ():
        if (path := find_source(name)) is None:
            raise ValueError(f"{name!r} is no module of adkit; expected names such as adkit.losses")
        files.append(path)
    contents = {content_hash(path.read_bytes()) for path in files} - {content_hash(b"")}
    return hashlib.sha256("\n".join(sorted(contents)).encode()).hexdigest()


@lru_cache(maxsize=1024)
def content_hash(source: bytes | str) -> str:
    """SHA-256 of what Python source does: its syntax tree without docstrings, comments and imports of adkit's modules.

    Imports of other packages count, in whichever order they stand: another package is another function.

    Example:
        >>> content_hash("f = lambda x: 2 * x  # why") == content_hash("f = lambda x: (2*x)")
        True
        >>> content_hash("f = lambda x: 2 * x") == content_hash("f = lambda x: 2 + x")
        False
    """
    tree = ast.parse(source)
    foreign = sorted({ast.unparse(node) for node in _import_nodes(tree) if not _is_own(node)})
    return hashlib.sha256("\n".join([*foreign, _plain(tree)]).encode()).hexdigest()


def find_source(name: str) -> Path | None:
    """The file of an adkit module; None where the name is none of adkit's modules (a function, or another package)."""
    package, *parts = name.split(".")
    base = PACKAGE.joinpath(*parts)
    candidates = [base.with_suffix(".py")] * bool(parts) + [base / "__init__.py"]
    return next((path for path in candidates if path.is_file()), None) if package == "adkit" else None


def _has_no_effect(name: str) -> bool:
    return name in FACADES or any(name == room or name.startswith(f"{room}.") for room in NO_EFFECT)


def _imports(name: str) -> Iterator[str]:
    """The adkit modules that one imports, where they are defined and not where they are handed on."""
    for node in _import_nodes(_parsed(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif node.module:
            yield from (_home(node.module, alias.name) for alias in node.names)


def _home(module: str, name: str) -> str:
    """The module in which a name that is imported from ``module`` is defined."""
    if find_source(f"{module}.{name}") is not None:
        return f"{module}.{name}"
    path = find_source(module)
    if path is not None and path.name == "__init__.py":
        tree = _parsed(module)
        if name in (homes := _lazy_homes(tree)):
            return homes[name]
        for node in _import_nodes(tree):
            if isinstance(node, ast.ImportFrom) and name in [alias.asname or alias.name for alias in node.names]:
                return _home(node.module, name)
    return module


def _lazy_homes(tree: ast.Module) -> dict[str, str]:
    """Name → module, of a package that hands names on by :func:`adkit.runtime.lazy.lazy_exports`."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES"]
    return ast.literal_eval(assigned[0].value) if assigned else {}


def _parsed(name: str) -> ast.Module:
    return ast.parse(find_source(name).read_bytes())


def _import_nodes(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import of a tree, in functions too, but for those under ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not _for_type_checkers(node):
            yield from _import_nodes(node)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_own(node: ast.Import | ast.ImportFrom) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return all(name.split(".")[0] == "adkit" for name in names)


def _plain(node: object) -> str:
    """A syntax tree as text without what does nothing, and without empty fields: they differ between Pythons."""
    if isinstance(node, list):
        return "[" + ",".join(_plain(child) for child in node if not _does_nothing(child)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: _plain(value) for name, value in ast.iter_fields(node) if value is not None}
    filled = [f"{name}={text}" for name, text in fields.items() if text != "[]"]
    return f"{type(node).__name__}({','.join(filled)})"


def _does_nothing(node: object) -> bool:
    """True of imports, of docstrings and of any other text that stands alone."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return text or isinstance(node, (ast.Import, ast.ImportFrom)) or _for_type_checkers(node)
