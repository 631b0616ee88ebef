"""The parameters of a notebook: read from the cell that annotates them, and told apart from the default run's."""

import ast
import hashlib
import json
from collections.abc import Mapping
from typing import Any

# Parameters that say where a lesson runs: they are not kept with its results.
PLACES = ("root", "out", "pictures", "interactive")
# Parameters that do not change what a lesson shows.
UNCOUNTED = (*PLACES, "device", "precision")


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
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return []
    annotations = [statement.target for statement in statements if isinstance(statement, ast.AnnAssign)]
    return [target.id for target in annotations if isinstance(target, ast.Name)]


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
