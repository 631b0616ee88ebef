"""Manners of the test suite that the linter does not know."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PATCHERS = {"setattr", "delattr", "patch", "object", "multiple", "dict"}


def dotted_patches(source: str) -> list[str]:
    """Calls that patch a module of adkit named by a string: they break late, and say nothing when the module moves."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if patches(call) and any(names_a_module(part) for part in target(call))]


def patches(call: ast.Call) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] in PATCHERS


def target(call: ast.Call) -> list[ast.expr]:
    """What is patched: the first argument, or the one that is called ``target``."""
    return call.args[:1] + [word.value for word in call.keywords if word.arg in ("target", "in_dict")]


def names_a_module(value: ast.expr) -> bool:
    """A text, or an f-text, that begins with ``adkit.``."""
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    return bool(parts) and isinstance(parts[0], ast.Constant) and str(parts[0].value).startswith("adkit.")


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.relative_to(TESTS).as_posix())
def test_modules_are_patched_as_objects(path):
    assert dotted_patches(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'm.setattr("adkit.a.b", 1)',
        'm.delattr("adkit.a.b")',
        'with patch(f"adkit.{a}.b"): pass',
        'mock.patch(target="adkit.a")',
        'patch.dict("adkit.a.B", b=1)',
    ],
)
def test_a_patch_by_a_dotted_string_is_found(line):
    assert len(dotted_patches(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        'm.setattr(measure, "judge", die)',
        'patch.object(training, "fit")',
        'm.setattr("os.name", "nt")',
        'm.setitem(REGISTRY, "Mine", "adkit.mine")',
    ],
)
def test_objects_and_foreign_modules_may_be_patched(line):
    assert dotted_patches(line) == []
