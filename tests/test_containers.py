"""Container files: read as far as that goes without an engine, so that no path, pin or command in them is wrong."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml

from adkit.__main__ import COMMANDS
from adkit.runtime.command import Parser

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".deploy"
DOCKERFILES = sorted(FOLDER.glob("Dockerfile*"))
BUILDS = [path for path in DOCKERFILES if not path.name.endswith(".dockerignore")]


def instructions(path: Path) -> list[tuple[str, str]]:
    """Instruction and the rest of each line, continued lines joined, comments left out."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def pins(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.name)
def test_a_container_runs_as_nobody_and_gets_the_signal(path):
    lines = instructions(path)
    names = [name for name, _ in lines]
    users = [rest for name, rest in lines if name == "USER"]
    assert users == ["10001:10001"]
    assert names.index("USER") < names.index("CMD")
    (command,) = (yaml.safe_load(rest) for name, rest in lines if name == "CMD")
    assert command[:4] == ["python", "-m", "adkit", "serve"]
    assert ("STOPSIGNAL", "SIGTERM") in lines
    assert not [rest for name, rest in lines if name == "ADD"]
    secrets = [rest for name, rest in lines if name in ("ENV", "ARG") and "TOKEN" in rest]
    assert secrets == []


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_not_left_out(path):
    ignored = path.with_name(f"{path.name}.dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    for name, rest in instructions(path):
        if name != "COPY" or "--from=" in rest:
            continue
        *sources, _ = [word for word in rest.split() if not word.startswith("--")]
        for source in sources:
            assert source == ".deploy/model" or (ROOT / source).exists(), source
            assert any(Path(source).match(pattern) for pattern in allowed), source


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.name)
def test_the_command_of_a_container_is_one_that_there_is(path):
    from importlib import import_module

    (command,) = (yaml.safe_load(rest) for name, rest in instructions(path) if name == "CMD")
    parser = Parser(prog="adkit serve")
    import_module(COMMANDS["serve"][0]).add_arguments(parser)
    chosen = parser.parse_args(command[4:])
    assert (str(chosen.detector), chosen.host) == ("/model", "0.0.0.0")


def test_pins_are_those_of_the_tested_set():
    tested = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    for path in FOLDER.glob("requirements-*.txt"):
        assert {name: version for name, version in pins(path).items() if tested[name] != version} == {}
    assert "torch" not in pins(FOLDER / "requirements-onnx.txt")


def test_what_the_images_install_is_all_that_is_needed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]} - {"torch", "torchvision"}
    served = {re.match(r"[\w-]+", line)[0] for line in project["optional-dependencies"]["serve"]}
    assert set(pins(FOLDER / "requirements-torch.txt")) >= core | served
    assert set(pins(FOLDER / "requirements-onnx.txt")) >= served | {"onnxruntime", "numpy", "scipy", "pillow"}
    assert requires("adkit") is None or core  # the package itself comes with --no-deps


def test_the_blueprint_for_render():
    (service,) = yaml.safe_load((FOLDER / "render.yaml").read_text())["services"]
    assert (ROOT / service["dockerfilePath"]).is_file()
    assert service["healthCheckPath"] == "/v2/health/live"
    assert service["envVars"] == [{"key": "ADKIT_TOKEN", "generateValue": True}]
    assert service["numInstances"] == 1


def test_the_page_for_any_platform_says_what_the_service_and_the_image_have():
    page = (FOLDER / "PLATFORM.md").read_text(encoding="utf-8")
    (manifest,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    deployment, service = yaml.safe_load_all(manifest)
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    image = dict(instructions(FOLDER / "Dockerfile"))
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == image["USER"]
    port = int(image["EXPOSE"])
    assert {container["ports"][0]["containerPort"], service["spec"]["ports"][0]["targetPort"]} == {port}
    from adkit.deploy.serving import access

    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] in access.OPEN
        assert container[probe]["httpGet"]["port"] == port
    assert container["livenessProbe"]["httpGet"]["path"].endswith("live")
    mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
    assert mounts == {"/model": True, "/state": False, "/tmp": False}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    parser = Parser(prog="adkit serve")
    from importlib import import_module

    import_module(COMMANDS["serve"][0]).add_arguments(parser)
    for option in re.findall(r"`(--[a-z-]+)`", page):
        assert option in parser.format_help(), option
    for path in re.findall(r"(?:GET|POST)\s+(/\S+?)`", page):
        assert path in ("/v2/health/live", "/v2/health/ready", "/metrics", "/v1/reload")
