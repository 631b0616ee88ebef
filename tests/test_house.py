"""The house rules, read from the sources: few rooms, imports that go downwards only, no circles, no long file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "adkit"
FLOORS = (
    ("runtime",),
    ("batch", "metrics", "losses"),
    ("data", "scoring"),
    ("defects", "models", "training", "figures"),
    ("detectors",),
    ("experiments",),
    ("compare", "diagnose", "deploy"),
    ("course",),
    ("__main__",),
)
NO_ROOM = {"__init__", "__main__", "py"}  # py.typed
FREE = {"adkit"}  # `import adkit` gives the version, and the names that it loads on first use
MOST_ROOMS, MOST_LINES = 16, 300


def files(package: Path) -> dict[str, Path]:
    """Dotted name → file of all modules; a package is named by its folder."""
    paths = {path.relative_to(package.parent).with_suffix(""): path for path in sorted(package.rglob("*.py"))}
    return {".".join(name.parts).removesuffix(".__init__"): path for name, path in paths.items()}


def imports(name: str, modules: dict[str, Path]) -> set[str]:
    """The modules of the package that one imports: anywhere in it, those for annotations only as well."""
    targets: set[str] = set()
    for node in ast.walk(ast.parse(modules[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = absolute(node, name, modules[name])
            within = {f"{origin}.{alias.name}" for alias in node.names}
            targets |= {target if target in modules else origin for target in within}
    return (targets & modules.keys()) - {name}


def absolute(node: ast.ImportFrom, name: str, path: Path) -> str:
    """Where ``from … import`` takes from, also where that is told relatively."""
    parts = name.split(".")[: -node.level + (path.stem == "__init__") or None] if node.level else []
    return ".".join([*parts, *([node.module] if node.module else [])])


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Some modules that import one another in a circle, the first one again at the end; empty if there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name not in done:
            for target in sorted(arrows[name]):
                if around := visit(target, [*way, name]):
                    return around
            done.add(name)
        return []

    return next((around for name in sorted(arrows) if (around := visit(name, []))), [])


def room(name: str) -> str:
    """The folder or file at the top of the package that a module is in."""
    return [*name.split("."), "__init__"][1]


def climbs(name: str, target: str) -> bool:
    """Whether an import does not go down, within its room apart."""
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    return room(name) != room(target) and floor[room(name)] <= floor[room(target)]


MODULES = files(PACKAGE)
IMPORTS = {name: imports(name, MODULES) - FREE for name in MODULES}


def test_few_rooms_and_each_has_its_floor():
    # a folder in which Python left compiled files of a room that has moved is no room
    inhabited = [path for path in PACKAGE.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))]
    rooms = {path.name.split(".")[0] for path in inhabited} - NO_ROOM
    assert rooms <= {room for floor in FLOORS for room in floor}
    assert len(rooms) <= MOST_ROOMS


def test_no_file_is_long():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_modules_import_one_another():
    assert circle(IMPORTS) == []


def test_imports_go_downwards():
    upwards = [
        f"{name} imports {target}"
        for name, targets in IMPORTS.items()
        for target in targets
        if room(name) != "__init__" and climbs(name, target)
    ]
    assert sorted(upwards) == []


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").read_bytes() == b""


# -- the rules themselves, on a small house -------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path):
    sources = {
        "__init__.py": "",
        "data/__init__.py": "from .read import image",
        "data/read.py": "from .. import runtime\nimport adkit.data\nfrom os import path",
        "runtime/__init__.py": "def f():\n    from adkit.runtime.seed import seed",
        "runtime/seed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from adkit import data, training",
        "training.py": "from adkit.models import blocks",
        "models/__init__.py": "",
        "models/blocks.py": "",
    }
    for name, source in sources.items():
        path = tmp_path / "adkit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    modules = files(tmp_path / "adkit")
    return {name: imports(name, modules) for name in modules}


def test_all_ways_to_import_count(house):
    assert house["adkit.data"] == {"adkit.data.read"}
    assert house["adkit.data.read"] == {"adkit.data", "adkit.runtime"}
    assert house["adkit.runtime"] == {"adkit.runtime.seed"}
    assert house["adkit.runtime.seed"] == {"adkit.data", "adkit.training"}
    assert house["adkit.training"] == {"adkit.models.blocks"}


def test_circles_and_climbs_are_found(house):
    assert circle(house) == ["adkit.data", "adkit.data.read", "adkit.data"]
    house["adkit.data.read"] = {"adkit.runtime"}
    assert circle(house) == ["adkit.data", "adkit.data.read", "adkit.runtime", "adkit.runtime.seed", "adkit.data"]
    assert climbs("adkit.runtime.seed", "adkit.data")
    assert climbs("adkit.training", "adkit.models.blocks")  # side by side on one floor
    assert not climbs("adkit.data.read", "adkit.runtime")
    assert not climbs("adkit.data", "adkit.data.read")
