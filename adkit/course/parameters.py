"""The parameters of a notebook: read from the cell that annotates them, checked, told apart from the default run's."""

import ast
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from adkit.runtime.values import did_you_mean, flag, number, whole

# Parameters that say where a lesson runs: they are not kept with its results.
PLACES = ("root", "out", "pictures", "interactive")
# Parameters that do not change what a lesson shows.
UNCOUNTED = (*PLACES, "device", "precision")


# a batch run's own cell begins so; papermill writes it
INJECTED = "# Parameters"
# annotation → what a value may be, what to say it must be, and how papermill is told such a value
TYPES: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "int": (whole, "a whole number", "-p {name} 3"),
    "float": (number, "a number", "-p {name} 0.5"),
    "bool": (flag, "True or False", "-p {name} True"),
    "str": (lambda value: value is None or isinstance(value, str), "a text", "-r {name} TEXT"),
    "list": (lambda value: isinstance(value, list | tuple), "a list", "-y '{name}: {example}'"),
    "dict": (lambda value: isinstance(value, dict), "a dict", "-y '{name}: {{key: value}}'"),
}
# texts that may look like a number, such as the fabric 02
NUMBERED = ("category",)


def given(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a run, checked: a batch run may set those that there are, to values of their type.

    Args:
        namespace: the notebook's ``globals()``.

    Returns:
        Name → value, in the order of the parameters cell.

    Raises:
        ValueError: if nothing is annotated, a batch run sets a name that no cell annotates, or a value is of another
            type; the error says what to write.

    Example:
        >>> given({"__annotations__": {"seeds": list}, "seeds": 3})
        Traceback (most recent call last):
        ...
        ValueError: seeds must be a list, got 3; with papermill: -y 'seeds: [0, 1, 2]'
    """
    found = annotated(namespace)
    cells = [cell for cell in namespace.get("In", ()) if cell.lstrip().startswith(INJECTED)]
    for name in dict.fromkeys(name for cell in cells for name in assigned_names(cell)):
        if name not in found:
            raise ValueError(
                f"unknown parameter {name!r}{did_you_mean(name, found)}; this notebook has {', '.join(found)}"
            )
    for name, kind in _annotations(namespace).items():
        if kind not in TYPES or name not in found or (name in NUMBERED and whole(found[name])):
            continue
        valid, expected, flags = TYPES[kind]
        if not valid(found[name]):
            example = _example(found[name], name)
            raise ValueError(
                f"{name} must be {expected}, got {found[name]!r}; with papermill: "
                f"{flags.format(name=name, example=example)}"
            )
    return found


def _example(value: Any, name: str) -> str:
    """A list that somebody may have meant who gave this value."""
    if whole(value) and name == "seeds":
        return str(list(range(max(value, 1))))
    if isinstance(value, str) and value.lstrip().startswith("["):
        return value
    return f"[{value}]"


def _annotations(namespace: Mapping[str, Any]) -> dict[str, str]:
    """Name → its annotation, as it is written."""
    kept = namespace.get("__annotations__")
    if kept is not None:
        return {name: kind.__name__ if isinstance(kind, type) else str(kind) for name, kind in kept.items()}
    statements = [node for cell in namespace.get("In", ()) for node in _statements(cell)]
    marked = [node for node in statements if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    return {node.target.id: ast.unparse(node.annotation) for node in marked}


def annotated(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a notebook: what its cells annotate, as only its parameters cell does, with today's values.

    A batch run sets other values in a cell of its own, without annotations, and they are the ones that are found.

    Args:
        namespace: the notebook's ``globals()``.

    Returns:
        Name → value, in the order of the parameters cell.

    Raises:
        ValueError: if nothing is annotated.

    Example:
        >>> annotated({"__annotations__": {"steps": int}, "steps": 5, "os": None})
        {'steps': 5}
    """
    names = namespace.get("__annotations__")
    if names is None:
        # From Python 3.14 on, no dict of annotations is kept: IPython remembers the cells that were run.
        names = [name for cell in namespace.get("In", ()) for name in annotated_names(cell)]
    found = {name: namespace[name] for name in names if name in namespace}
    if not found:
        raise ValueError(
            "no parameters: expected a cell with lines such as `steps: int = 400` that was run before, or a dict of "
            "parameters in place of globals()"
        )
    return found


def annotated_names(source: str) -> list[str]:
    """The names that the source of a cell annotates; none where it is no Python.

    Args:
        source: text of the cell.

    Example:
        >>> annotated_names("steps: int = 400  # optimiser steps")
        ['steps']
    """
    annotations = [node.target for node in _statements(source) if isinstance(node, ast.AnnAssign)]
    return [target.id for target in annotations if isinstance(target, ast.Name)]


def assigned_names(source: str) -> list[str]:
    """The names that the source of a cell sets; none where it is no Python.

    Args:
        source: text of the cell.

    Example:
        >>> assigned_names("stpes = 4; seed = 1")
        ['stpes', 'seed']
    """
    targets = [target for node in _statements(source) if isinstance(node, ast.Assign) for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError):
        return []


def digest(parameters: Mapping[str, Any]) -> str:
    """Eight letters that stand for a run's parameters, but for those that say where it runs and not what it does.

    Args:
        parameters: name → literal.

    Example:
        >>> digest({"steps": 400, "device": "cpu"}) == digest({"steps": 400, "device": "cuda"})
        True
    """
    counted = {key: value for key, value in parameters.items() if key not in UNCOUNTED}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:8]
