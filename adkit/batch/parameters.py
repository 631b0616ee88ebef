"""The parameters of a notebook, and whether values fit them: papermill would only log a misspelt name and go on."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from adkit.runtime.values import did_you_mean

NAMES = {"int": int, "float": (int, float), "str": str, "bool": bool, "list": list, "dict": dict, "tuple": list}
OPEN = ("Any", "object")


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell.

    Attributes:
        name: of the parameter.
        annotation: its type as written; that of its default where none is written; empty: unknown.
    """

    name: str
    annotation: str = ""


def notebook_parameters(notebook: Mapping) -> dict[str, Parameter]:
    """Name → parameter, of the cell that is tagged ``parameters``.

    Args:
        notebook: as JSON.

    Raises:
        ValueError: if there is no such cell, or it is no Python.

    Example:
        >>> cell = {"source": "steps: int = 400", "metadata": {"tags": ["parameters"]}}
        >>> notebook_parameters({"cells": [cell]})
        {'steps': Parameter(name='steps', annotation='int')}
    """
    tagged = [cell for cell in notebook.get("cells", []) if "parameters" in cell["metadata"].get("tags", [])]
    if not tagged:
        raise ValueError(
            "no cell is tagged `parameters`: papermill would put the values at the top, where the notebook's own lines "
            "overwrite them; tag the cell with the defaults"
        )
    try:
        statements = ast.parse("".join(tagged[0]["source"])).body
    except SyntaxError as error:
        raise ValueError(f"its parameters cell is no Python ({error})") from error
    found = {}
    for statement in statements:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = Parameter(statement.target.id, ast.unparse(statement.annotation))
        elif isinstance(statement, ast.Assign):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            found |= {name: Parameter(name, _type_of(statement.value)) for name in names}
    return found


def problems(known: Mapping[str, Parameter], values: Mapping[str, object]) -> list[str]:
    """What is wrong with values, one sentence each; none where they fit.

    Args:
        known: of :func:`notebook_parameters`.
        values: name → value, as YAML gives them.

    Example:
        >>> known = {"steps": Parameter("steps", "int"), "rate": Parameter("rate", "float")}
        >>> problems(known, {"step": 1, "rate": "1e-3"})
        ["it has no parameter 'step'; did you mean 'steps'?", "rate must be float, got '1e-3' (in YAML, write 1.0e-3)"]
    """
    found = []
    for name, value in values.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"; it has {', '.join(known)}"
            found.append(f"it has no parameter {name!r}{hint}")
        elif (annotation := known[name].annotation) and not accepts(annotation, value):
            hint = " (in YAML, write 1.0e-3)" if _is_number(value) else ""
            found.append(f"{name} must be {annotation}, got {value!r}{hint}")
    return found


def accepts(annotation: str, value: object) -> bool:
    """Whether a value is of an annotated type; a type that is not known here accepts all.

    Args:
        annotation: such as ``int``, ``list[float]``, ``str | None``.
        value: plain data.

    Example:
        >>> accepts("float", 3), accepts("int", True), accepts("list[int] | None", [1, "2"])
        (True, False, False)
    """
    return _accepts(ast.parse(annotation, mode="eval").body, value)


def _accepts(node: ast.expr, value: object) -> bool:
    if isinstance(node, ast.BinOp):  # a | b
        return _accepts(node.left, value) or _accepts(node.right, value)
    if isinstance(node, ast.Constant):
        return (
            _accepts(ast.parse(node.value, mode="eval").body, value) if isinstance(node.value, str) else value is None
        )
    if isinstance(node, ast.Subscript):
        return _accepts_generic(node, value)
    name = ast.unparse(node).rpartition(".")[2].lower()
    if name not in NAMES:
        return True
    if isinstance(value, bool):
        return name == "bool"
    return isinstance(value, NAMES[name])


def _accepts_generic(node: ast.Subscript, value: object) -> bool:
    outer = ast.unparse(node.value).rpartition(".")[2].lower()
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if outer == "literal":
        return value in [ast.literal_eval(each) for each in inner]
    if outer in ("optional", "union"):
        return (outer == "optional" and value is None) or any(_accepts(each, value) for each in inner)
    if not _accepts(node.value, value):
        return False
    if outer in ("list", "sequence") and isinstance(value, list):
        return all(_accepts(inner[0], each) for each in value)
    if outer == "dict" and isinstance(value, dict) and len(inner) == 2:
        return all(_accepts(inner[0], key) and _accepts(inner[1], each) for key, each in value.items())
    return True


def _type_of(value: ast.expr) -> str:
    """Name of a literal's type; empty where it is none, or None."""
    try:
        literal = ast.literal_eval(value)
    except ValueError:
        return ""
    return "" if literal is None else type(literal).__name__


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, str) and float(value) is not None
    except ValueError:
        return False
