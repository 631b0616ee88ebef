"""A plan in YAML: which notebooks, with which parameters; everything is checked before anything starts.

    runs: runs                       # folder of the outputs, beside the plan; default: ADKIT_HOME, else ./runs
    timeout: 3600                    # seconds of a run; this and the next three also inside a job
    gpus: 1                          # default: one where a machine has any
    kernel: python3                  # default: the notebook's own
    environment: {ADKIT_FAST: "1"}
    jobs:
      - notebook: 01_phase1_baseline.ipynb
        profile: params/gpu.yaml     # parameters from a file, or a list of files
        parameters: {steps: 800}     # these overrule the profile
        grid: {category: [denim, calico], width: [8, 16]}     # a run of each combination: four

Paths count from the plan's own folder.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from adkit.batch.notebook import NotebookJob
from adkit.batch.parameters import notebook_parameters, problems
from adkit.runtime import home

OF_RUNS = {"timeout": (int, float), "gpus": int, "kernel": str, "environment": dict}
OF_PLANS = {"runs": str, "jobs": list, **OF_RUNS}
OF_JOBS = {"notebook": str, "name": str, "profile": (str, list), "parameters": dict, "grid": dict, **OF_RUNS}
LONGEST_NAME = 100


@dataclass(frozen=True)
class Plan:
    """What a plan comes to.

    Attributes:
        runs: folder of the outputs.
        jobs: the runs.
        notebooks: name of a job → name of its notebook.
    """

    runs: Path
    jobs: list[NotebookJob]
    notebooks: dict[str, str]


def load_plan(path: str | Path, runs: str | Path | None = None, resume: bool = False) -> Plan:
    """Read a plan and check all of it: keys, files, names and types of parameters.

    Args:
        path: of the YAML file.
        runs: folder of the outputs, in place of the plan's.
        resume: leave out runs that are finished.

    Raises:
        FileNotFoundError: if there is no plan.
        ImportError: if PyYAML is missing.
        ValueError: if anything is wrong; the message lists everything that is.
    """
    path = Path(path).expanduser()
    content = read_yaml(path)
    wrong = _misfits("the plan", content, OF_PLANS)
    if wrong or not content.get("jobs"):
        raise ValueError(_told(path, wrong or ["it has no jobs: expected a list under `jobs:`"]))
    chosen = Path(runs).expanduser() if runs else path.parent / content["runs"] if "runs" in content else home()
    common = {name: content[name] for name in OF_RUNS if name in content}
    jobs: list[NotebookJob] = []
    notebooks: dict[str, str] = {}
    for number, entry in enumerate(content["jobs"], start=1):
        try:
            made = _jobs(entry, common, path.parent, chosen.absolute(), resume)
        except ValueError as error:
            wrong += [f"job {number}: {line}" for line in str(error).split("\n")]
            continue
        jobs += made
        notebooks |= {job.name: Path(entry["notebook"]).name for job in made}
    names = [job.name for job in jobs]
    wrong += [f"two runs are called {name}; give a job another `name:`" for name in _twice(names)]
    if wrong:
        raise ValueError(_told(path, wrong))
    return Plan(chosen.absolute(), jobs, notebooks)


def read_yaml(path: Path) -> dict:
    """What a YAML file holds.

    Args:
        path: of the file.

    Raises:
        FileNotFoundError: if it is not there.
        ImportError: if PyYAML is missing.
        ValueError: if it is no YAML, or holds no names with values.
    """
    try:
        import yaml
    except ImportError as error:
        raise ImportError("PyYAML is missing; pip install pyyaml") from error
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        json.dumps(content)
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ValueError(f"{path} is no YAML of plain data ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} should hold names with values, such as `jobs:`, got {type(content).__name__}")
    return content


def _jobs(entry: object, common: Mapping, folder: Path, runs: Path, resume: bool) -> list[NotebookJob]:
    """All combinations of one entry.

    Raises:
        ValueError: with a line for everything that is wrong.
    """
    if not isinstance(entry, dict) or "notebook" not in entry:
        raise ValueError(f"expected `notebook: FILE` and what belongs to it, got {entry!r}")
    wrong = _misfits("it", entry, OF_JOBS)
    path = folder / str(entry["notebook"])
    if not path.is_file():
        wrong.append(f"no notebook {path}")
    if wrong:
        raise ValueError("\n".join(wrong))
    source = path.read_text(encoding="utf-8")
    combinations = _combinations(entry, folder)
    _check_parameters(path.name, source, combinations)
    settings = {**common, **{name: entry[name] for name in OF_RUNS if name in entry}}
    environment = {**common.get("environment", {}), **entry.get("environment", {})}
    settings["environment"] = {name: str(value) for name, value in environment.items()}
    base = entry.get("name", path.stem)
    return [
        NotebookJob(
            run_name(base, varied),
            source,
            {**fixed, **varied},
            runs=str(runs),
            home=str(home()),
            cwd=str(Path.cwd()),
            resume=resume,
            **settings,
        )
        for fixed, varied in combinations
    ]


def _combinations(entry: Mapping, folder: Path) -> list[tuple[dict, dict]]:
    """(fixed, varied) parameters of each run."""
    files = entry.get("profile", [])
    fixed: dict = {}
    for name in [files] if isinstance(files, str) else files:
        try:
            fixed |= read_yaml(folder / name)
        except FileNotFoundError as error:
            raise ValueError(f"profile: {error}") from error
    fixed |= entry.get("parameters", {})
    grid = entry.get("grid", {})
    if empty := [name for name, values in grid.items() if not isinstance(values, list) or not values]:
        raise ValueError(f"grid: expected a list of values for {', '.join(empty)}")
    return [(fixed, dict(zip(grid, values, strict=True))) for values in product(*grid.values())]


def _check_parameters(name: str, source: str, combinations: list[tuple[dict, dict]]) -> None:
    try:
        notebook = json.loads(source)
        given = [{**fixed, **varied} for fixed, varied in combinations]
        known = notebook_parameters(notebook) if any(given) else {}
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if found := list(dict.fromkeys(line for values in given for line in problems(known, values))):
        raise ValueError("\n".join(f"{name}: {line}" for line in found))


def run_name(base: str, varied: Mapping[str, object]) -> str:
    """Name of a run, fit for a file: the notebook's, and what makes this run different.

    Example:
        >>> run_name("01_phase1", {"category": "denim", "seeds": [0, 1]})
        '01_phase1--category=denim,seeds=0-1'
    """
    text = base
    if varied:
        parts = [f"{name}={re.sub(r'[^A-Za-z0-9.]+', '-', str(value)).strip('-')}" for name, value in varied.items()]
        text = f"{base}--{','.join(parts)}"
        plain = all(
            isinstance(value, (int, float, list)) or re.fullmatch(r"[\w.-]+", str(value)) for value in varied.values()
        )
        if len(text) > LONGEST_NAME or not plain:  # two values must not get one name
            digest = hashlib.sha256(json.dumps(varied, sort_keys=True).encode()).hexdigest()[:8]
            text = f"{text[: LONGEST_NAME - 9]}-{digest}"
    return re.sub(r"[^\w.,=+-]+", "-", text).lstrip(".")


def _misfits(whose: str, content: Mapping, known: Mapping) -> list[str]:
    wrong = [f"{whose} has no {name!r}; known: {', '.join(known)}" for name in content if name not in known]
    for name, kind in known.items():
        value = content.get(name)
        if name in content and (not isinstance(value, kind) or isinstance(value, bool)):
            kinds = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
            wrong.append(f"{name} must be {kinds}, got {value!r}")
        elif name in ("timeout", "gpus") and name in content and (value < 0 or (name == "timeout" and not value)):
            wrong.append(f"{name} must be positive, got {value!r}")
    return wrong


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _told(path: Path, wrong: list[str]) -> str:
    return f"{path.name} cannot run, and nothing was started:\n" + "\n".join(f"  {line}" for line in wrong)
